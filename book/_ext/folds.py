"""Collapses sections: `<!-- fold -->` below a heading hides the rest of the section until it is opened.

The comment is invisible in notebooks. Links into the section open it, and so does printing.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

_MARK = "<!-- fold -->"
_START = '<details class="fold"><summary>Show this section</summary>'


def setup(app: Sphinx) -> dict[str, Any]:
    """Register `fold` with Sphinx."""
    app.connect("doctree-read", fold)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def fold(app: Sphinx, doctree: nodes.document) -> None:
    """Wrap the content after each mark in a `<details>` element."""
    for mark in [raw for raw in doctree.findall(nodes.raw) if raw.astext().strip() == _MARK]:
        section = mark.parent
        place = section.index(mark)
        section[place] = nodes.raw("", _START, format="html")
        section.append(nodes.raw("", "</details>", format="html"))
