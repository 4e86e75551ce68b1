"""The reasons given in `claims.json` agree with the committed runs."""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np
import pytest

from trsfnet.analysis import load
from trsfnet.analysis.reach import paper_regime, run_regime
from trsfnet.analysis.rules import paper_reaches, paper_rules
from trsfnet.experiments.studies import planned_configs
from trsfnet.report.summary import RESULTS
from trsfnet.training.config import TrainConfig


@pytest.fixture(scope="module")
def runs():
    return [run for run in load(RESULTS).runs if run.done or run.collapsed]


def test_few_slopes_turn_negative_with_little_travel(runs):
    rule = paper_rules()["slopes-turn-negative"]
    shares = defaultdict(list)
    for run in runs:
        if run.done and run.variant in rule.variants:
            percent = 100 * run_regime(run).travel / paper_regime().travel
            if 2 <= round(percent) <= 3:
                negative = (run.learned["slope"].iloc[-1] < 0).mean()
                shares[run.track, run.budget, run.variant].append(100 * negative)
    means = [np.mean(found) for found in shares.values()]
    assert "with 2 to 3 %" in paper_reaches()["slopes-turn-negative"].travel.because
    assert len(means) > 4
    assert max(means) < 15, "more than a few slopes have turned negative"


def test_runs_collapse_only_at_high_learning_rates(runs):
    study = [run for run in runs if run.budget == "stability"]
    rates = {run.learning_rate for run in study}
    collapsed = {run.learning_rate for run in study if run.collapsed}
    original = {run.learning_rate for run in study if run.collapsed and run.variant == "v1-relu"}
    assert min(rates) not in collapsed, "lower learning rates prevent collapse"
    assert "lower learning rates did prevent" in paper_rules()["lower-rate-does-not-help"].why_untested
    paper = TrainConfig.from_parameters({}, "vggface2").learning_rate
    assert min(original) == pytest.approx(4 * paper)
    assert "four times the paper's learning rate" in paper_rules()["still-risk-of-collapse"].why_untested


@pytest.mark.parametrize(
    ("budget", "track", "says"),
    [
        ("full", "synthetic", r"with all planned seeds \((\d+) hours on one core\)"),
        ("short", "lfw", r"those on LFW \((\d+) hours\)"),
    ],
)
def test_the_readme_gives_the_time_of_the_runs_behind_the_verdicts(runs, budget, track, says):
    seconds = defaultdict(list)
    for run in runs:
        on_a_core = run.info["hardware"]["device"] == "cpu"
        if run.done and on_a_core and (run.budget, run.track) == (budget, track):
            seconds[run.variant].append(run.info["seconds"])
    planned = planned_configs(budget, track)
    hours = sum(np.median(seconds[config.variant]) for config in planned) / 3600
    text = " ".join((RESULTS.parent / "README.md").read_text(encoding="utf-8").split())
    stated = re.search(says, text)
    assert float(stated[1]) == pytest.approx(hours, rel=0.15)
