"""Among campaigns without any effect no more than one in twenty has a false verdict, whatever the rule.

A verdict is false if it says more than is true. Where a difference is exactly 0, or a level exactly at its
bound, neither "supported" nor "contradicted" is true. A claim whose bounds exclude the truth is rightly
contradicted: an earlier form of this test took that for an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType, SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from scipy import interpolate, stats

from trsfnet.analysis import judging, load
from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.findings import ALPHA, Outcome
from trsfnet.analysis.held_out import OUTCOMES
from trsfnet.analysis.measures import PAPER_TRACK
from trsfnet.analysis.mechanism_claims import Asked
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.analysis.rules import paper_reaches, paper_rules
from trsfnet.analysis.rules.agreement import Agreement
from trsfnet.analysis.rules.cells import Cells
from trsfnet.analysis.rules.contrast import Contrast
from trsfnet.analysis.rules.cost import Cost
from trsfnet.analysis.rules.count import Count
from trsfnet.analysis.rules.mechanism import Mechanism
from trsfnet.analysis.rules.no_collapse import RARE, NoCollapse
from trsfnet.analysis.rules.untested import Untested
from trsfnet.experiments.budgets import seeds_of
from trsfnet.experiments.variants import GRID, STABILITY, VARIANTS
from trsfnet.report.summary import RESULTS
from trsfnet.training.budget import Regime

CAMPAIGNS, SEEDS, RATE = 1000, 3, 0.05
EPOCHS, IDENTITIES = 4, 100
STUDENTISED_RANGE = stats.studentized_range
# What is counted, measured by a benchmark or not tested has no sampling error.
TESTED = {
    claim: rule
    for claim, rule in paper_rules().items()
    if not isinstance(rule, Count | Cost | Untested | Mechanism | NoCollapse)
}
# The schedule of the budget `full` cannot test the others, which are therefore out of its reach.
FULL = Regime(steps=1248, travel=312.0, decay_budget=12.5)
REACHED = {
    claim: rule
    for claim, rule in TESTED.items()
    if claim not in paper_reaches() or not paper_reaches()[claim].lacking(FULL)
}
_RECORDED = ("arch", "loss", "trsf", "trsf_per_channel", "scale_init", "fixed_scales")


@dataclass(frozen=True, eq=False)
class Made:
    """A run with values and losses on held-out images, and nothing else."""

    values: dict[str, float]
    config: dict
    collapsed: bool = False
    losses: np.ndarray = field(default_factory=lambda: np.empty(0))
    info: ClassVar[dict] = {"data": {"train": {"identities": IDENTITIES}}}

    @property
    def history(self):
        return {"held_out_loss": pd.Series(self.losses)}

    def value(self, quantity):
        return self.values[quantity.name]

    def is_bound(self, quantity):
        return False


def level(quantity: str, variant: str, track: str) -> float:
    """The true value of a quantity, the same for all variants: the bound of a claim on its level if one has.

    On the paper's track it is what the paper publishes for each variant, where it does.
    """
    if track == PAPER_TRACK:
        tables = [r.cells for r in TESTED.values() if isinstance(r, Cells) and r.quantity.name == quantity]
        for published in (*tables, QUANTITIES[quantity].published()):
            if variant in published:
                return published[variant]
    for rule in TESTED.values():
        if isinstance(rule, Contrast) and rule.quantity.name == quantity and not rule.contrasts[0].than:
            return next(bound for bound in rule.bounds if bound is not None)
    return 0.5


def truth(rule, track: str) -> bool | None:
    """Whether a claim holds of the levels; None where they lie at its bound."""
    match rule:
        case Contrast():
            above, below = rule.bounds
            effects = [
                sum(w * level(rule.quantity.name, v, track) for v, w in means.weights.items())
                for means in rule.contrasts
            ]
            distances = [e - above for e in effects if above is not None]
            distances += [below - e for e in effects if below is not None]
            return None if abs(min(distances)) < 1e-9 else min(distances) > 0
        case Agreement():
            found = {truth(part, track) for part in rule.parts}
            return found.pop() if len(found) == 1 else None
        case Cells():
            return True
        case _:
            return None


class RangeTable:
    """The studentised range from a table, for SciPy integrates it anew for every value."""

    def __init__(self):
        self.degrees = np.linspace(2, 6, 7)  # of the Games-Howell test with three or five seeds of a variant
        self.log_q = np.linspace(-1, 6, 15)
        self.tables = {}

    def sf(self, q, k, df):
        if k not in self.tables:
            logs = np.log(STUDENTISED_RANGE.sf(np.exp(self.log_q), k, self.degrees[:, None]))
            self.tables[k] = interpolate.RectBivariateSpline(self.degrees, self.log_q, logs)
        return float(np.exp(self.tables[k].ev(df, np.log(q))))


def verdicts_are_false(verdicts, truths) -> bool:
    """Whether any verdict says more than is true."""
    wrong = {Outcome.SUPPORTED: (False, None), Outcome.CONTRADICTED: (True, None)}
    return any(truths[claim] in wrong.get(verdict.outcome, ()) for claim, verdict in verdicts.items())


@cache
def recorded_spreads() -> Mapping[tuple[str, str], float]:
    """The standard deviations over seeds of the budget full on rendered faces, by variant and quantity.

    Those of TAR with v2 range from 0.3 to 13.6 points.
    """
    (campaign,) = (c for c in load(RESULTS).campaigns if (c.track, c.budget) == ("synthetic", "full"))
    values = {
        (variant, name): list(campaign.values(variant, quantity).values())
        for variant, _, _ in campaign.runs
        for name, quantity in QUANTITIES.items()
    }
    return {key: float(np.std(seeds, ddof=1)) for key, seeds in values.items() if len(seeds) > 1}


def campaigns_without_effect(
    track: str,
    number: int,
    spreads: Mapping[tuple[str, str], float] = MappingProxyType({}),
    *,
    seeds: Callable[[str], int] = lambda _: SEEDS,
    held_out: bool = False,
):
    """Runs of every variant whose values differ by chance alone, some of which collapse at a higher rate.

    Standard deviations over seeds are those in `spreads`, and only its variants have runs at the usual rate;
    without it, all are 0.02. `seeds` gives the number of seeds of a variant. With `held_out`, runs have
    losses on held-out images, too, as in the study `collapse`.
    """
    rng, rng_of_losses = np.random.default_rng(0), np.random.default_rng(3)
    names = list(QUANTITIES)
    keys = {rule_variant for rule in TESTED.values() for rule_variant in rule.variants}
    keys |= {variant.key for variant in (*GRID, *STABILITY)}
    keys = sorted(keys | {variant for variant, _ in spreads})
    graded = {"held_out_images": 4, "epochs": EPOCHS} if held_out else {}
    configs = {key: graded | {n: getattr(VARIANTS[key], n) for n in _RECORDED} for key in keys}
    numbers = [seeds(key) for key in keys]
    most = max(numbers)
    levels = np.array([[level(name, key, track) for name in names] for key in keys])
    deviations = np.array([[spreads.get((key, name), 0.02) for name in names] for key in keys])
    for _ in range(number):
        values = levels[:, None] + deviations[:, None] * rng.standard_normal((len(keys), most, len(names)))
        collapsed = rng.random((len(keys), 15)) < 0.3
        losses = courses(rng_of_losses, len(keys), most + 15)
        runs = {
            (key, RATE, seed): Made(dict(zip(names, own, strict=True)), configs[key], losses=course)
            for key, of_seeds, of_losses, n in zip(keys, values.tolist(), losses, numbers, strict=True)
            if not spreads or (key, "tar") in spreads
            for seed, (own, course) in enumerate(zip(of_seeds[:n], of_losses[:n], strict=True))
        } | {
            # A collapsed run has no losses after half of the epochs.
            (key, 0.2, seed): Made({}, configs[key], ended, course[: EPOCHS // 2 if ended else EPOCHS])
            for key, endings, of_losses in zip(keys, collapsed.tolist(), losses[:, most:], strict=True)
            for seed, (ended, course) in enumerate(zip(endings, of_losses, strict=True))
        }
        yield Campaign(track, None, {}, RATE, runs)


def courses(rng: np.random.Generator, variants: int, seeds: int) -> np.ndarray:
    """Losses on held-out images by variant, seed and epoch; a run without success ends above chance level."""
    of_run, of_epoch = rng.standard_normal((variants, seeds, 1)), rng.standard_normal((EPOCHS,))
    noise = rng.standard_normal((variants, seeds, EPOCHS))
    return np.log(IDENTITIES) * (0.8 + 0.3 * of_run + 0.1 * of_epoch + 0.1 * noise)


def planned_seeds(variant: str) -> int:
    """The seeds of a variant in the budget full on rendered faces: 8, 5 or 3."""
    return seeds_of(VARIANTS[variant], budget="full", track="synthetic")


@pytest.fixture
def quick(monkeypatch):
    """What averages hide and what could have been shown are said and not tested, so they are left out."""
    monkeypatch.setattr("trsfnet.analysis.contrasts.stats.studentized_range", RangeTable())
    monkeypatch.setattr("trsfnet.analysis.rules.contrast.disagreements", lambda *_: [])
    monkeypatch.setattr(judging.Measured, "at", lambda *_: None)


def count_false(rules, track, campaigns) -> tuple[int, int]:
    """The number of campaigns with a false verdict, and of those with any verdict."""
    truths = {claim: truth(rule, track) for claim, rule in rules.items()}
    false = decided = 0
    for campaign in campaigns:
        found = judging.judge(rules, campaign)
        false += verdicts_are_false(found, truths)
        decided += any(v.outcome in (Outcome.SUPPORTED, Outcome.CONTRADICTED) for v in found.values())
    return false, decided


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("track", "number"), [("synthetic", CAMPAIGNS), (PAPER_TRACK, CAMPAIGNS // 10)])
def test_false_verdicts_are_rare(track, number):
    """With as many seeds as are planned, and with the rule that compares runs by held-out loss."""
    campaigns = campaigns_without_effect(track, number, seeds=planned_seeds, held_out=True)
    false, decided = count_false(TESTED, track, campaigns)
    assert false <= ALPHA * number
    assert decided > 0, "a procedure that never decides would pass, too"


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_false_verdicts_are_rare_with_the_recorded_spreads():
    """With the spreads of table 6's initial slopes pooled, there were some in 18 % of campaigns."""
    campaigns = campaigns_without_effect("synthetic", CAMPAIGNS, recorded_spreads())
    false, decided = count_false(REACHED, "synthetic", campaigns)
    assert false <= ALPHA * CAMPAIGNS
    assert decided > 0


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("claim", ["sensitive-to-start", "start-0.25-best"])
def test_unequal_spreads_of_the_initial_slopes_decide_nothing(claim):
    """Without Holm's correction. With pooled spreads, the first was supported in 37 % of campaigns."""
    campaigns = campaigns_without_effect("synthetic", CAMPAIGNS, recorded_spreads())
    false, _ = count_false({claim: TESTED[claim]}, "synthetic", campaigns)
    assert 0 < false <= ALPHA * CAMPAIGNS


@pytest.mark.usefixtures("quick")
def test_held_out_losses_rarely_decide_by_chance():
    """Without Holm's correction, by the two outcomes that the study collapse compares."""
    rules = {"trainable-more-stable": TESTED["trainable-more-stable"]}
    number = CAMPAIGNS // 4
    campaigns = list(campaigns_without_effect("synthetic", number, held_out=True))
    (finding,) = (rule.find(campaigns[0]) for rule in rules.values())
    assert {comparison.outcome for comparison in finding.measured} == set(OUTCOMES)
    false, _ = count_false(rules, "synthetic", campaigns)
    assert 0 < false <= ALPHA * number


def test_false_verdicts_on_mechanisms_are_rare(monkeypatch):
    """Comparisons at their bounds; how they are read from runs is left out."""
    monkeypatch.setattr(judging.Measured, "at", lambda *_: None)
    rng = np.random.default_rng(1)

    def noise(rule):
        bound = next(bound for bound in rule.bounds if bound is not None)
        return [Asked("noise", pd.Series(bound + 0.02 * rng.standard_normal(SEEDS))) for _ in range(4)]

    asked = {claim: rule for claim, rule in paper_rules().items() if isinstance(rule, Mechanism)}
    campaign = SimpleNamespace(mechanism=pd.DataFrame([0]), regime=None)
    false = 0
    for _ in range(CAMPAIGNS):
        rules = {
            claim: Mechanism(
                replace(rule.question, asked=lambda _, r=rule: iter(noise(r)), note=lambda _: "")
            )
            for claim, rule in asked.items()
        }
        found = judging.judge(rules, campaign)
        false += verdicts_are_false(found, dict.fromkeys(rules))
    assert 0 < false <= ALPHA * CAMPAIGNS


def test_no_crash_is_rarely_claimed_of_networks_that_do():
    (rule,) = (rule for rule in paper_rules().values() if isinstance(rule, NoCollapse))
    rng = np.random.default_rng(2)
    false = 0
    for collapsed in rng.random((CAMPAIGNS // 4, 2, 7)) < RARE:
        runs = {
            (variant, RATE, seed): Made({}, {}, bool(ended))
            for variant, endings in zip(rule.of, collapsed, strict=True)
            for seed, ended in enumerate(endings)
        }
        verdict = judging.judge({"": rule}, Campaign("synthetic", None, {}, RATE, runs))[""]
        false += verdict.outcome == Outcome.SUPPORTED
    assert 0 < false <= ALPHA * CAMPAIGNS / 4
