"""The questions on long training are answered by the rules, from runs whose ends are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.report.fakes import add_branches, fake_run
from trsfnet.analysis import load
from trsfnet.analysis.length import BOTH, LONG, LONG_USUAL_DECAY, SLOPES, answers, courses, long_runs
from trsfnet.analysis.run import Run
from trsfnet.experiments.budgets import budget_settings

START = {"scale": 0.1, "kernel": 7.0, "ratio": 0.07, "ratio_geometric": 0.05, "ratio_median": 0.06}


def row(study, variant, seed, scale, ratio):
    """A run whose ratios end at `ratio` times those at the start."""
    ends = {name: value * ratio * (1 + 0.01 * seed) for name, value in START.items()} | {"scale": scale}
    starts = {f"{name}_start": value for name, value in START.items()}
    return {"study": study, "variant": variant, "seed": seed, **starts, **ends}


def answered(rows):
    return {answer.question: answer for answer in answers(pd.DataFrame(rows))}


def test_each_question_is_answered_in_its_direction():
    rows = [row(LONG, BOTH, seed, 0.9 + 0.01 * seed, 1.5) for seed in range(3)]
    rows += [row(LONG_USUAL_DECAY, BOTH, seed, 0.4 + 0.01 * seed, 2.0) for seed in range(3)]
    rows += [row(LONG, SLOPES, seed, np.nan, 3.0) for seed in range(3)]
    found = answered(rows)
    assert {name: answer.decided for name, answer in found.items()} == {
        "outgrow": True,
        "decay": True,
        "shrink": True,
        "constants": False,
    }
    assert found["decay"].effects["scale"].value == pytest.approx(
        np.exp(np.mean(np.log([90 / 40, 91 / 41, 92 / 42])))
    )
    assert found["outgrow"].effects["over_ratio"].value == pytest.approx(9.1 / 1.515, rel=1e-3)
    assert found["shrink"].effects["ratio_median"].value == pytest.approx(1.5 / 2.0)


def test_one_seed_answers_nothing():
    found = answered([row(LONG, BOTH, 50, 0.9, 1.5), row(LONG_USUAL_DECAY, BOTH, 50, 0.4, 2.0)])
    assert [(a.decided, a.effects) for a in found.values()] == [(None, {})] * 4
    assert [a.seeds for a in found.values()] == [1, 1, 1, 0]


def test_averages_that_disagree_answer_nothing():
    rows = [row(LONG, BOTH, seed, 0.9, 1.5) for seed in range(3)]
    rows += [row(LONG_USUAL_DECAY, BOTH, seed, 0.9, 2.0) for seed in range(3)]
    for one in rows[:3]:
        one["ratio_median"] *= 2
    assert answered(rows)["shrink"].decided is None


def test_a_run_repeated_in_another_precision_counts_once(tmp_path):
    settings = budget_settings("long", "synthetic")
    first, second = (
        fake_run(tmp_path / str(tar), "v1-trsf-prelu", seed=50, tar=tar, info={"started": day}, **settings)
        for tar, day in ((0.5, "2026-01-01"), (0.7, "2026-01-02"))
    )
    second.write_info(config=second.config | {"precision": "bfloat16"})
    runs = [Run(add_branches(record)) for record in (second, first)]
    assert long_runs(runs)["tar"].tolist() == [Run(second).metrics["all_pairs_tar@1e-3"]], "started last"
    assert [len(tables) for tables in courses(runs).values()] == [1]


def test_a_branch_that_adds_nothing_leaves_its_pair_out():
    rows = [row(LONG, BOTH, seed, 0.9, 1.5) for seed in range(4)]
    rows += [row(LONG_USUAL_DECAY, BOTH, seed, 0.4, 2.0) for seed in range(4)]
    rows[0]["ratio_geometric"] = 0.0
    found = answered(rows)["shrink"]
    assert (found.decided, found.seeds) == (True, 3)
    assert all(np.isfinite([e.low, e.high]).all() for e in found.effects.values())


def test_baselines_have_no_scale(tmp_path):
    baseline = fake_run(tmp_path, "v1-relu", seed=50, **budget_settings("long", "synthetic"))
    runs = [Run(add_branches(baseline, 0.2))]
    (found,) = long_runs(runs).to_dict("records")
    assert (found["variant"], found["ratio_geometric"]) == ("v1-relu", pytest.approx(0.2))
    assert np.isnan([found["scale"], found["negative_slopes"]]).all()
    assert courses(runs) == {}


@pytest.mark.parametrize("budget", ["long", "long-usual-decay", "mechanism"])
def test_a_record_without_branches_is_reported_instead(tmp_path, budget):
    settings = budget_settings(budget, "synthetic")
    fake_run(tmp_path, "v1-prelu", seed=50 if budget != "mechanism" else 100, **settings)
    found = load(tmp_path)
    assert not found.runs
    (problem,) = found.problems
    assert problem.endswith("kernel and ratio in parameters.parquet.")
