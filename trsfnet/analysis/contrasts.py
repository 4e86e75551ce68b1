"""Differences between means over seeds: estimates, standard errors and minimum detectable effects."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy import special, stats

from trsfnet.evaluation.statistics import LEVEL, Interval

# The probability with which an effect of the minimum detectable size is detected.
POWER = 0.8


@dataclass(frozen=True, eq=False)
class Spread:
    """The variation between runs that differ only in the seed.

    Instances are compared by identity, since equal numbers may come from separate estimates: see `contrast`.

    Attributes:
        variance: estimated variance of a single run.
        degrees_of_freedom: degrees of freedom of that estimate.
    """

    variance: float
    degrees_of_freedom: int


def pooled_spread(values: Iterable[Mapping[int, float]]) -> Spread | None:
    """Pool the spread over seeds within variants, which is assumed to be the same in all of them.

    Three seeds of one variant are too few to estimate its spread (the 95 % interval of a standard deviation
    from three values ranges from half of it to six times it); pooling six variants is sufficient.

    Args:
        values: the values of each variant, by seed.

    Returns:
        The pooled spread; None if no variant has two seeds.
    """
    arrays = [np.fromiter(v.values(), float) for v in values]
    degrees = sum(len(a) - 1 for a in arrays if len(a))
    if not degrees:
        return None
    variance = sum(float(np.sum((a - a.mean()) ** 2)) for a in arrays if len(a)) / degrees
    largest = max(float(np.abs(a).max()) for a in arrays if len(a))
    # Rounding errors between equal values do not count as spread.
    return Spread(variance if variance > (1e-12 * max(1.0, largest)) ** 2 else 0.0, degrees)


@dataclass(frozen=True)
class Effect:
    """An estimate whose error follows Student's t distribution; implements `Estimate` of `findings`.

    Attributes:
        estimate: the value, in the unit of the measured quantity.
        standard_error: standard error of the estimate.
        degrees_of_freedom: degrees of freedom of the standard error.
        seeds: number of seeds of the variant with the fewest.
        among: number of variants from which the best and the worst were selected; 2 without selection.
    """

    estimate: float
    standard_error: float
    degrees_of_freedom: float
    seeds: int
    among: int = 2

    paired: ClassVar[bool] = False

    @property
    def interval(self) -> Interval:
        """The 95 % interval of this effect alone; after selection, from the studentised range."""
        if self.among > 2:
            quantile = float(
                stats.studentized_range.ppf(LEVEL, self.among, self.degrees_of_freedom)
            ) / math.sqrt(2)
        else:
            quantile = float(special.stdtrit(self.degrees_of_freedom, (1 + LEVEL) / 2))
        half = quantile * self.standard_error
        return Interval(self.estimate, self.estimate - half, self.estimate + half)

    def p_above(self, bound: float) -> float:
        """Return the one-sided p value against "the true effect is at most `bound`"."""
        distance = self.estimate - bound
        if self.standard_error == 0:
            # Equal values do not prove a spread of zero, so use a sign test with all seeds on one side.
            return 0.5**self.seeds if distance > 0 else 1.0
        return float(special.stdtr(self.degrees_of_freedom, -distance / self.standard_error))

    def p_below(self, bound: float) -> float:
        """Return the one-sided p value against "the true effect is at least `bound`"."""
        return replace(self, estimate=-self.estimate).p_above(-bound)

    def minimum_detectable(self, alpha: float, power: float = POWER) -> float:
        """Return the smallest true distance from a bound that a two-sided test at `alpha` detects.

        It depends on the observed spread and the number of seeds, not on the estimate.

        Args:
            alpha: level of the test.
            power: required probability of detection.
        """
        critical = float(special.stdtrit(self.degrees_of_freedom, 1 - alpha / 2))
        return float(special.nctdtrinc(self.degrees_of_freedom, 1 - power, critical)) * self.standard_error


def contrast(
    values: Sequence[Mapping[int, float]], weights: Sequence[float], spreads: Sequence[Spread]
) -> Effect | None:
    """Return the weighted sum of the variants' means over seeds, with a standard error from the spreads.

    Runs of the same seed share initial weights and image order, but training amplifies the smallest
    difference, so they are hardly more similar than runs of different seeds. They are therefore not paired;
    if anything, this overestimates the error.

    Args:
        values: the values of each variant, by seed.
        weights: the weight of each variant.
        spreads: the spread of each variant; variants that were pooled share one object. With several spreads,
            the degrees of freedom are Satterthwaite's.

    Returns:
        The effect; None if any variant has fewer than two seeds.
    """
    seeds = [len(v) for v in values]
    if min(seeds) < 2:
        return None
    estimate = sum(w * _mean(v) for w, v in zip(weights, values, strict=True))
    parts: dict[Spread, float] = defaultdict(float)
    for w, n, spread in zip(weights, seeds, spreads, strict=True):
        parts[spread] += spread.variance * w**2 / n
    total = sum(parts.values())
    # If all spreads are zero, so is the error, and the degrees of freedom do not matter.
    uncertain = sum(part**2 / spread.degrees_of_freedom for spread, part in parts.items())
    return Effect(estimate, math.sqrt(total), total**2 / uncertain if uncertain else 1.0, min(seeds))


def largest_difference(
    values: Sequence[Mapping[int, float]], spreads: Sequence[Spread]
) -> tuple[Effect, float] | None:
    """Return the best variant's mean minus the worst variant's, and the two-sided p value of that range.

    The studentised range accounts for the number of variants in the p value and in the effect's interval;
    the standard error is that of two variants chosen in advance. With one spread for all variants, this is
    the Tukey-Kramer test, with separate ones the Games-Howell test. Other pairs are not tested: of all pairs,
    the Games-Howell test with three seeds finds a difference by chance in up to 9 % of cases instead of 5 %.

    Args:
        values: the values of each variant, by seed.
        spreads: the spread of each variant; variants that were pooled share one object.

    Returns:
        The effect and the p value; None if any variant has fewer than two seeds.
    """
    means = [_mean(v) for v in values]
    best, worst = int(np.argmax(means)), int(np.argmin(means))
    effect = contrast([values[best], values[worst]], [1.0, -1.0], [spreads[best], spreads[worst]])
    if effect is None or min(map(len, values)) < 2:
        return None
    effect = replace(effect, among=len(values))
    if effect.standard_error == 0:
        return effect, min(1.0, 2 * math.comb(len(values), 2) * effect.p_above(0.0))
    studentised = math.sqrt(2) * effect.estimate / effect.standard_error
    return effect, float(stats.studentized_range.sf(studentised, len(values), effect.degrees_of_freedom))


def _mean(values: Mapping[int, float]) -> float:
    return sum(values.values()) / len(values) if values else math.nan


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p values, in the order given.

    Rejecting those below 0.05 limits the probability of any false rejection among them to 5 %.
    """
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted
