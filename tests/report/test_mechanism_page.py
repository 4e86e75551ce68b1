"""The page on the mechanism states what the study's runs measured, and what they leave unknown."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tests.analysis.test_mechanism import table
from tests.analysis.test_mechanism_claims import frame
from trsfnet.analysis import Analysis
from trsfnet.analysis.mechanism_claims import share_kept
from trsfnet.report import branch_size, mechanism, mechanism_claims
from trsfnet.training.rescaling import FACTORS


def page(function, runs):
    return str(function(SimpleNamespace(mechanism=runs))).replace("\u00a0", " ")


def with_loss(runs, best, decay=0.04):
    """The same runs, of which those at one weight decay have the lowest loss at the factor `best`."""
    there = runs["weight_decay"] == decay
    for factor in FACTORS:
        runs.loc[there, f"loss_{factor:g}"] = 0.4 + 0.1 * np.log(factor / best) ** 2
    runs.loc[there, "best_factor"] = best
    return runs


def test_the_best_size_of_the_branches_is_named_and_costed():
    runs = with_loss(table(), 1.41)
    usual, raised = branch_size.size_finding(runs).split(" With ")
    count = int((runs["trsf"] & (runs["weight_decay"] == 0.04)).sum())
    assert usual.endswith(f"in {count} of {count} runs, and on average (0.400 nats).")
    assert raised.startswith(
        "weight decay 0.04, the learned size of the branches has the lowest held-out loss"
    )
    assert f"in 0 of {count} runs; on average, 1.41 times this size has the lowest." in raised
    cost = 0.1 * np.log(1.41) ** 2
    assert raised.endswith(f"too small, which costs {cost:.4f} of {0.4 + cost:.3f} nats.")
    assert "too large" in branch_size.size_finding(with_loss(table(), 0.71))
    assert branch_size.size_finding(pd.DataFrame()) == ""


def test_the_curve_is_relative_to_the_learned_size():
    shown = branch_size.size_figure(SimpleNamespace(mechanism=with_loss(table(), 1.41)))
    drawn = [line.rsplit(",", 2) for line in shown.numbers.splitlines() if "decay 0.04" in line]
    means = {float(x): float(y) for name, x, y in drawn if name.endswith("mean over runs")}
    assert list(means) == list(FACTORS)
    assert min(means, key=means.get) == 1.41
    assert means[1.0] == 0
    assert branch_size.size_finding(with_loss(table(), 1.41)) in shown.caption
    assert "No run" in str(branch_size.size_figure(Analysis([])))


def test_what_frozen_constants_keep_is_said_or_said_to_be_unknown():
    runs = frame(gain=0.1, kept=0.08)
    known = page(mechanism_claims.frozen, runs)
    for decay in (0.0005, 0.04):
        share = 100 * share_kept(runs, decay).value
        assert f"At weight decay {decay:g}, frozen constants keep {share:.1f} % (" in known
    unknown = page(mechanism_claims.frozen, frame())
    assert "At weight decay 0.04, the share of TRSF's gain that frozen constants keep is unknown" in unknown


def test_zeros_before_the_average_pool_are_counted():
    runs = frame().assign(zeros=0.0)
    assert "no value before the average pool is 0" in page(mechanism_claims.diagnostics, runs)
    some = page(mechanism_claims.diagnostics, runs.assign(zeros=0.25))
    assert "Of the values before the average pool, 25.0 % are 0" in some
    assert "average pool" not in page(mechanism_claims.diagnostics, runs.assign(zeros=np.nan))


def test_the_ladder_has_all_three_averages():
    runs = table(noise=0).assign(ratio=0.4, ratio_geometric=0.2, ratio_median=0.3, kernel=1.0)
    assert "| 0.4 | 0.2 | 0.3 |" in page(mechanism.ladder_table, runs)
