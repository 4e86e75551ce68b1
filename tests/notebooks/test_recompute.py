"""Five verdicts, recomputed with pandas and SciPy alone, are those of the report."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest

from trsfnet import analysis

ROOT = Path(__file__).parents[2]


def cells() -> list[str]:
    """The notebook's cells of code."""
    notebook = json.loads((ROOT / "notebooks" / "recompute.ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


@pytest.fixture(scope="module")
def recomputed():
    """The names that the notebook defines."""
    names: dict[str, object] = {}
    exec("\n".join(cells()), names)
    return names


def test_only_the_last_cell_uses_more_than_pandas_and_scipy():
    *recomputing, comparing = cells()
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse("\n".join(recomputing)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
    }
    assert imported == {"math", "pathlib", "pandas", "scipy"}
    assert "from trsfnet import analysis" in comparing


def test_the_notebook_and_the_report_agree(recomputed):
    shown = {("lfw", "short"), ("synthetic", "full")}
    campaigns = [c for c in analysis.load(ROOT / "results").campaigns if (c.track, c.budget) in shown]
    ours = {c.track: c.verdicts for c in campaigns}
    assert len(recomputed["verdicts"]) == 5
    assert ("synthetic", "branches-matter-more") in recomputed["verdicts"].index
    for (track, claim), row in recomputed["verdicts"].iterrows():
        verdict = ours[track][claim]
        assert row["verdict"] == verdict.outcome
        # runs.csv has six digits.
        assert row["p"] == pytest.approx(verdict.p_value, rel=1e-3), claim
        table = recomputed["table"]
        rows = [key[:2] == (track, claim) for key in table.index]
        comparisons = table.loc[rows, ["estimate", "low", "high"]]
        expected = [[found.estimate, found.low, found.high] for found in verdict.measured]
        assert comparisons.to_numpy() == pytest.approx(np.array(expected), abs=1e-5), claim


def test_the_page_shows_the_reports_numbers_beside_its_own(recomputed):
    beside = recomputed["beside"]
    assert len(beside) == len(recomputed["table"])
    assert beside["report_estimate"].tolist() == pytest.approx(beside["estimate"].tolist(), abs=1e-5)
    assert beside["report_verdict"].tolist() == beside["verdict"].tolist()


def test_the_effects_of_weight_decay_agree(recomputed):
    answers = {answer.question: answer for answer in analysis.load(ROOT / "results").answers}
    expected = answers["growth"].effects | answers["branches"].effects
    assert set(recomputed["decay"].index) == set(expected)
    for name, row in recomputed["decay"].iterrows():
        found = [expected[name].value, expected[name].low, expected[name].high]
        assert row.tolist() == pytest.approx(found, rel=1e-4), name
    assert recomputed["decay"].loc["scale", "low"] > 1
    assert (recomputed["decay"].drop("scale")["high"] < 1).all()
