"""The notebook with the explorer runs with and without runs, and stores no outputs or logic."""

from __future__ import annotations

from pathlib import Path

import nbformat
import papermill
import pytest

from tests.report.fakes import fake_run

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NAMES = ("explore", "explore_page")


def executed(notebook: Path, root: Path, where: Path) -> nbformat.NotebookNode:
    return papermill.execute_notebook(
        notebook,
        None,
        parameters={"results": str(root), "runs": str(root)},
        cwd=where,
        progress_bar=False,
    )


def widgets(notebook: nbformat.NotebookNode) -> list[dict]:
    """The state of every widget."""
    states = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    return [one["state"] for one in states]


def test_it_offers_runs_and_what_verification_needs(tmp_path):
    fake_run(tmp_path / "runs", "v1-trsf-prelu")
    found = widgets(executed(NOTEBOOKS / "explore.ipynb", tmp_path / "runs", tmp_path))
    (index,) = [s["index"] for s in found if isinstance(s.get("index"), dict) and "groups" in s["index"]]
    assert [group["name"] for group in index["groups"]] == [
        "v1 + TRSF + PReLU, seed 0 (short), rendered faces"
    ]
    assert any("the threshold" in str(state.get("value", "")) for state in found), "a network comes along"


def test_it_runs_where_there_is_nothing(tmp_path):
    # One kernel runs both notebooks: starting another takes longer than the cells.
    both, page = (nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4) for name in NAMES)
    page = page.cells[2:]  # without title and parameters
    both.cells += page
    nbformat.write(both, tmp_path / "both.ipynb")
    found = executed(tmp_path / "both.ipynb", tmp_path, tmp_path)
    assert any("Nothing to explore yet" in str(state.get("value", "")) for state in widgets(found))
    assert "Nothing to explore yet" in str(found.cells[-len(page) :])


@pytest.mark.parametrize("name", NAMES)
def test_it_is_thin_clean_and_parametrised(name):
    file = NOTEBOOKS / f"{name}.ipynb"
    assert set(papermill.inspect_notebook(str(file))) == {"results", "runs"}
    for cell in nbformat.read(file, as_version=4).cells:
        assert len(cell.source.splitlines()) <= 8
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


def test_the_folders_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = papermill.execute_notebook(NOTEBOOKS / "durations.ipynb", None, progress_bar=False)
    assert "Wall time of one run, from the records" in str(notebook)
