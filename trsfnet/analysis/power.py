"""Power: the smallest difference that a number of seeds can detect, given the spread over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.comparable_runs import Pooling
from trsfnet.analysis.contrasts import Effect, pooled_spread
from trsfnet.analysis.findings import ALPHA
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.analysis.rules import paper_reaches, paper_rules
from trsfnet.analysis.rules.contrast import Contrast
from trsfnet.evaluation.statistics import LEVEL
from trsfnet.experiments.budgets import BUDGETS, is_study, seeds_of
from trsfnet.experiments.variants import GRID, Variant, table_variants
from trsfnet.training.budget import Regime

PLANNED_TABLES = (1, 2, 3, 6)
"""The tables of the paper that together contain every variant of the grid."""


@dataclass(frozen=True)
class SeedSpread:
    """Variation of the track's main metric between seeds of the same variant, pooled over variants.

    Attributes:
        track: name of the track, such as `lfw`.
        budget: name of the budget, such as `short`.
        arch: `v1` or `v2`.
        loss: `softmax` or `arcface`.
        variants: number of variants with at least two finished seeds.
        runs: number of finished runs of these variants.
        deviation: standard deviation between seeds, as a share in 0..1.
        degrees_of_freedom: degrees of freedom of the pooled variance.
        each: standard deviation between the seeds of each of these variants, as a share in 0..1.
        p_equal: p value of Bartlett's test of equal variances; None for fewer than two variants that vary.
        regime: travel and decay budget of the runs; None if they vary.
    """

    track: str
    budget: str
    arch: str
    loss: str
    variants: int
    runs: int
    deviation: float
    degrees_of_freedom: int
    each: Mapping[str, float]
    p_equal: float | None
    regime: Regime | None

    def is_of(self, table: int) -> bool:
        """Return whether it is about the network of one of the paper's tables, with its loss."""
        network = table_variants(table)[0]
        return (self.arch, self.loss) == (network.arch, network.loss)

    @property
    def bounds(self) -> tuple[float, float]:
        """The 95 % interval of the standard deviation, from the chi-square distribution of the variance."""
        smallest, largest = stats.chi2.interval(LEVEL, self.degrees_of_freedom)
        low, high = (self.deviation * math.sqrt(self.degrees_of_freedom / c) for c in (largest, smallest))
        return low, high


def seed_spreads(campaigns: Sequence[Campaign]) -> list[SeedSpread]:
    """Return the spread over seeds of every campaign with a budget, by network and loss.

    The estimates with the most degrees of freedom come first.
    """
    found = [spread for c in campaigns if c.budget for spread in _spreads(c, c.budget)]
    return sorted(found, key=lambda s: s.degrees_of_freedom, reverse=True)


def _spreads(campaign: Campaign, budget: str) -> list[SeedSpread]:
    networks: dict[tuple[str, str], list[str]] = {}
    for (variant, rate, _), run in campaign.runs.items():
        if rate == campaign.rate:
            networks.setdefault((run.config["arch"], run.config["loss"]), []).append(variant)
    found = []
    for (arch, loss), variants in networks.items():
        values = {v: list(campaign.values(v, QUANTITIES["tar"]).values()) for v in dict.fromkeys(variants)}
        repeated = {variant: seeds for variant, seeds in values.items() if len(seeds) > 1}
        spread = pooled_spread(dict(enumerate(seeds)) for seeds in repeated.values())
        if spread:
            numbers = len(repeated), sum(map(len, repeated.values()))
            deviation, degrees = math.sqrt(spread.variance), spread.degrees_of_freedom
            each = {variant: float(np.std(seeds, ddof=1)) for variant, seeds in repeated.items()}
            vary = [seeds for variant, seeds in repeated.items() if each[variant] > 0]
            p_equal = float(stats.bartlett(*vary).pvalue) if len(vary) > 1 else None
            of = campaign.track, budget, arch, loss
            found.append(SeedSpread(*of, *numbers, deviation, degrees, each, p_equal, regime=campaign.regime))
    return found


@dataclass(frozen=True)
class Sensitivity:
    """A comparison with the spread over seeds pooled as its rule says, and over its own variants alone.

    Attributes:
        track: name of the track, such as `lfw`.
        budget: name of the budget, such as `full`.
        comparison: the comparison, such as `v1 + TRSF − v1`.
        pooled: the effect by the rule.
        own: the effect with the spread of the compared variants.
    """

    track: str
    budget: str
    comparison: str
    pooled: Effect
    own: Effect


def sensitivities(campaigns: Sequence[Campaign], claim: str) -> list[Sensitivity]:
    """Return the comparisons behind a claim on accuracy with both choices of the pooled variants."""
    rule = paper_rules()[claim]
    if not isinstance(rule, Contrast) or rule.quantity != QUANTITIES["tar"]:
        return []
    found = []
    for campaign in campaigns:
        for means in rule.contrasts:
            pooled = campaign.effect(means.weights, rule.quantity, rule.pooling)
            own = campaign.effect(means.weights, rule.quantity, Pooling.COMPARED)
            if campaign.budget and pooled and own:
                found.append(Sensitivity(campaign.track, campaign.budget, means.name(), pooled, own))
    return found


def smallest_difference(deviation: float, *, seeds: int, variants: int, tests: int = 1) -> float:
    """Return the difference between two variants that a two-sided t test detects with a power of 80 %.

    It corresponds to `Effect.minimum_detectable` but needs no results: the standard error is that of the
    difference of two means over `seeds` runs, with a spread pooled over `variants`. The power follows from
    the noncentral t distribution.

    Args:
        deviation: standard deviation between seeds; the result has the same unit.
        seeds: number of seeds of each variant, at least 2.
        variants: number of variants over which the spread is pooled.
        tests: number of tests that share the level of 5 %, as in the first step of Holm's procedure.
    """
    error = deviation * math.sqrt(2 / seeds)
    return Effect(0.0, error, variants * (seeds - 1), seeds).minimum_detectable(ALPHA / tests)


def planned_tests(spread: SeedSpread) -> int:
    """Return the number of claims that Holm's procedure corrects for once all runs of the grid have finished.

    These are the claims that are tested statistically on the runs from which the spread was estimated. Claims
    that are out of reach of their schedule are not tested.
    """
    variants = {variant.key for variant in GRID}
    reaches = paper_reaches()
    return sum(
        rule.testable(variants, spread.track)
        and not (claim in reaches and reaches[claim].lacking(spread.regime))
        for claim, rule in paper_rules().items()
    )


def seeds_planned(budget: str, track: str) -> dict[int, int]:
    """Return the planned seeds of each variant, by the table of the paper that shows it first."""
    planned: dict[int, int] = {}
    placed: list[Variant] = []
    for table in PLANNED_TABLES:
        new = [variant for variant in table_variants(table) if variant not in placed]
        planned[table] = seeds_of(new[0], budget=budget, track=track)
        placed += new
    return planned


def table_spread(spreads: Sequence[SeedSpread], track: str, table: int) -> SeedSpread | None:
    """Return the most precise spread of a table's network on a track, in a budget that the tables can show.

    If several are equally precise, the one of the largest budget is used.

    Returns:
        The spread; None if there is none for the track.
    """
    order = [budget for budget in BUDGETS if not is_study(budget)]
    found = [s for s in spreads if s.track == track and s.is_of(table) and s.budget in order]
    return max(found, key=lambda s: (s.degrees_of_freedom, order.index(s.budget)), default=None)
