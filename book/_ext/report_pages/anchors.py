"""Lets links lead to a row of a table that is HTML, as those of the runs on a page that they share."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx

_ROW = re.compile(r'<tr id="([^"]+)"')


def name_rows(app: Sphinx, doctree: nodes.document) -> None:
    """Tell MyST the names of rows: it looks up `page.md#name` among those of headings alone."""
    rows = [row for raw in doctree.findall(nodes.raw) for row in _ROW.findall(raw.astext())]
    if rows:
        known = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
        # Line, place on the page, and the words of a link that has none.
        known.update({row: (0, row, row) for row in rows})
