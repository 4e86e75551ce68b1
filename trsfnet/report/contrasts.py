"""Differences over seeds: how large, how sure, and how large they must be to be seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from trsfnet.evaluation.statistics import LEVEL, Interval

# With two seeds the spread is itself a guess: a verdict needs this many of each setting.
MIN_SEEDS = 3
# How likely the smallest effect that a design can see is to be seen.
POWER = 0.8


@dataclass(frozen=True)
class Effect:
    """An estimate whose error follows Student's t.

    Attributes:
        estimate: in the unit of what was measured.
        standard_error: of the estimate.
        freedom: degrees of freedom of the error.
        seeds: of the setting with the fewest, or those in common if `paired`.
        paired: whether values of the same seed were subtracted from each other.
    """

    estimate: float
    standard_error: float
    freedom: float
    seeds: int
    paired: bool

    @property
    def interval(self) -> Interval:
        """At 95 %, of this effect alone."""
        half = float(special.stdtrit(self.freedom, (1 + LEVEL) / 2)) * self.standard_error
        return Interval(self.estimate, self.estimate - half, self.estimate + half)

    def p_above(self, bound: float) -> float:
        """One-sided p value against "the true effect is at most `bound`"."""
        distance = self.estimate - bound
        if self.standard_error == 0:
            return 0.0 if distance > 0 else 1.0
        return float(stats.t.sf(distance / self.standard_error, self.freedom))

    def p_below(self, bound: float) -> float:
        """One-sided p value against "the true effect is at least `bound`"."""
        return Effect(-self.estimate, self.standard_error, self.freedom, 0, self.paired).p_above(-bound)

    def detectable(self, alpha: float) -> float:
        """The smallest true distance from a bound that a two-sided test at `alpha` sees in 80 of 100 trials.

        It follows from the observed spread and the number of seeds, not from the estimate.
        """
        critical = float(special.stdtrit(self.freedom, 1 - alpha / 2))
        return float(special.nctdtrinc(self.freedom, 1 - POWER, critical)) * self.standard_error


def contrast(values: Sequence[Mapping[int, float]], weights: Sequence[float]) -> Effect | None:
    """The weighted sum of settings' means over seeds.

    Runs of one seed share their first weights and their order of images. Where all settings have
    `MIN_SEEDS` seeds in common, the weighted sum is therefore taken within each of these and its mean
    tested by Student's t (paired for two settings); otherwise over all seeds of each, by Welch's t.

    Args:
        values: of each setting, by seed.
        weights: of each setting.

    Returns:
        None with fewer than two seeds of any setting.
    """
    if min(map(len, values)) < 2:
        return None
    common = sorted(set.intersection(*(set(v) for v in values)))
    if len(common) >= MIN_SEEDS:
        sums = np.array([[v[seed] for seed in common] for v in values]).T @ np.asarray(weights)
        error = float(sums.std(ddof=1)) / math.sqrt(len(common))
        return Effect(float(sums.mean()), _rounded(error, sums), len(common) - 1, len(common), True)
    arrays = [np.fromiter(v.values(), float) for v in values]
    estimate = sum(w * float(a.mean()) for w, a in zip(weights, arrays, strict=True))
    parts = [w**2 * float(a.var(ddof=1)) / len(a) for w, a in zip(weights, arrays, strict=True)]
    total = sum(parts)
    spread = sum(part**2 / (len(a) - 1) for part, a in zip(parts, arrays, strict=True))
    # Without any spread there is nothing to estimate, and the freedom is of no account.
    freedom = total**2 / spread if spread else 1.0
    return Effect(estimate, math.sqrt(total), freedom, min(map(len, arrays)), False)


def _rounded(error: float, sums: np.ndarray) -> float:
    """Zero for an error that is but the rounding of equal sums."""
    return error if error > 1e-12 * max(1.0, float(np.abs(sums).max())) else 0.0


def largest_difference(values: Sequence[Mapping[int, float]]) -> tuple[Effect, float] | None:
    """The best setting's mean less the worst one's, and Tukey's p value of so wide a range of means.

    The pooled spread and number of settings are accounted for by the studentised range (Tukey-Kramer);
    the effect's own standard error is that of two settings picked beforehand.

    Returns:
        None with fewer than two seeds of any setting.
    """
    if min(map(len, values)) < 2:
        return None
    arrays = [np.fromiter(v.values(), float) for v in values]
    means = [float(a.mean()) for a in arrays]
    best, worst = int(np.argmax(means)), int(np.argmin(means))
    freedom = sum(len(a) - 1 for a in arrays)
    pooled = sum(float(a.var(ddof=1)) * (len(a) - 1) for a in arrays) / freedom
    error = math.sqrt(pooled * (1 / len(arrays[best]) + 1 / len(arrays[worst])))
    effect = Effect(means[best] - means[worst], error, freedom, min(map(len, arrays)), False)
    if error == 0:
        return effect, effect.p_above(0.0)
    studentised = math.sqrt(2) * effect.estimate / error
    return effect, float(stats.studentized_range.sf(studentised, len(arrays), freedom))


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
