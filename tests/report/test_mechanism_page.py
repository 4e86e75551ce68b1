"""The page on the mechanism states what the study's runs measured, and what they leave unknown."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.analysis.test_mechanism import table
from tests.analysis.test_mechanism_claims import frame
from trsfnet.analysis import Analysis, length
from trsfnet.analysis.length import BOTH, LONG, LONG_USUAL_DECAY
from trsfnet.analysis.mechanism import RATIOS, answers
from trsfnet.analysis.mechanism_claims import share_kept
from trsfnet.paper.numbers import paper_table
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


@pytest.mark.parametrize(
    ("best", "says"),
    [
        (
            1.19,
            "With weight decay 0.04, the branches end slightly too small: their learned size is the best",
        ),
        (0.71, "With weight decay 0.04, the branches end too large: their learned size is the best"),
        (1.0, ""),
    ],
)
def test_a_bias_of_the_size_is_named_where_there_is_one(best, says):
    said = branch_size.size_bias(with_loss(table(), best))
    assert said.startswith(says) if says else not said


def study(runs, long=None, usual_decay=None):
    """What the page reads of an analysis: the study's runs and long ones that end with these mean scales."""
    rows = [
        {"study": name, "variant": BOTH, "seed": seed, "travel": 2480.0, "scale": scale, "scale_start": 0.1}
        | {f"{ratio}{when}": 0.1 for ratio in RATIOS for when in ("", "_start")}
        for name, scales in ((LONG, long), (LONG_USUAL_DECAY, usual_decay))
        for seed, scale in enumerate(scales or ())
    ]
    runs, after = runs.assign(travel=155.0), pd.DataFrame(rows)
    return SimpleNamespace(
        mechanism=runs, answers=answers(runs), length=after, length_answers=length.answers(after)
    )


def test_the_verdict_says_whether_decay_alone_reaches_the_papers_scales():
    text = str(mechanism.verdict(study(table(noise=0))))
    assert text.startswith("**In these short runs, weight decay alone does not make the scales")
    assert "from 0.10 to 0.50 (the paper's means for v1: 0.95 to 1.03), and the branches shrink" in text
    assert "travel" not in text, "no long run has ended"
    large = str(mechanism.verdict(study(table(noise=0, growth=12.0, shrink=1.0))))
    assert large.startswith("**In these short runs, weight decay alone makes the scales as large")
    assert "whether the branches shrink is undecided" in large
    assert "No run of this study" in str(mechanism.verdict(study(table()[:0])))


@pytest.mark.parametrize(
    ("usual", "says"),
    [
        ([], "is open until `long-usual-decay` has ended."),
        ([0.6, 0.61, 0.62], "Weight decay contributes to this: at this length, scales end 1.97 ("),
        ([1.8, 1.81, 1.79], "Weight decay does not explain this: at this length"),
        ([0.5, 1.2, 2.5], "Whether weight decay contributes to this is undecided: at this length"),
    ],
)
def test_the_verdict_says_what_the_long_runs_add(usual, says):
    text = str(mechanism.verdict(study(table(noise=0), [1.2, 1.21, 1.19], usual)))
    assert (
        "With 16 times the travel and more people, at the same decay budget, the mean magnitude ends at 1.2."
        in text
    )
    assert says in text


def test_the_pages_state_the_papers_mean_scales():
    v1, v2 = (np.mean(list(paper_table(number).cells.values())) for number in (4, 5))
    for page_name in ("mechanism", "meaning"):
        notebook = Path(__file__).parents[2] / "notebooks" / f"{page_name}.ipynb"
        said = "".join(json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]["source"])
        assert f"average {v1:.1f} in v1 and {v2:.2f} in v2" in said.replace("\n", " ")


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
    assert unknown.count("the share of TRSF's gain that frozen constants keep is unknown") == 1
    assert "At both weight decays, the share of TRSF's gain" in unknown


def test_zeros_before_the_average_pool_are_counted():
    runs = frame().assign(zeros=0.0)
    assert "no value before the average pool is 0" in page(mechanism_claims.diagnostics, runs)
    some = page(mechanism_claims.diagnostics, runs.assign(zeros=0.25))
    assert "Of the values before the average pool, 25.0 % are 0" in some
    assert "average pool" not in page(mechanism_claims.diagnostics, runs.assign(zeros=np.nan))


def test_the_ladder_has_all_three_averages():
    runs = table(noise=0).assign(ratio=0.4, ratio_geometric=0.2, ratio_median=0.3, kernel=1.0)
    assert "| 0.4 | 0.2 | 0.3 |" in page(mechanism.ladder_table, runs)
