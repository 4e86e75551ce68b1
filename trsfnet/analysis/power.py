"""From the spread over seeds to the smallest difference that so many seeds can show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from scipy import stats

from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.contrasts import Effect, pooled_spread
from trsfnet.analysis.findings import ALPHA
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.analysis.rules import paper_rules
from trsfnet.evaluation.statistics import LEVEL
from trsfnet.experiments.budgets import seeds_of
from trsfnet.experiments.variants import GRID, table_variants

# The budget that the committed results are made at.
PLANNED = "full"


@dataclass(frozen=True)
class SeedSpread:
    """How far finished runs of one variant lie apart in the measure of their track, pooled over variants.

    Attributes:
        track: such as `lfw`.
        budget: such as `full`.
        arch: such as `v1`.
        loss: `softmax` or `arcface`.
        variants: with two finished seeds or more.
        runs: of these.
        deviation: standard deviation between seeds, as a share.
        degrees_of_freedom: of its square.
    """

    track: str
    budget: str
    arch: str
    loss: str
    variants: int
    runs: int
    deviation: float
    degrees_of_freedom: int

    @property
    def bounds(self) -> tuple[float, float]:
        """The 95 % interval of the deviation, from the chi-square distribution of its square."""
        smallest, largest = stats.chi2.interval(LEVEL, self.degrees_of_freedom)
        low, high = (self.deviation * math.sqrt(self.degrees_of_freedom / c) for c in (largest, smallest))
        return low, high


def seed_spreads(campaigns: Sequence[Campaign]) -> list[SeedSpread]:
    """The spread over seeds of every campaign, by network and loss, the surest first."""
    found = [spread for c in campaigns if c.budget for spread in _spreads(c, c.budget)]
    return sorted(found, key=lambda s: s.degrees_of_freedom, reverse=True)


def _spreads(campaign: Campaign, budget: str) -> list[SeedSpread]:
    networks: dict[tuple[str, str], list[str]] = {}
    for (variant, rate, _), run in campaign.runs.items():
        if rate == campaign.rate:
            networks.setdefault((run.config["arch"], run.config["loss"]), []).append(variant)
    found = []
    for (arch, loss), variants in networks.items():
        values = [campaign.values(variant, QUANTITIES["tar"]) for variant in dict.fromkeys(variants)]
        repeated = [v for v in values if len(v) > 1]
        spread = pooled_spread(repeated)
        if spread:
            numbers = len(repeated), sum(map(len, repeated))
            deviation, degrees = math.sqrt(spread.variance), spread.degrees_of_freedom
            found.append(SeedSpread(campaign.track, budget, arch, loss, *numbers, deviation, degrees))
    return found


def smallest_difference(deviation: float, *, seeds: int, variants: int, tests: int = 1) -> float:
    """The difference between two variants that a two-sided t test sees in 80 of 100 trials.

    The same as `Effect.minimum_detectable`, before there are results: the error is that of two means over
    `seeds` runs, and the spread is pooled over `variants`. The power follows from the noncentral t
    distribution.

    Args:
        deviation: between seeds, in the unit of the answer.
        seeds: of each variant, two at least.
        variants: over which the spread is pooled.
        tests: how many are made at the level of 5 % together: the first step of Holm's procedure.
    """
    error = deviation * math.sqrt(2 / seeds)
    return Effect(0.0, error, variants * (seeds - 1), seeds).minimum_detectable(ALPHA / tests)


@cache
def tests_planned(track: str) -> int:
    """How many claims the grid can test on a track once all of its runs are there."""
    variants = {variant.key for variant in GRID}
    return sum(rule.testable(variants, track) for rule in paper_rules().values())


def seeds_planned(track: str) -> dict[int, list[str]]:
    """Tables 1 and 2 and everything else, by how many seeds the committed results have of each variant."""
    parts = {f"table {number}": table_variants(number) for number in (1, 2)}
    placed = [variant for variants in parts.values() for variant in variants]
    parts["the rest"] = [variant for variant in GRID if variant not in placed]
    planned: dict[int, list[str]] = {}
    for part, variants in parts.items():
        planned.setdefault(seeds_of(variants[0], budget=PLANNED, track=track), []).append(part)
    return planned


def surest(spreads: Sequence[SeedSpread], track: str) -> SeedSpread | None:
    """The spread to reckon with on a track: of softmax networks, at the planned budget if runs allow."""
    found = [s for s in spreads if s.track == track and s.loss == "softmax"]
    return max(found, key=lambda s: (s.budget == PLANNED, s.degrees_of_freedom), default=None)
