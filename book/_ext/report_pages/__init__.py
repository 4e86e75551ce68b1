"""Builds the book's pages from `notebooks/` and the run records before Sphinx reads its sources.

`cards` writes the cards of all runs and `pages` executes the notebooks, both in the reused kernels of
`kernel`. One kernel analyses the runs for all, and each executes its share of the pages that show runs.
Pages whose inputs have not changed (`files`) are not rebuilt, and unchanged results are not
written, so that Sphinx renders only what changed. `anchors` allows links to a run on a shared page, and
`processes` makes Sphinx itself faster.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from report_pages.anchors import name_rows
from report_pages.cards import CARDS, due_cards
from report_pages.files import GENERATED
from report_pages.kernel import Workshop
from report_pages.pages import due_pages, tasks
from report_pages.processes import collect_garbage_rarely, package_imported, read_in_parallel

logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the event handlers with Sphinx."""
    app.connect("config-inited", read_in_parallel)
    app.connect("config-inited", collect_garbage_rarely)
    app.add_config_value("report_pages", [], "env", [list])
    app.add_config_value("report_fragments", [], "env", [list])
    # Runs before the table of contents is compared with the existing files.
    app.connect("config-inited", make, priority=100)
    app.connect("config-inited", order_styles, priority=100)
    # Runs after all files that are not in the table of contents have been excluded.
    app.connect("config-inited", keep_cards, priority=900)
    app.connect("doctree-read", name_rows)
    # Runs after all extensions have added their scripts.
    app.connect("html-page-context", drop_remote_scripts, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def make(app: Sphinx, config: Config) -> None:
    """Rebuild what has changed: cards, `report_pages`, and `report_fragments`, which other pages include.

    Raises:
        ExtensionError: a notebook failed, or the package is not installed.
    """
    root = Path(app.srcdir).parent
    # Notebooks expect both folders of records, but either may be empty.
    for folder in (GENERATED, "results", "runs"):
        (root / folder).mkdir(exist_ok=True)
    cards = due_cards(root, config.report_pages)
    pages = due_pages(root, config.report_pages, config.report_fragments)
    if not cards and not pages:
        return
    runs = sum(len(group.paths) for group in cards)
    names = [page.name for page in pages] + ([f"{runs} run cards"] if runs else [])
    logger.info("executing %s", ", ".join(names))
    with TemporaryDirectory() as exchange, Workshop(root / GENERATED) as workshop, package_imported(app):
        # The cards come last, because small tasks keep all kernels busy until the end.
        workshop.each([*tasks(pages, Path(exchange)), *cards])


def order_styles(app: Sphinx, config: Config) -> None:
    """Sort the style sheets by name, with print last, because Jupyter Book uses the file system's order."""
    config["html_css_files"] = sorted(config["html_css_files"], key=lambda name: (name == "print.css", name))


def keep_cards(app: Sphinx, config: Config) -> None:
    """Stop excluding the cards; there are too many for the table of contents."""
    config["exclude_patterns"] = [name for name in config["exclude_patterns"] if not name.startswith(CARDS)]


def drop_remote_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Remove scripts that load remote content: thebe, which needs a server, and MathJax."""
    context["script_files"] = [script for script in context.get("script_files", []) if not _remote(script)]


def _remote(script: Any) -> bool:
    name, body = str(getattr(script, "filename", script) or ""), getattr(script, "attributes", {}).get("body")
    return name.startswith(("http:", "https:")) or "thebe" in name or "THEBE" in str(body or "")
