"""Differences over seeds: how large, how sure, and how large they must be to be detected."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy import special, stats

from trsfnet.evaluation.statistics import LEVEL, Interval

# How likely the minimum detectable effect of a design is to be detected.
POWER = 0.8


@dataclass(frozen=True, eq=False)
class Spread:
    """How much runs differ that differ in nothing but the seed.

    Two that have the same numbers are still two estimates: see `contrast`.

    Attributes:
        variance: of one run.
        degrees_of_freedom: of that estimate.
    """

    variance: float
    degrees_of_freedom: int


def pooled_spread(values: Iterable[Mapping[int, float]]) -> Spread | None:
    """The spread over seeds within variants, taken as the same in all of them.

    Three seeds of one variant say next to nothing about its spread (the 95 % interval of a deviation from
    three values goes from half of it to six times); those of six variants together say enough.

    Args:
        values: of each variant, by seed.

    Returns:
        None where no variant has two seeds.
    """
    arrays = [np.fromiter(v.values(), float) for v in values]
    degrees = sum(len(a) - 1 for a in arrays if len(a))
    if not degrees:
        return None
    variance = sum(float(np.sum((a - a.mean()) ** 2)) for a in arrays if len(a)) / degrees
    largest = max(float(np.abs(a).max()) for a in arrays if len(a))
    # What is left of equal values by rounding is no spread.
    return Spread(variance if variance > (1e-12 * max(1.0, largest)) ** 2 else 0.0, degrees)


@dataclass(frozen=True)
class Effect:
    """An estimate whose error follows Student's t: an `Estimate` of `findings`.

    Attributes:
        estimate: in the unit of what was measured.
        standard_error: of the estimate.
        degrees_of_freedom: of the error.
        seeds: of the variant with the fewest.
        among: of how many variants these two were picked as best and worst; 2 where nothing was picked.
    """

    estimate: float
    standard_error: float
    degrees_of_freedom: float
    seeds: int
    among: int = 2

    paired: ClassVar[bool] = False

    @property
    def interval(self) -> Interval:
        """At 95 %, of this effect alone; of one that was picked, by Tukey's studentised range."""
        if self.among > 2:
            quantile = float(
                stats.studentized_range.ppf(LEVEL, self.among, self.degrees_of_freedom)
            ) / math.sqrt(2)
        else:
            quantile = float(special.stdtrit(self.degrees_of_freedom, (1 + LEVEL) / 2))
        half = quantile * self.standard_error
        return Interval(self.estimate, self.estimate - half, self.estimate + half)

    def p_above(self, bound: float) -> float:
        """One-sided p value against "the true effect is at most `bound`"."""
        distance = self.estimate - bound
        if self.standard_error == 0:
            # Equal values do not prove that there is no spread: a sign test, of as many seeds on one side.
            return 0.5**self.seeds if distance > 0 else 1.0
        return float(special.stdtr(self.degrees_of_freedom, -distance / self.standard_error))

    def p_below(self, bound: float) -> float:
        """One-sided p value against "the true effect is at least `bound`"."""
        return replace(self, estimate=-self.estimate).p_above(-bound)

    def minimum_detectable(self, alpha: float, power: float = POWER) -> float:
        """The smallest true distance from a bound that a two-sided test at `alpha` shows.

        It follows from the observed spread and the number of seeds, not from the estimate.

        Args:
            alpha: level of the test.
            power: how likely it is to be shown.
        """
        critical = float(special.stdtrit(self.degrees_of_freedom, 1 - alpha / 2))
        return float(special.nctdtrinc(self.degrees_of_freedom, 1 - power, critical)) * self.standard_error


def contrast(
    values: Sequence[Mapping[int, float]], weights: Sequence[float], spreads: Sequence[Spread]
) -> Effect | None:
    """The weighted sum of variants' means over seeds, with a standard error from the spreads.

    Runs of one seed share their first weights and the order of their images, but training amplifies the
    smallest difference, so that they are hardly more alike for it than others. So they are not paired, which
    makes an error too large, if anything.

    Args:
        values: of each variant, by seed.
        weights: of each variant.
        spreads: of each variant, the same object for variants that were pooled. With several, the degrees of
            freedom are Satterthwaite's.

    Returns:
        None with fewer than two seeds of any variant.
    """
    seeds = [len(v) for v in values]
    if min(seeds) < 2:
        return None
    estimate = sum(w * _mean(v) for w, v in zip(weights, values, strict=True))
    parts: dict[Spread, float] = defaultdict(float)
    for w, n, spread in zip(weights, seeds, spreads, strict=True):
        parts[spread] += spread.variance * w**2 / n
    total = sum(parts.values())
    # Without any spread there is nothing to estimate, and the degrees of freedom do not matter.
    uncertain = sum(part**2 / spread.degrees_of_freedom for spread, part in parts.items())
    return Effect(estimate, math.sqrt(total), total**2 / uncertain if uncertain else 1.0, min(seeds))


def largest_difference(values: Sequence[Mapping[int, float]], spread: Spread) -> tuple[Effect, float] | None:
    """The best variant's mean less the worst one's, and Tukey's p value of so wide a range of means.

    The number of variants is accounted for by the studentised range (Tukey-Kramer), in the p value and in the
    effect's interval; its standard error is that of two variants picked beforehand.

    Returns:
        None with fewer than two seeds of any variant.
    """
    means = [_mean(v) for v in values]
    best, worst = int(np.argmax(means)), int(np.argmin(means))
    effect = contrast([values[best], values[worst]], [1.0, -1.0], [spread, spread])
    if effect is None or min(map(len, values)) < 2:
        return None
    effect = replace(effect, among=len(values))
    if effect.standard_error == 0:
        return effect, effect.p_above(0.0)
    studentised = math.sqrt(2) * effect.estimate / effect.standard_error
    return effect, float(stats.studentized_range.sf(studentised, len(values), spread.degrees_of_freedom))


def _mean(values: Mapping[int, float]) -> float:
    return sum(values.values()) / len(values) if values else math.nan


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p values, in the order given.

    To reject what is below 0.05 keeps the rate of any false rejection among all of them at 5 %.
    """
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted
