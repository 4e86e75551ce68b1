"""Allows links to rows of HTML tables, such as the rows of runs that share a page."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx

_ROW = re.compile(r'<tr id="([^"]+)"')


def name_rows(app: Sphinx, doctree: nodes.document) -> None:
    """Register the ids of rows with MyST, which otherwise resolves `page.md#name` only for headings."""
    rows = [row for raw in doctree.findall(nodes.raw) for row in _ROW.findall(raw.astext())]
    if rows:
        known = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
        # Line number, HTML id, and default link text.
        known.update({row: (0, row, row) for row in rows})
