"""The extension executes what changed, and no more; a failing notebook ends the build with its sentence."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import papermill
import pytest
from sphinx.errors import ExtensionError

from tests.book.conftest import ROOT
from tests.report.fakes import fake_run

TABLES = tuple(f"table{number}" for number in range(1, 7))
FIGURES = ("curves", "scales", "slopes", "starts")
PAGES = ("landing", "claims", *TABLES, *FIGURES, "stability", "meaning", "statistics", "audit", "runs")
PAGES += ("durations", "idea")


@pytest.fixture
def extension(tmp_path, monkeypatch):
    """The extension, at work in an empty checkout."""
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book").mkdir()
    return importlib.import_module("report_pages")


@pytest.fixture
def make(extension, tmp_path):
    """Makes pages and fragments as a build does."""

    def make(*pages: str, fragments: tuple[str, ...] = ()) -> None:
        app = SimpleNamespace(srcdir=tmp_path / "book")
        extension.make(app, SimpleNamespace(report_pages=list(pages), report_fragments=list(fragments)))

    return make


def write(root: Path, name: str, code: str) -> None:
    cells = [
        nbformat.v4.new_code_cell('runs = "runs"', metadata={"tags": ["parameters"]}, id="parameters"),
        nbformat.v4.new_code_cell(code, id="work"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(notebook, root / "notebooks" / f"{name}.ipynb")


def made(root: Path, name: str) -> Path:
    return root / "book" / "generated" / name


def test_pages_and_fragments_are_made_once(extension, make, tmp_path, monkeypatch):
    write(tmp_path, "page", "print(runs)")
    write(tmp_path, "part", "from IPython.display import Markdown\nMarkdown('**so** it is')")
    make("page", fragments=("part",))
    page = nbformat.read(made(tmp_path, "page.ipynb"), as_version=4)
    assert page.cells[-1].outputs[0].text == "../../runs\n"
    assert "remove-cell" in page.cells[1].metadata.tags
    assert "papermill" not in page.metadata, "times would make every page differ from the last"
    assert made(tmp_path, "part.md").read_text() == "**so** it is\n"

    monkeypatch.setattr(extension, "Workshop", None)
    make("page", fragments=("part",))
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "benchmarks" / "results" / "step.json").write_text("{}")
    with pytest.raises(TypeError):  # there is no workshop to do it in
        make("page", fragments=("part",))


def test_notebooks_share_a_kernel_and_no_names(extension, make, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["report_pages.kernel"], "KERNELS", 1)
    write(tmp_path, "first", "left = 'behind'\nlen(left)")
    write(tmp_path, "second", "'left' in globals()")
    make("first", "second")
    outputs = [
        nbformat.read(made(tmp_path, f"{name}.ipynb"), as_version=4).cells[-1].outputs[0]
        for name in ("first", "second")
    ]
    assert [output.data["text/plain"] for output in outputs] == ["6", "False"]
    assert outputs[0].execution_count == outputs[1].execution_count, "a page must not depend on its place"


def test_a_failing_notebook_ends_the_build_with_its_sentence(make, tmp_path):
    write(tmp_path, "page", "raise ValueError('The scales have gone.')")
    sentence = r"notebooks/page.ipynb failed: ValueError: The scales have gone\."
    with pytest.raises(ExtensionError, match=sentence):
        make("page")
    assert not made(tmp_path, "page.ipynb").exists()


def test_cards_are_made_for_what_changed_alone(extension, make, tmp_path):
    due_cards = sys.modules["report_pages.cards"].due_cards
    relu = fake_run(tmp_path / "results", "v1-relu")
    trsf = fake_run(tmp_path / "runs", "v1-trsf-relu")
    (fake_run(tmp_path / "runs", "v1-relu", seed=1).path / "run.json").write_text("{damaged")
    make()
    cards = {file.stem: file.read_text() for file in made(tmp_path, "runs").glob("*/*.md")}
    assert len(cards) == 3
    assert "-p trsf True" in cards[trsf.run_id]
    assert any("is damaged" in text for text in cards.values())
    assert not due_cards(tmp_path, [])

    second = fake_run(tmp_path / "runs", "v1-trsf-relu", seed=1)
    due = due_cards(tmp_path, [])
    assert {card.name for card in due} == {second.run_id, trsf.run_id}, "they link to each other"
    mine = fake_run(tmp_path / "runs", "v1-relu", tar=0.9)
    assert mine.path in [card.folder for card in due_cards(tmp_path, [])], "of equal runs the reader's own"
    shutil.rmtree(mine.path)
    shutil.rmtree(relu.path)
    due_cards(tmp_path, [])
    assert not made(tmp_path, f"runs/synthetic/{relu.run_id}.md").exists()


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
