"""Five verdicts, recomputed with pandas and SciPy alone, are those of the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from trsfnet import analysis

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def recomputed():
    """The names that the notebook defines."""
    notebook = json.loads((ROOT / "notebooks" / "recompute.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    exec("\n".join(cells), names)
    return names


def test_the_notebook_and_the_report_agree(recomputed):
    shown = {("lfw", "short"), ("synthetic", "full")}
    campaigns = [c for c in analysis.load(ROOT / "results").campaigns if (c.track, c.budget) in shown]
    ours = {c.track: c.verdicts for c in campaigns}
    assert len(recomputed["verdicts"]) == 5
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


def test_the_effects_of_weight_decay_agree(recomputed):
    answers = {answer.question: answer for answer in analysis.load(ROOT / "results").answers}
    expected = answers["growth"].effects | answers["branches"].effects
    assert set(recomputed["decay"].index) == set(expected)
    for name, row in recomputed["decay"].iterrows():
        found = [expected[name].value, expected[name].low, expected[name].high]
        assert row.tolist() == pytest.approx(found, rel=1e-4), name
    assert recomputed["decay"].loc["scale", "low"] > 1
    assert (recomputed["decay"].drop("scale")["high"] < 1).all()
