"""Stability is graded by the held-out loss where runs have one, and by collapses elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import Analysis
from trsfnet.analysis.held_out import PairedLosses, held_out_course
from trsfnet.analysis.judging import judge
from trsfnet.analysis.rules.fewer_collapses import FewerCollapses
from trsfnet.analysis.run import Run
from trsfnet.experiments.budgets import budget_settings
from trsfnet.experiments.record import read_record

COLLAPSE = budget_settings("collapse", "synthetic")
CHANCE = math.log(40)  # the records of these tests have 40 identities
RULE = FewerCollapses(("v1-trsf-relu",), ("v1-relu",))


def run_with(root, losses, variant="v1-relu", *, seed=10, rate=0.1, status="done"):
    """A run of the study with these held-out losses, as shares of chance level."""
    found = fake_run(root, variant, seed=seed, status=status, learning_rate=rate, **COLLAPSE)
    rows = found.history().to_dict("records")[: len(losses)]
    found.write_history([row | {"held_out_loss": x * CHANCE} for row, x in zip(rows, losses, strict=True)])
    return read_record(found.path)


def verdict(records, *further):
    """The verdict on `RULE`, judged together with `further` rules on the same runs."""
    (campaign,) = Analysis(records).campaigns
    rules = {"a": RULE} | {f"further {number}": rule for number, rule in enumerate(further)}
    return judge(rules, campaign)["a"]


def test_a_failed_network_counts_as_chance_for_the_epochs_it_lacks(tmp_path):
    lost = run_with(tmp_path, [0.9, 40.0, math.nan], status="collapsed")
    assert held_out_course(Run(lost)) == pytest.approx([0.9, *[1.0] * 7])
    usual = fake_run(tmp_path, "v1-relu")
    assert held_out_course(Run(usual)) is None


def test_runs_that_all_survive_a_threshold_are_told_apart(tmp_path):
    """No run collapses, yet those with trained scales always learn more, at the end and on the way."""
    records = []
    for number in range(6):
        end = 0.8 - 0.01 * number
        records.append(run_with(tmp_path, np.linspace(1.0, end, 8), seed=10 + number))
        better = np.linspace(0.95, end - 0.1 - 0.001 * number, 8)
        records.append(run_with(tmp_path, better, "v1-trsf-relu", seed=10 + number))
    found = verdict(records)
    assert found.outcome == "supported"
    assert [each.name.split(",")[0] for each in found.measured] == [
        "held-out loss at the end",
        "held-out loss over training",
    ]
    end, area = found.measured
    assert end.estimate == pytest.approx(-0.1025)
    assert end.low < end.estimate < end.high < 0
    assert area.estimate == pytest.approx(-0.07625)
    assert (end.seeds, end.paired) == (6, True)
    assert found.note == "Judged by how far training gets; 0 of 12 runs collapsed."
    assert ", judged by the held-out loss over training, lower is better, 6 pairs" in RULE.summary(
        found.measured
    )
    # Both outcomes must show the difference, so each needs more than 80 % power.
    ends = PairedLosses(tuple(-0.1 - 0.001 * number for number in range(6)))
    assert end.minimum_detectable == pytest.approx(ends.minimum_detectable(0.05, 0.8**0.5), rel=1e-4)


def test_outcomes_that_disagree_decide_nothing(tmp_path):
    """The trained scales are behind over training and ahead at the end."""
    records = []
    for number in range(6):
        records.append(run_with(tmp_path, [0.5] * 7 + [0.4 + 0.001 * number], seed=10 + number))
        records.append(run_with(tmp_path, [0.9] * 7 + [0.3], "v1-trsf-relu", seed=10 + number))
    assert verdict(records).outcome == "inconclusive"


def test_outcomes_that_are_opposite_in_every_pair_are_not_called_alike(tmp_path):
    records = []
    for seed in range(10, 16):
        records.append(run_with(tmp_path, [0.5] * 8, seed=seed))
        records.append(run_with(tmp_path, [0.8] * 7 + [0.4], "v1-trsf-relu", seed=seed))
    found = verdict(records)
    assert (found.outcome, found.p_value) == ("inconclusive", 1)
    assert "alike" not in found.reason


def test_equal_runs_decide_nothing(tmp_path):
    records = [
        run_with(tmp_path, [0.5] * 8, v, seed=10 + s) for s in range(6) for v in ("v1-relu", "v1-trsf-relu")
    ]
    found = verdict(records)
    assert found.outcome == "inconclusive"
    assert found.reason == "All runs that differ in the variant alone ended alike."


def test_learning_rates_do_not_replace_seeds(tmp_path):
    """Six pairs from two seeds could be significant, but two seeds are too few."""
    records = []
    for rate in (0.07, 0.1, 0.15):
        for seed in (10, 11):
            records.append(run_with(tmp_path, [0.9] * 8, seed=seed, rate=rate))
            records.append(run_with(tmp_path, [0.5 + rate] * 8, "v1-trsf-relu", seed=seed, rate=rate))
    found = verdict(records)
    assert (found.outcome, found.tested) == ("inconclusive", False)
    assert found.reason == "The pairs of runs have 2 seeds; 3 are needed."


def test_pairs_without_a_difference_reveal_nothing(tmp_path):
    """Six of nine pairs differ at the end, which can be significant alone, but not next to another claim."""
    records = []
    for number in range(9):
        end = 0.5 + 0.01 * number if number < 6 else 1.0
        records.append(run_with(tmp_path, [1.0] * 8, seed=10 + number))
        records.append(run_with(tmp_path, [end - 0.01] * 7 + [end], "v1-trsf-relu", seed=10 + number))
    alone = verdict(records)
    assert (alone.outcome, alone.p_value) == ("supported", pytest.approx(2 / 2**6))
    assert all(each.minimum_detectable < 1 for each in alone.measured)
    together = verdict(records, FewerCollapses(("v1-relu",), ("v1-trsf-relu",)))
    assert (together.outcome, together.p_holm) == ("inconclusive", pytest.approx(4 / 2**6))
    assert [each.minimum_detectable for each in together.measured] == [1, 1]
    assert "too few pairs to detect any effect" in RULE.summary(together.measured)


def test_no_difference_is_found_in_noise_more_often_than_stated():
    rng = np.random.default_rng(0)
    trials = [PairedLosses(tuple(rng.standard_t(3, 15))) for _ in range(400)]
    assert 4 <= sum(min(t.p_less, t.p_more) < 0.025 for t in trials) <= 32
