"""The questions on long training are answered by the rules, from runs whose ends are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trsfnet.analysis.length import BOTH, LONG, LONG_USUAL_DECAY, SLOPES, answers

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
    assert found["outgrow"].effects["ratio"].value == pytest.approx(9.1 / 1.515, rel=1e-3)
    assert found["shrink"].effects["ratio_median"].value == pytest.approx(1.5 / 2.0)


def test_one_seed_answers_nothing():
    found = answered([row(LONG, BOTH, 50, 0.9, 1.5), row(LONG_USUAL_DECAY, BOTH, 50, 0.4, 2.0)])
    assert [(a.decided, a.effects) for a in found.values()] == [(None, {})] * 4


def test_averages_that_disagree_answer_nothing():
    rows = [row(LONG, BOTH, seed, 0.9, 1.5) for seed in range(3)]
    rows += [row(LONG_USUAL_DECAY, BOTH, seed, 0.9, 2.0) for seed in range(3)]
    for one in rows[:3]:
        one["ratio_median"] *= 2
    assert answered(rows)["shrink"].decided is None
