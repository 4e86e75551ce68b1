"""A table's notebook runs from any folder, on one track, and its own few lines give the table's numbers."""

from __future__ import annotations

from pathlib import Path

import nbformat
import papermill
import pytest
from nbconvert import HTMLExporter

from tests.report.fakes import fake_run
from trsfnet import analysis
from trsfnet.errors import ConfigError

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_one_track_from_elsewhere_and_the_gains_of_the_table(tmp_path, monkeypatch):
    for seed, tar in enumerate((0.20, 0.24, 0.22)):
        fake_run(tmp_path / "records", "v1-relu", seed=seed, tar=tar)
        fake_run(tmp_path / "records", "v1-trsf-relu", seed=seed, tar=tar + 0.1 + 0.01 * seed)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    given = {"results": "../records", "runs": "../records", "track": "synthetic"}
    notebook = papermill.execute_notebook(
        NOTEBOOKS / "table1.ipynb", "out.ipynb", parameters=given, progress_bar=False
    )
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert ":::" not in page, "nothing that only the book can read"
    assert 'src="data:image/svg+xml;base64,' in page
    shown = str(notebook)
    assert "Labeled Faces in the Wild" not in shown.partition("## The runs")[0]
    (gains,) = (cell for cell in notebook.cells if cell.id == "contrast")
    row = analysis.load("../records").table(1, "synthetic").rows[1]
    expected = (row.gap, row.gap_interval.low, row.gap_interval.high)
    line = next(x for x in gains.outputs[0].data["text/plain"].splitlines() if "v1-trsf-relu" in x)
    assert [float(x) for x in line.split()[1:]] == pytest.approx([100 * x for x in expected], abs=0.051)


def test_an_unknown_track_is_named():
    with pytest.raises(ConfigError, match="There is no track 'faces': it is one of"):
        analysis.Analysis([]).tables(1, "faces")


@pytest.mark.parametrize(
    "name", [*(f"table{n}" for n in range(1, 7)), "curves", "scales", "slopes", "starts"]
)
def test_a_page_runs_without_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"results": str(tmp_path), "runs": str(tmp_path), "track": ""}
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", []):
            exec(compile(cell.source, f"{name}.ipynb, {cell.id}", "exec"), names)
