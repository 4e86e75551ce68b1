"""Folds sections: below a heading, `<!-- fold -->` hides the rest of its section until a reader opens it.

The comment shows in no notebook. Links to what is within open the section, and so does printing.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

_MARK = "<!-- fold -->"
_START = '<details class="fold"><summary>Show this section</summary>'


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the step with Sphinx."""
    app.connect("doctree-read", fold)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def fold(app: Sphinx, doctree: nodes.document) -> None:
    """Put what follows each mark into an element that opens."""
    for mark in [raw for raw in doctree.findall(nodes.raw) if raw.astext().strip() == _MARK]:
        section = mark.parent
        place = section.index(mark)
        section[place] = nodes.raw("", _START, format="html")
        section.append(nodes.raw("", "</details>", format="html"))
