"""The study's runs decide the paper's claims on mechanisms as its rules say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.analysis.test_mechanism import table
from trsfnet.analysis import benchmarks
from trsfnet.analysis.judging import judge
from trsfnet.analysis.mechanism_claims import gains
from trsfnet.analysis.rules import paper_rules
from trsfnet.evaluation.statistics import fieller


def frame(*, seeds=(100, 101, 102), **columns):
    """The study's runs, all alike but for what `columns` say of the activations or starts."""
    runs = table(seeds, noise=0)
    rng = np.random.default_rng(2)
    runs["dead"] = runs["activation"].map(columns.get("dead", {})).fillna(0.0)
    runs["cosine"], runs["rank"] = -0.1, 0.9
    free = runs["slope_floor"].isna()
    runs.loc[free, "cosine"] += columns.get("cosine", 0.0)
    runs.loc[free, "rank"] += columns.get("rank", 0.0)
    runs["tar"] = (
        0.8 + columns.get("gain", 0.0) * runs["trsf"] + columns.get("kept", 0.0) * runs["fixed_scales"]
    )
    for name in ("dead", "cosine", "rank", "tar"):
        runs[name] += rng.normal(scale=1e-3, size=len(runs))
    if "forgotten" in columns:
        start = np.log(runs["scale_init"].astype(float) / 0.1)
        noise = rng.normal(scale=0.01, size=len(runs))
        runs["scale"] = 0.3 * np.exp(start * (1 - columns["forgotten"]) + noise)
    return runs


def verdict(claim, runs):
    campaign = SimpleNamespace(mechanism=runs, regime=None)
    return judge({claim: paper_rules()[claim]}, campaign)[claim]


@pytest.mark.parametrize(
    ("claim", "columns", "outcome"),
    [
        ("dead-neurons", {"dead": {"relu": 0.2, "leaky_relu": 0.05}}, "supported"),
        ("dead-neurons", {"dead": {"relu": 0.2, "prelu": 0.2}}, "contradicted"),
        ("redundant-kernels", {"cosine": 0.05, "rank": 0.05}, "supported"),
        ("redundant-kernels", {"cosine": 0.05, "rank": -0.05}, "contradicted"),
        ("redundant-kernels", {}, "inconclusive"),
        ("optimal-scales", {"forgotten": 0.9}, "supported"),
        ("optimal-scales", {"forgotten": 0.2}, "contradicted"),
        ("main-reason", {"gain": 0.1, "kept": 0.09}, "supported"),
        ("main-reason", {"gain": 0.1, "kept": 0.01}, "contradicted"),
        ("main-reason", {"gain": 0.0, "kept": 0.05}, "inconclusive"),
    ],
)
def test_clear_effects_decide(claim, columns, outcome):
    assert verdict(claim, frame(**columns)).outcome == outcome


def test_missing_runs_are_said_and_decide_nothing_for_a_claim():
    runs = frame(dead={"relu": 0.2})
    found = verdict("dead-neurons", runs[runs["activation"] != "leaky_relu"])
    assert found.outcome == "inconclusive"
    assert found.reason.startswith("2 of 4 comparisons cannot be made")
    assert verdict("main-reason", runs[runs["trsf"]]).outcome == "not run"
    assert verdict("dead-neurons", runs[:0]).outcome == "not run"


def test_a_note_leaves_out_what_no_run_has_measured():
    runs = frame(forgotten=0.9)
    assert "spread of the residual ratios" in verdict("optimal-scales", runs).note
    partial = runs[(runs["scale_init"] != 0.03) | (runs["weight_decay"] != 0.04)]
    note = verdict("optimal-scales", partial).note
    assert note.endswith("at the raised one.")
    assert "nan" not in note


@pytest.mark.parametrize(("share", "said"), [(0.02, True), (0.6, False)])
def test_few_negative_slopes_explain_little_redundancy(share, said):
    note = verdict("redundant-kernels", frame().assign(negative_slopes=share)).note
    assert ("Clamping so few of them" in note) is said


def test_two_seeds_are_too_few():
    found = verdict("redundant-kernels", frame(seeds=(100, 101), cosine=0.05, rank=0.05))
    assert found.outcome == "inconclusive"
    assert "2 finished seeds; 3 are needed" in found.reason


def test_what_frozen_constants_keep_has_fiellers_interval():
    kept = gains(frame(gain=0.1, kept=0.08), 0.04)
    share = fieller(kept["frozen"].tolist(), kept["trained"].tolist())
    assert share.value == pytest.approx(0.8, abs=0.03)
    assert share.low < share.value < share.high
    assert fieller([0.1, 0.2, 0.15], [0.1, -0.1, 0.02]) is None, "the gain may be 0"
    found = verdict("main-reason", frame(gain=0.1, kept=0.08))
    assert "frozen constants keep 8" in found.note


def test_fieller_covers_the_true_ratio():
    rng = np.random.default_rng(0)
    draws = rng.normal([0.5, 1.0], 0.15, (2000, 4, 2))
    found = [fieller(*draw.T.tolist()) for draw in draws]
    hit = np.mean([share is None or share.low <= 0.5 <= share.high for share in found])
    assert 0.93 < hit < 0.97


BELOW, ABOVE, AROUND = (1.01, 1.02, 1.03), (1.1, 1.17, 1.2), (1.04, 1.06, 1.08)


@pytest.mark.parametrize(
    ("ours", "plain", "outcome", "says"),
    [
        (BELOW, BELOW, "supported", ""),
        (ABOVE, ABOVE, "contradicted", ""),
        (BELOW, ABOVE, "inconclusive", "The bound holds with our layers, but not with PyTorch's layers."),
        (ABOVE, BELOW, "inconclusive", "The bound holds with PyTorch's layers, but not with our layers."),
        (BELOW, AROUND, "inconclusive", "Rounds lie on both sides of the bound."),
        (AROUND, ABOVE, "inconclusive", "Rounds lie on both sides of the bound."),
    ],
)
def test_cost_must_hold_with_both_kinds_of_layers(monkeypatch, ours, plain, outcome, says):
    ratios = {
        name: dict(zip(("min", "median", "max"), found, strict=True))
        for name, found in (("ours", ours), ("plain", plain))
    }
    rule = paper_rules()["cost"]
    cases = [{"title": title, "trainability": ratios} for title in rule.cases]
    result = {"rounds": 7, "machine": {"cpu": "a CPU"}, "cases": cases}
    monkeypatch.setattr("trsfnet.analysis.rules.cost.measured", lambda _: result)
    found = verdict("cost", frame())
    assert found.outcome == outcome
    assert found.reason.endswith(f"7 rounds on a CPU. {says}".rstrip())
    assert len(found.measured) == len(rule.cases) * len(ratios)
    del ratios["plain"]
    assert verdict("cost", frame()).outcome == "not run"


def test_cost_needs_the_benchmark(monkeypatch):
    monkeypatch.setattr("trsfnet.analysis.rules.cost.measured", lambda _: None)
    assert verdict("cost", frame()).outcome == "not run"


def test_the_benchmark_has_the_cases_of_the_rule():
    result = benchmarks.measured("step")
    assert {case["title"] for case in result["cases"]} >= set(paper_rules()["cost"].cases)
