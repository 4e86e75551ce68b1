"""Turns notebooks into pages, or into text that other pages include, by executing them with papermill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

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
from report_pages.kernel import KERNELS, Kernel, Task

# Parameters of notebooks that show runs. The paths are relative to `generated`, in which notebooks are
# executed, so that their links to records are also valid in the pages.
FOLDERS = {"results": "../../results", "runs": "../../runs"}


@dataclass(frozen=True)
class Page:
    """A notebook to be executed.

    Attributes:
        source: the notebook.
        parameters: the notebook's parameters, a subset of `FOLDERS`.
        target: the executed notebook, or a Markdown file with its outputs.
        made_from: digest of everything that the page depends on.
    """

    source: Path
    parameters: Mapping[str, str]
    target: Path
    made_from: str

    @property
    def name(self) -> str:
        """Name of the page."""
        return self.source.stem

    def run(self, kernel: Kernel) -> None:
        """Execute the notebook and write the page."""
        notebook = _execute(self.source, self.parameters, kernel)
        text = nbformat.writes(notebook) if self.target.suffix == ".ipynb" else _markdown_outputs(notebook)
        write(self.target, text, self.made_from)


@dataclass(frozen=True)
class Analysis:
    """The analysis of all runs, which one kernel makes for all.

    Attributes:
        file: file by which the kernels exchange it.
        done: set when the file is complete or will not be.
    """

    file: Path
    done: Event = field(default_factory=Event)
    name = "analysis"

    def run(self, kernel: Kernel) -> None:
        """Analyse the runs."""
        try:
            kernel.run(f"{_IMPORT}analysis.hand_over({str(self.file)!r}, *{list(FOLDERS.values())!r})")
        finally:
            self.done.set()

    def give(self, kernel: Kernel) -> None:
        """Give the result to a kernel, as soon as it exists."""
        self.done.wait()
        if self.file.exists():
            kernel.run(f"{_IMPORT}analysis.take_over({str(self.file)!r})")


_IMPORT = "from trsfnet.analysis import analysis\n"


@dataclass(frozen=True)
class PagesInTurn:
    """Pages that the same kernel executes in sequence, so that they share the analysis of the runs.

    Attributes:
        pages: the pages in order of execution.
        analysis: that analysis; None if the kernel makes its own.
    """

    pages: tuple[Page, ...]
    analysis: Analysis | None

    @property
    def name(self) -> str:
        """Names of the pages."""
        return ", ".join(page.name for page in self.pages)

    def run(self, kernel: Kernel) -> None:
        """Execute the notebooks and write the pages, one after the other."""
        if self.analysis:
            self.analysis.give(kernel)
        for page in self.pages:
            page.run(kernel)


def tasks(pages: Sequence[Page], exchange: Path) -> list[Task]:
    """Return what has to be done for `pages`; those that show runs are one task for each kernel.

    Args:
        pages: the pages to execute.
        exchange: a folder by which kernels exchange the analysis of the runs.
    """
    showing_runs = [page for page in pages if "runs" in page.parameters]
    others = [page for page in pages if page not in showing_runs]
    size = -(-len(showing_runs) // KERNELS)
    groups = [tuple(showing_runs[first : first + size]) for first in range(0, len(showing_runs), size or 1)]
    if len(groups) < 2:
        return [*(PagesInTurn(group, None) for group in groups), *others]
    analysis = Analysis(exchange / "analysis.pickle")
    # The other pages come first, because they do not have to wait for the analysis.
    return [analysis, *others, *(PagesInTurn(group, analysis) for group in groups)]


def due_pages(root: Path, pages: list[str], fragments: list[str]) -> list[Page]:
    """Return the pages whose notebook or inputs (records, package, benchmarks) have changed."""
    measured = sorted((root / "benchmarks" / "results").glob("*.json"))
    inputs = digest([*package_files(), *measured, *record_files(root)])
    targets = {name: root / GENERATED / f"{name}.ipynb" for name in pages}
    targets |= {name: root / GENERATED / f"{name}.md" for name in fragments}
    due = []
    for name, target in targets.items():
        source = root / "notebooks" / f"{name}.ipynb"
        made_from = digest([source], inputs)
        if not is_current(target, made_from):
            due.append(Page(source, _parameters(source), target, made_from))
    return due


def _parameters(source: Path) -> dict[str, str]:
    """Return the values in `FOLDERS` of a notebook's parameters."""
    # Imported here, because a build without notebooks to execute does not need it.
    import papermill

    return {name: FOLDERS[name] for name in papermill.inspect_notebook(source) if name in FOLDERS}


def _execute(source: Path, parameters: Mapping[str, str], kernel: Kernel) -> nbformat.NotebookNode:
    """Execute a notebook and remove metadata that would differ between executions."""
    import papermill

    try:
        kernel.run("")
        notebook = papermill.execute_notebook(
            source, None, parameters=parameters, km=kernel.manager, progress_bar=False
        )
    except papermill.PapermillExecutionError as error:
        raise ExtensionError(f"notebooks/{source.name} failed: {error.ename}: {error.evalue}") from error
    except Exception as error:  # any other error must also end the build with a clear message
        raise ExtensionError(f"notebooks/{source.name} failed: {type(error).__name__}: {error}") from error
    notebook.metadata.pop("papermill")
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
            cell.metadata.tags.append("remove-cell")
        for output in cell.get("outputs", []):
            _use_book_form(output.get("data", {}))
    return notebook


def _use_book_form(data: dict[str, str]) -> None:
    """Replace what an output shows in Jupyter by its form for the book, if it has one."""
    from trsfnet.report.jupyter import BOOK_TYPES

    for usual, of_book in BOOK_TYPES.items():
        if of_book in data:
            data[usual] = data.pop(of_book)


def _markdown_outputs(notebook: nbformat.NotebookNode) -> str:
    """Return all Markdown outputs of a notebook."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [output.data["text/markdown"] for output in outputs if "text/markdown" in output.get("data", {})]
    return "\n\n".join(texts) + "\n"
