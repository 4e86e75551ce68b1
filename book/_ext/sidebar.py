"""Shares the sidebar's table of contents among all pages that are not listed in it.

The run cards and the sources of modules far outnumber the other pages, and the theme would resolve the same
table again for each of them. This would take most of the time that Sphinx spends on writing pages.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from sphinx.application import Sphinx

_FUNCTION = "toctree"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register `share` with Sphinx."""
    # Runs before the theme, which renders the sidebar while it handles the same event.
    app.connect("html-page-context", share, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def share(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Let an unlisted page use the table of the first such page in its folder, where all links are equal."""
    listed = {name for names in app.env.toctree_includes.values() for name in names}
    if page in listed or page == app.config.root_doc or _FUNCTION not in context:
        return
    resolve = context[_FUNCTION]
    tables: dict[Any, str] = app.builder.__dict__.setdefault("shared_sidebars", {})

    def shared(**options: Any) -> str:
        key = (PurePosixPath(page).parent, *sorted(options.items()))
        if key not in tables:
            tables[key] = resolve(**options)
        return tables[key]

    context[_FUNCTION] = shared
