"""The extension executes what changed, and no more; a failing notebook ends the build with its sentence."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import papermill
import pytest
from sphinx.errors import ExtensionError

from tests.book.conftest import ROOT
from tests.report.fakes import fake_run, study_run

TABLES = tuple(f"table{number}" for number in range(1, 7))
FIGURES = ("curves", "scales", "slopes", "starts")
# The other pages show no run.
PAGES = ("landing", "claims", *TABLES, *FIGURES, "stability", "meaning", "statistics", "runs")
PAGES += ("collapse", "width", "mechanism", "length", "durations", "data_synthetic", "verdict_history")


@pytest.fixture
def extension(tmp_path, monkeypatch):
    """The extension, at work in an empty checkout."""
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book").mkdir()
    return importlib.import_module("report_pages")


@pytest.fixture
def make(extension, tmp_path, monkeypatch):
    """Makes pages and fragments as a build does, in one kernel: to start another takes long."""
    monkeypatch.setattr(sys.modules["report_pages.kernel"], "KERNELS", 1)

    def make(*pages: str, fragments: tuple[str, ...] = ()) -> None:
        app = SimpleNamespace(srcdir=tmp_path / "book", doctreedir=tmp_path / "doctrees")
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
    write(tmp_path, "part", "from trsfnet.report import display\ndisplay.Markdown(':::{table} **so** it is')")
    make("page", fragments=("part",))
    page = nbformat.read(made(tmp_path, "page.ipynb"), as_version=4)
    assert page.cells[-1].outputs[0].text == "../../runs\n"
    assert "remove-cell" in page.cells[1].metadata.tags
    assert "papermill" not in page.metadata, "times would make every page differ from the last"
    assert made(tmp_path, "part.md").read_text() == ":::{table} **so** it is\n", "not what Jupyter shows"

    monkeypatch.setattr(extension, "Workshop", None)
    make("page", fragments=("part",))
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "benchmarks" / "results" / "step.json").write_text("{}")
    with pytest.raises(TypeError):  # there is no workshop to do it in
        make("page", fragments=("part",))


def test_notebooks_share_a_kernel_and_no_names(make, tmp_path):
    write(tmp_path, "first", "left = 'behind'\nlen(left)")
    write(tmp_path, "second", "'left' in globals()")
    make("first", "second")
    outputs = [
        nbformat.read(made(tmp_path, f"{name}.ipynb"), as_version=4).cells[-1].outputs[0]
        for name in ("first", "second")
    ]
    assert [output.data["text/plain"] for output in outputs] == ["6", "False"]
    assert outputs[0].execution_count == outputs[1].execution_count, "a page must not depend on its place"


def test_one_kernel_analyses_the_runs_for_all(make, tmp_path, monkeypatch):
    fake_run(tmp_path / "runs", "v1-relu")
    unreadable = "from trsfnet.analysis import analysis\nanalysis.read_records = None\n"
    for name in ("first", "second"):
        write(tmp_path, name, f"{unreadable}print(len(analysis.load('../../results', runs).runs))")
    for module in ("kernel", "pages"):
        monkeypatch.setattr(sys.modules[f"report_pages.{module}"], "KERNELS", 2)
    make("first", "second")
    for name in ("first", "second"):
        page = nbformat.read(made(tmp_path, f"{name}.ipynb"), as_version=4)
        assert page.cells[-1].outputs[0].text == "1\n"


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
    assert [set(setting.paths) for setting in due] == [{second.path, trsf.path}], "they link to each other"
    mine = fake_run(tmp_path / "runs", "v1-relu", tar=0.9)
    folders = [folder for setting in due_cards(tmp_path, []) for folder in setting.paths]
    assert mine.path in folders, "of equal runs the reader's own"
    shutil.rmtree(mine.path)
    shutil.rmtree(relu.path)
    make()
    assert not made(tmp_path, f"runs/synthetic/{relu.run_id}.md").exists()


def test_a_page_of_the_study_is_made_anew_with_any_of_its_runs(extension, make, tmp_path):
    due_cards = sys.modules["report_pages.cards"].due_cards
    first = study_run(tmp_path / "runs", rate=0.2)
    usual = fake_run(tmp_path / "runs", "v1-relu")
    study_run(tmp_path / "runs", "v1-relu", scale_init=1.0)
    make()
    pages = {file.name for file in made(tmp_path, "runs/synthetic").glob("*.md")}
    assert pages == {"stability-v1-trsf-relu.md", "stability-v1-scale1-relu.md", f"{usual.run_id}.md"}

    study = made(tmp_path, "runs/synthetic/stability-v1-trsf-relu.md")
    others = [file for file in study.parent.glob("*.md") if file != study]
    kept = {file: file.stat().st_mtime_ns for file in others}
    second = study_run(tmp_path / "runs", rate=0.3)
    assert [set(setting.paths) for setting in due_cards(tmp_path, [])] == [{first.path, second.path}]
    make()
    assert f'<tr id="run-{second.run_id}">' in study.read_text()
    assert {file: file.stat().st_mtime_ns for file in others} == kept

    study.unlink()
    assert due_cards(tmp_path, []), "made again where it is missing"
    for run in (first, second):
        shutil.rmtree(run.path)
    made(tmp_path, "runs/synthetic/stray.md").touch()
    assert not due_cards(tmp_path, [])
    assert set(study.parent.glob("*.md")) == set(others)


def test_sphinx_follows_links_to_a_row(tmp_path):
    book = tmp_path / "book"
    book.mkdir()
    extensions = f"import sys\nsys.path.append({str(ROOT / 'book' / '_ext')!r})\n"
    (book / "conf.py").write_text(extensions + "extensions = ['myst_parser', 'report_pages']\n")
    row = '<tr id="run-v1-scale0-1"><td>\n\n*1*\n\n</td></tr>'
    (book / "runs.md").write_text(f"---\norphan: true\n---\n\n# Runs\n\n<table>\n{row}\n</table>\n")
    (book / "index.md").write_text("# Index\n\n[one](runs.md#run-v1-scale0-1)\n")
    command = [sys.executable, "-m", "sphinx", "-W", "-n", str(book), str(tmp_path / "html")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert 'href="runs.html#run-v1-scale0-1"' in (tmp_path / "html" / "index.html").read_text()


@pytest.mark.parametrize("name", PAGES)
def test_notebooks_are_thin_clean_and_parametrised(name):
    file = ROOT / "notebooks" / f"{name}.ipynb"
    parameters = papermill.inspect_notebook(str(file))
    names = ["results", "runs"] + (["track"] if name in TABLES + FIGURES else [])
    assert {p["name"]: (p["inferred_type_name"], bool(p["help"])) for p in parameters.values()} == {
        parameter: ("str", True) for parameter in names
    }
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert len(cell.source.splitlines()) <= 8
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
