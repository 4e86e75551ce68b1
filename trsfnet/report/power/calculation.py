"""From the spread over seeds to the smallest difference that so many seeds can see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from scipy import stats

from trsfnet.analysis.contrasts import Effect, pooled_spread
from trsfnet.evaluation.statistics import LEVEL
from trsfnet.experiments.budgets import seeds_of
from trsfnet.experiments.record import Record
from trsfnet.experiments.variants import GRID, table_settings
from trsfnet.paper.claims import Claim, CollapseRate, Contrast, Spread, paper_claims
from trsfnet.report.verdicts import ALPHA
from trsfnet.report.verdicts.evidence import PAPER_TRACK, campaigns

# The scale that the committed results are made at.
PLANNED = "full"


@dataclass(frozen=True)
class SeedSpread:
    """How far finished runs of one setting lie apart in the measure of their track, pooled over settings.

    Attributes:
        track: such as `lfw`.
        scale: such as `full`.
        network: such as `v1`, with the loss where that is not softmax.
        settings: with two finished seeds or more.
        runs: of these.
        deviation: standard deviation between seeds, as a share.
        freedom: degrees of freedom of its square.
    """

    track: str
    scale: str
    network: str
    settings: int
    runs: int
    deviation: float
    freedom: int

    @property
    def bounds(self) -> tuple[float, float]:
        """The 95 % interval of the deviation, from the chi-square distribution of its square."""
        smallest, largest = stats.chi2.interval(LEVEL, self.freedom)
        low, high = (self.deviation * math.sqrt(self.freedom / chi2) for chi2 in (largest, smallest))
        return low, high


def seed_spreads(records: Sequence[Record]) -> list[SeedSpread]:
    """The spread over seeds of every group of comparable runs, by network and loss, the surest first."""
    found = []
    for campaign in campaigns(records):
        networks: dict[str, list[str]] = {}
        for (setting, rate, _), run in campaign.runs.items():
            if rate == campaign.rate:
                loss = run.record.config["loss"]
                name = run.record.config["arch"] + ("" if loss == "softmax" else ", ArcFace")
                networks.setdefault(name, []).append(setting)
        for name, settings in networks.items():
            values = [campaign.values(setting, "tar") for setting in dict.fromkeys(settings)]
            repeated = [v for v in values if len(v) > 1]
            spread = pooled_spread(repeated)
            if spread and campaign.scale:
                found.append(
                    SeedSpread(
                        campaign.track,
                        campaign.scale,
                        name,
                        len(repeated),
                        sum(map(len, repeated)),
                        math.sqrt(spread.variance),
                        spread.freedom,
                    )
                )
    return sorted(found, key=lambda s: s.freedom, reverse=True)


def smallest_difference(deviation: float, *, seeds: int, settings: int, tests: int = 1) -> float:
    """The difference between two settings that a two-sided t test sees in 80 of 100 trials.

    The same as `Effect.detectable`, before there are results: the error is that of two means over `seeds`
    runs, and the spread is pooled over `settings`. The power follows from the noncentral t distribution.

    Args:
        deviation: between seeds, in the unit of the answer.
        seeds: of each setting, two at least.
        settings: over which the spread is pooled.
        tests: how many are made at the level of 5 % together: the first step of Holm's procedure.
    """
    error = deviation * math.sqrt(2 / seeds)
    return Effect(0.0, error, settings * (seeds - 1), seeds).detectable(ALPHA / tests)


@cache
def tests_planned(track: str) -> int:
    """How many claims the grid can test on a track once all of its runs are there."""
    return sum(_testable(claim, track) for claim in paper_claims())


def _testable(claim: Claim, track: str) -> bool:
    run = {setting.key for setting in GRID}
    match claim.rule:
        case Contrast():
            asked = {setting for means in claim.rule.contrasts for setting in means.weights}
            on_paper = claim.rule.quantity.startswith("ijbb")
            return asked <= run and (track == PAPER_TRACK or not on_paper)
        case Spread():
            return set(claim.rule.settings) <= run
        case CollapseRate(than=None):
            return set(claim.rule.of) <= run
    return False


def seeds_planned(track: str) -> dict[int, list[str]]:
    """What feeds tables 1 and 2 and everything else, by how many seeds of it the committed results have."""
    parts = {f"table {number}": table_settings(number) for number in (1, 2)}
    placed = [setting for settings in parts.values() for setting in settings]
    parts["the rest"] = [setting for setting in GRID if setting not in placed]
    planned: dict[int, list[str]] = {}
    for part, settings in parts.items():
        planned.setdefault(seeds_of(settings[0], budget=PLANNED, track=track), []).append(part)
    return planned


def surest(spreads: Sequence[SeedSpread], track: str) -> SeedSpread | None:
    """The spread to reckon with on a track: of softmax networks, at the planned scale if runs allow."""
    found = [s for s in spreads if s.track == track and "," not in s.network]
    return max(found, key=lambda s: (s.scale == PLANNED, s.freedom), default=None)
