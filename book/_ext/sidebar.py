"""Renders the sidebar's table of contents once per page, and once for all unlisted pages of a folder.

The run cards and the sources of modules far outnumber the other pages, and the theme would resolve and parse
the same table twice for each of them. This would take most of the time that Sphinx spends on writing pages.
The template `sbt-sidebar-nav.html`, which replaces the theme's, calls `contents`.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Register `share` with Sphinx."""
    # Runs before the theme, which renders the sidebar while it handles the same event.
    app.connect("html-page-context", share, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def share(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Add `contents` to the context of a page; all links of unlisted pages in the same folder are equal."""
    listed = {name for names in app.env.toctree_includes.values() for name in names}
    alone = page in listed or page == app.config.root_doc
    key = page if alone else PurePosixPath(page).parent
    tables: dict[str | PurePosixPath, str] = app.builder.__dict__.setdefault("shared_sidebars", {})

    def contents(**options: Any) -> str:
        if key not in tables:
            tables[key] = str(context["generate_toctree_html"](**options))
        return tables[key]

    context["contents"] = contents
