"""Makes the book's pages from `notebooks/` and the run records before Sphinx reads its sources.

A notebook is executed only when itself, the package or a run record has changed since, and its page is
written only when it came out different, so that Sphinx renders anew what changed and nothing else. The
repository's root is found from this file, never from the working directory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)

BOOK = Path(__file__).resolve().parents[1]
ROOT = BOOK.parent
GENERATED = BOOK / "generated"
RECORD_FILES = ("run.json", "history.csv", "parameters.parquet", "scores.parquet")

# As seen from `generated`, where the notebooks run, so that their links to records hold in the pages.
PARAMETERS = {"results": "../../results", "runs": "../../runs"}

# A kernel mostly starts and imports; more at once would only contend.
WORKERS = 2


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the two steps with Sphinx."""
    app.add_config_value("report_pages", [], "env", [list])
    app.add_config_value("report_fragments", [], "env", [list])
    # Before the table of contents is compared with the files that exist.
    app.connect("config-inited", make_pages, priority=100)
    # After every extension has added its scripts.
    app.connect("html-page-context", drop_remote_scripts, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def make_pages(app: Sphinx, config: Config) -> None:
    """Execute what has changed: `report_pages` become pages, `report_fragments` text to include.

    Raises:
        ExtensionError: a notebook failed, or the package is not installed.
    """
    GENERATED.mkdir(exist_ok=True)
    targets = {name: GENERATED / f"{name}.ipynb" for name in config.report_pages}
    targets |= {name: GENERATED / f"{name}.md" for name in config.report_fragments}
    inputs = _digest(_inputs())
    due = {}
    for name, target in targets.items():
        source = ROOT / "notebooks" / f"{name}.ipynb"
        digest = _digest([source]) + inputs
        if not (target.exists() and _read(_stamp(target)) == digest):
            due[source] = (target, digest)
    if not due:
        return
    logger.info("executing %s", ", ".join(source.stem for source in due))
    with ProcessPoolExecutor(min(WORKERS, len(due)), initializer=_silence) as pool:
        outcomes = list(pool.map(execute, due))
    for (source, (target, digest)), (notebook, failure) in zip(due.items(), outcomes, strict=True):
        if failure:
            raise ExtensionError(f"{source.relative_to(ROOT)} failed: {failure}")
        text = notebook if target.suffix == ".ipynb" else _markdown_outputs(notebook)
        if _read(target) != text:
            target.write_text(text, encoding="utf-8")
        _stamp(target).write_text(digest, encoding="utf-8")


def _silence() -> None:
    """Keep the kernels' chatter out of the build's output; failures come back as text."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def execute(source: Path) -> tuple[str, str]:
    """The executed notebook as JSON, equal for equal outputs, and what failed, or ''."""
    # Imported here, in the worker: a build with nothing to execute starts without it.
    import papermill

    try:
        notebook = papermill.execute_notebook(
            source, None, parameters=PARAMETERS, cwd=GENERATED, progress_bar=False
        )
    except papermill.PapermillExecutionError as error:
        return "", f"{error.ename}: {error.evalue}"
    except Exception as error:  # whatever it is, the build must end with its sentence
        return "", f"{type(error).__name__}: {error}"
    notebook.metadata.pop("papermill")
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
            cell.metadata.tags.append("remove-cell")
    return nbformat.writes(notebook), ""


def _markdown_outputs(notebook: str) -> str:
    """All Markdown that a notebook shows."""
    cells = nbformat.reads(notebook, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    texts = [output.data["text/markdown"] for output in outputs if "text/markdown" in output.get("data", {})]
    return "\n\n".join(texts) + "\n"


def _inputs() -> Iterator[Path]:
    """Every file, but the notebook, on which a page depends."""
    spec = find_spec("trsfnet")
    if spec is None or spec.origin is None:
        raise ExtensionError("trsfnet is not installed here; install it by: pip install -e '.[book]'")
    package = Path(spec.origin).parent
    for pattern in ("*.py", "*.json"):
        yield from sorted(package.rglob(pattern))
    yield Path(__file__)
    yield from sorted((ROOT / "benchmarks" / "results").glob("*.json"))
    for root in ("results", "runs"):
        for name in RECORD_FILES:
            yield from sorted((ROOT / root).glob(f"*/*/{name}"))


def _digest(files: Iterator[Path] | list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _stamp(target: Path) -> Path:
    """Where the digest of what a page was made from is kept."""
    return target.with_name(f".{target.name}.digest")


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def drop_remote_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Leave out scripts that would fetch something: thebe, which needs a server, and MathJax."""
    context["script_files"] = [script for script in context.get("script_files", []) if not _remote(script)]


def _remote(script: Any) -> bool:
    name, body = str(getattr(script, "filename", script) or ""), getattr(script, "attributes", {}).get("body")
    return name.startswith(("http:", "https:")) or "thebe" in name or "THEBE" in str(body or "")
