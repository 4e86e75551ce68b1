"""The study on weight decay and scales: its rules decide what they say they decide."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.report.fakes import add_branches, fake_run
from trsfnet.analysis import load
from trsfnet.analysis.mechanism import (
    answers,
    branches_over_constants,
    change,
    ladder,
    mechanism_runs,
    spread_ratios,
)
from trsfnet.experiments.budgets import budget_settings
from trsfnet.experiments.mechanism import mechanism_configs
from trsfnet.training.rescaling import FACTORS

SEEDS = (100, 101, 102)


def table(seeds=SEEDS, *, growth=5.0, shrink=0.2, noise=0.02, gauge=8.0):
    """Runs of the whole study, as if decay multiplied scales by `growth` and ratios by `shrink`."""
    rng = np.random.default_rng(1)
    rows = []
    for config in mechanism_configs(seeds=seeds):
        high = config.weight_decay == 0.04
        settings = config.recorded
        scale = (settings["scale_init"] or 0.1) * (growth if high else 1) if config.trsf else np.nan
        if config.projection_gain != 1:
            scale = 0.1 * gauge
        row = {
            name: settings[name]
            for name in (
                *("trsf", "activation", "scale_init", "projection_gain", "slope_floor", "weight_decay"),
                *("decayed", "seed"),
            )
        }
        if config.trsf:
            row["scale_init"] = settings["scale_init"] or 0.1
        wobble = np.exp(rng.normal(scale=noise, size=4))
        ratio = 0.1 * (shrink if high else 1)
        row |= {
            "fixed_scales": bool(config.fixed_scales),
            "decay_budget": 310.5 * config.weight_decay,
            "scale": scale * wobble[0],
        }
        row |= {"ratio": ratio * wobble[1], "ratio_geometric": ratio * wobble[2]}
        row |= {"ratio_median": ratio * wobble[3], "tar": 0.8 + 0.1 * config.trsf + rng.normal(scale=0.001)}
        row["best_factor"] = 1.0 if config.trsf else np.nan
        row |= {f"loss_{factor:g}": 0.4 + 0.1 * np.log(factor) ** 2 for factor in FACTORS}
        row["negative_slopes"] = 0.02
        rows.append(row)
    frame = pd.DataFrame(rows)
    return frame.astype({"scale_init": float, "slope_floor": float})


def decided(frame):
    return {answer.question: answer.decided for answer in answers(frame)}


def test_clear_effects_are_decided():
    assert decided(table()) == {
        "growth": True,
        "branches": True,
        "gauge": True,
        "contraction": None,  # the spread stays what it was
        "optimum": True,
        "training": True,
    }


def test_opposite_effects_are_decided_against():
    found = decided(table(growth=0.5, shrink=3.0))
    assert (found["growth"], found["branches"]) == (False, False)


def test_noise_decides_nothing():
    found = decided(table(growth=1.0, shrink=1.0, noise=0.3, gauge=1.0))
    assert (found["growth"], found["branches"], found["gauge"]) == (None, None, None)


def test_three_means_that_disagree_decide_nothing():
    frame = table()
    frame["ratio_median"] = 1 / frame["ratio"]
    assert decided(frame)["branches"] is None


def test_one_seed_decides_nothing_about_differences():
    found = decided(table(seeds=(100,)))
    assert all(found[name] is None for name in ("growth", "branches", "gauge", "training"))


def test_the_rungs_are_those_of_the_rule():
    """The largest weight decay that has runs does not stand in for the one in the rule."""
    frame = table()
    partly = answers(frame[frame["weight_decay"] < 0.04])
    found = {answer.question: answer for answer in partly}
    assert (found["growth"].effects, found["growth"].decided, found["growth"].seeds) == ({}, None, 0)
    assert found["gauge"].decided is None
    assert set(found["gauge"].effects) == {"weight decay 0.0005"}
    assert {found[name].seeds for name in ("gauge", "contraction", "optimum", "training")} == {3}


def test_one_seed_is_counted_but_has_no_effect():
    found = {answer.question: answer for answer in answers(table(seeds=(100,)))}
    questions = ("growth", "branches", "gauge", "contraction", "training")
    assert [(found[name].effects, found[name].seeds) for name in questions] == [({}, 1)] * 5


def test_a_branch_that_adds_nothing_leaves_its_pair_out():
    frame = table()
    frame.loc[frame["seed"] == 100, "ratio_geometric"] = 0.0
    found = {answer.question: answer for answer in answers(frame)}["branches"]
    assert (found.decided, found.seeds) == (None, 2), "two seeds are too few"
    frame = pd.concat([frame, frame[frame["seed"] == 102].assign(seed=103)])
    found = {answer.question: answer for answer in answers(frame)}["branches"]
    assert (found.decided, found.seeds) == (True, 3)
    assert all(np.isfinite([e.low, e.high]).all() for e in found.effects.values())


def test_a_change_is_paired_by_seed():
    rungs = ladder(table(noise=0))
    found = change(rungs, "scale")
    assert found.seeds == 3
    assert found.effect.value == pytest.approx(5)
    shifted = rungs.assign(tar=rungs["tar"] + 0.1 * (rungs["seed"] - 100))
    spread = change(shifted, "tar").effect
    assert spread.high - spread.low < 0.02, "what a seed adds to both sides cancels"


def test_records_become_rows(tmp_path):
    settings = budget_settings("mechanism", "synthetic") | {"weight_decay": 0.04}
    record, again = (mechanism_run(tmp_path / name, settings) for name in ("first", "again"))
    # At the start and at the end of each of two layers; losses by factor on all scales.
    measured = {
        "dead": {"a": (0.0, 0.2), "b": (0.0, 0.4)},
        "cosine": {"a": (-0.1, -0.3), "b": (-0.2, -0.3)},
        "rank": {"a": (10.0, 5.0), "b": (8.0, 8.0)},
        "rescaled_loss": {"0.84": (9.0, 3.0), "1.0": (9.0, 2.0), "1.19": (9.0, 1.0)},
        "zeros": {"features": (0.5, 0.25)},
    }
    ends = (0, record.config["epochs"])
    rows = [
        {"epoch": epoch, "kind": kind, "name": name, "channel": 0, "value": value}
        for kind, values in measured.items()
        for name, pair in values.items()
        for epoch, value in zip(ends, pair, strict=True)
    ]
    for each in (record, again):
        each.write_parameters(each.parameters().to_dict("records") + rows)
    again.write_info(config=again.config | {"precision": "bfloat16"}, started="2028-01-01")
    found = load(tmp_path / "first", tmp_path / "again").mechanism
    (row,) = found.to_dict("records")
    table = record.parameters()
    end = table[(table["epoch"] == table["epoch"].max()) & (table["kind"] == "trsf")]["value"]
    assert row["scale"] == pytest.approx(end.abs().mean())
    assert row["tar"] == 0.5
    assert row["seed"] == 100
    assert row["best_factor"] == 1.19
    ends = {"dead": 0.3, "zeros": 0.25, "cosine": -0.15, "rank": 0.75, "loss_0.84": 3.0, "loss_1.19": 1.0}
    for name, value in ends.items():
        assert row[name] == pytest.approx(value), name


def test_variations_of_what_the_study_keeps_are_left_out(tmp_path):
    settings = budget_settings("mechanism", "synthetic") | {"weight_decay": 0.04}
    mechanism_run(tmp_path, settings)
    varied = add_branches(fake_run(tmp_path, "v1-trsf-prelu", seed=100, **settings, slope_init=0.25))
    varied.write_info(metrics=varied.metrics | {"all_pairs_tar@1e-2": 0.5, "all_pairs_tar@1e-3": 0.2})
    found = load(tmp_path)
    assert {run.budget for run in found.runs if run.config["slope_init"] == 0.25} == {"mechanism"}
    assert len(found.mechanism) == 1
    assert found.answers


def test_a_branch_that_adds_nothing_leaves_its_seed_out_of_the_spread():
    runs = table()
    one = (runs["scale_init"] == 0.03) & (runs["weight_decay"] == 0.04) & (runs["seed"] == 100)
    runs.loc[one, "ratio_geometric"] = 0.0
    assert list(spread_ratios(runs, 0.04, "ratio_geometric").index) == [101, 102]


def mechanism_run(root, settings):
    """A run of the study with TRSF and PReLU, beside one that is not of the study."""
    record = fake_run(root, "v1-trsf-prelu", seed=100, **settings)
    record.write_info(metrics=record.metrics | {"all_pairs_tar@1e-2": 0.5, "all_pairs_tar@1e-3": 0.2})
    fake_run(root, "v1-trsf-prelu")
    return add_branches(record)


def test_the_frame_of_no_run_is_empty():
    assert mechanism_runs([]).empty
    assert answers(mechanism_runs([])) == []


def test_branches_are_compared_at_the_same_decay():
    frame = table(noise=0)
    baseline = ~frame["trsf"] & (frame["activation"] == "relu") & (frame["weight_decay"] == 0.04)
    frame.loc[baseline, "ratio"] /= 8
    found = branches_over_constants(frame)
    assert found["0.0005", "relu"]["ratio"][0].value == pytest.approx(1)
    assert found["0.04", "relu"]["ratio"][0].value == pytest.approx(8)
    assert found["0.04", "relu"]["ratio"][1] == 3
    assert found["0.04", "prelu"]["ratio"][0].value == pytest.approx(1)
