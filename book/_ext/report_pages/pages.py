"""Notebooks become pages, or text for other pages to include: papermill executes those that are due."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nbformat
from sphinx.errors import ExtensionError

from report_pages.files import (
    GENERATED,
    digest,
    is_current,
    package_files,
    record_files,
    write,
)
from report_pages.kernel import Kernel

# As seen from `generated`, where the notebooks run, so that their links to records hold in the pages.
PARAMETERS = {"results": "../../results", "runs": "../../runs"}


@dataclass(frozen=True)
class Page:
    """A notebook that is due.

    Attributes:
        source: the notebook.
        target: the executed notebook, or a Markdown file of what it shows.
        made_from: digest of all that the page depends on.
    """

    source: Path
    target: Path
    made_from: str

    @property
    def name(self) -> str:
        """Name of the page."""
        return self.source.stem

    def run(self, kernel: Kernel) -> None:
        """Execute it and write the page."""
        notebook = _execute(self.source, kernel)
        text = nbformat.writes(notebook) if self.target.suffix == ".ipynb" else _markdown_outputs(notebook)
        write(self.target, text, self.made_from)


def due_pages(root: Path, pages: list[str], fragments: list[str]) -> list[Page]:
    """The notebooks that have changed, or whose inputs have: any record, the package, the benchmarks."""
    measured = sorted((root / "benchmarks" / "results").glob("*.json"))
    inputs = digest([*package_files(), *measured, *record_files(root)])
    targets = {name: root / GENERATED / f"{name}.ipynb" for name in pages}
    targets |= {name: root / GENERATED / f"{name}.md" for name in fragments}
    due = []
    for name, target in targets.items():
        source = root / "notebooks" / f"{name}.ipynb"
        page = Page(source, target, digest([source], inputs))
        if not is_current(target, page.made_from):
            due.append(page)
    return due


def _execute(source: Path, kernel: Kernel) -> nbformat.NotebookNode:
    """The executed notebook, equal for equal outputs."""
    # Imported here: a build with nothing to execute starts without it.
    import papermill

    try:
        kernel.run("")
        notebook = papermill.execute_notebook(
            source, None, parameters=PARAMETERS, km=kernel.manager, progress_bar=False
        )
    except papermill.PapermillExecutionError as error:
        raise ExtensionError(f"notebooks/{source.name} failed: {error.ename}: {error.evalue}") from error
    except Exception as error:  # whatever it is, the build must end with its sentence
        raise ExtensionError(f"notebooks/{source.name} failed: {type(error).__name__}: {error}") from error
    notebook.metadata.pop("papermill")
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
            cell.metadata.tags.append("remove-cell")
    return notebook


def _markdown_outputs(notebook: nbformat.NotebookNode) -> str:
    """All Markdown that a notebook shows."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [output.data["text/markdown"] for output in outputs if "text/markdown" in output.get("data", {})]
    return "\n\n".join(texts) + "\n"
