"""Writes the script that draws the figures of run cards, and includes it in the pages with such figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

_SCRIPT = "card-figures.js"
_FIGURE = 'class="card-drawing"'


def setup(app: Sphinx) -> dict[str, Any]:
    """Register `write_script` and `include` with Sphinx."""
    app.connect("builder-inited", write_script)
    app.connect("html-page-context", include)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_script(app: Sphinx) -> None:
    """Write the script once for all cards."""
    # Imported here, because the other extensions load without trsfnet and say how to install it.
    from trsfnet.report.explore.script import cards

    folder = Path(app.outdir, "_static")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _SCRIPT).write_text(cards(), encoding="utf-8")


def include(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Include the script in a page that needs it."""
    if _FIGURE in context.get("body", ""):
        app.add_js_file(_SCRIPT)
