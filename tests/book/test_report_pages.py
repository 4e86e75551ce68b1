"""The extension executes what changed, and no more; a failing notebook ends the build with its sentence."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import nbformat
import papermill
import pytest
from sphinx.errors import ExtensionError

from tests.book.conftest import ROOT

TABLES = tuple(f"table{number}" for number in range(1, 7))
FIGURES = ("curves", "scales", "slopes", "starts")
PAGES = ("landing", "claims", *TABLES, *FIGURES, "stability", "meaning", "statistics", "audit")
PAGES += ("durations", "idea")


@pytest.fixture
def extension(tmp_path, monkeypatch):
    """The extension, at work in an empty checkout."""
    spec = importlib.util.spec_from_file_location("report_pages", ROOT / "book" / "_ext" / "report_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(__import__("sys").modules, "report_pages", module)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book").mkdir()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "GENERATED", tmp_path / "book" / "generated")
    return module


def write(extension, name: str, code: str) -> None:
    cells = [
        nbformat.v4.new_code_cell('runs = "runs"', metadata={"tags": ["parameters"]}, id="parameters"),
        nbformat.v4.new_code_cell(code, id="work"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(notebook, extension.ROOT / "notebooks" / f"{name}.ipynb")


def test_pages_and_fragments_are_made_once(extension, monkeypatch):
    write(extension, "page", "print(runs)")
    write(extension, "part", "from IPython.display import Markdown\nMarkdown('**so** it is')")
    config = SimpleNamespace(report_pages=["page"], report_fragments=["part"])
    extension.make_pages(None, config)
    page = nbformat.read(extension.GENERATED / "page.ipynb", as_version=4)
    assert page.cells[-1].outputs[0].text == "../../runs\n"
    assert "remove-cell" in page.cells[1].metadata.tags
    assert "papermill" not in page.metadata, "times would make every page differ from the last"
    assert (extension.GENERATED / "part.md").read_text() == "**so** it is\n"

    executed = []
    monkeypatch.setattr(extension, "ProcessPoolExecutor", executed.append)
    extension.make_pages(None, config)
    assert not executed
    record = extension.ROOT / "runs" / "synthetic" / "some-run"
    record.mkdir(parents=True)
    (record / "run.json").write_text("{}")
    with pytest.raises(TypeError):  # the stand-in for the pool, called with two arguments
        extension.make_pages(None, config)


def test_a_failing_notebook_ends_the_build_with_its_sentence(extension):
    write(extension, "page", "raise ValueError('The scales have gone.')")
    sentence = r"notebooks/page.ipynb failed: ValueError: The scales have gone\."
    with pytest.raises(ExtensionError, match=sentence):
        extension.make_pages(None, SimpleNamespace(report_pages=["page"], report_fragments=[]))
    assert not (extension.GENERATED / "page.ipynb").exists()


@pytest.mark.parametrize("name", PAGES)
def test_notebooks_are_thin_clean_and_parametrised(name):
    file = ROOT / "notebooks" / f"{name}.ipynb"
    parameters = papermill.inspect_notebook(str(file))
    assert {p["name"]: (p["inferred_type_name"], bool(p["help"])) for p in parameters.values()} == {
        "results": ("str", True),
        "runs": ("str", True),
    }
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert len(cell.source.splitlines()) <= 8
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
