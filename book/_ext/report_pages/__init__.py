"""Makes the book's pages from `notebooks/` and the run records before Sphinx reads its sources.

`cards` makes the cards of all runs, `pages` executes the notebooks; both in the warm kernels of `kernel`. One
kernel makes every page that shows runs, so that the runs are read and analysed once.
What has not changed since it was made (`files`) is not made again, and what came out the same is not written,
so that Sphinx renders again what changed and nothing else. `anchors` lets links lead to a run that shares a
page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from report_pages.anchors import name_rows
from report_pages.cards import CARDS, due_cards
from report_pages.files import GENERATED
from report_pages.kernel import KERNELS, Workshop
from report_pages.pages import due_pages, tasks

logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the steps with Sphinx."""
    app.connect("config-inited", read_in_parallel)
    app.add_config_value("report_pages", [], "env", [list])
    app.add_config_value("report_fragments", [], "env", [list])
    # Before the table of contents is compared with the files that exist.
    app.connect("config-inited", make, priority=100)
    app.connect("config-inited", order_styles, priority=100)
    # After it has excluded all files that it does not name.
    app.connect("config-inited", keep_cards, priority=900)
    app.connect("doctree-read", name_rows)
    # After every extension has added its scripts.
    app.connect("html-page-context", drop_remote_scripts, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def read_in_parallel(app: Sphinx, config: Config) -> None:
    """Let Sphinx read and write pages in several processes, for which jupyter-book has no option."""
    app.parallel = max(app.parallel, KERNELS)
    # Which does not say so itself: it numbers the table of contents after all pages have been read.
    if numbering := app.extensions.get("sphinx_multitoc_numbering"):
        numbering.parallel_read_safe = True


def make(app: Sphinx, config: Config) -> None:
    """Make what has changed: cards, `report_pages`, and `report_fragments`, which are text to include.

    Raises:
        ExtensionError: a notebook failed, or the package is not installed.
    """
    root = Path(app.srcdir).parent
    # Notebooks ask for both folders of records; either may be empty.
    for folder in (GENERATED, "results", "runs"):
        (root / folder).mkdir(exist_ok=True)
    cards = due_cards(root, config.report_pages)
    pages = due_pages(root, config.report_pages, config.report_fragments)
    if not cards and not pages:
        return
    runs = sum(len(group.paths) for group in cards)
    names = [page.name for page in pages] + ([f"{runs} run cards"] if runs else [])
    logger.info("executing %s", ", ".join(names))
    with Workshop(root / GENERATED) as workshop:
        showing_runs, others = tasks(pages)
        workshop.each([*showing_runs, *cards, *others])


def order_styles(app: Sphinx, config: Config) -> None:
    """Sort the style sheets, those for print last: Jupyter Book takes them in the file system's order."""
    config["html_css_files"] = sorted(config["html_css_files"], key=lambda name: (name == "print.css", name))


def keep_cards(app: Sphinx, config: Config) -> None:
    """Let Sphinx read the cards, which are in no table of contents: hundreds would bury the pages there."""
    config["exclude_patterns"] = [name for name in config["exclude_patterns"] if not name.startswith(CARDS)]


def drop_remote_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Leave out scripts that would fetch something: thebe, which needs a server, and MathJax."""
    context["script_files"] = [script for script in context.get("script_files", []) if not _remote(script)]


def _remote(script: Any) -> bool:
    name, body = str(getattr(script, "filename", script) or ""), getattr(script, "attributes", {}).get("body")
    return name.startswith(("http:", "https:")) or "thebe" in name or "THEBE" in str(body or "")
