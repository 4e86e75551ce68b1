"""Differences of proportions between paired runs: estimates, tests and minimum detectable effects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import optimize, special, stats

from trsfnet.analysis.contrasts import POWER
from trsfnet.evaluation.statistics import LEVEL, Interval


@dataclass(frozen=True)
class PairedShares:
    """The share of pairs in which an event happened to the first run, minus that for the second run.

    Attributes:
        only_first: number of pairs in which it happened only to the first run.
        only_second: number of pairs in which it happened only to the second run.
        pairs: number of all pairs, including those without a difference; at least 1.
    """

    only_first: int
    only_second: int
    pairs: int

    paired: ClassVar[bool] = True

    @property
    def seeds(self) -> int:
        """Number of pairs of runs."""
        return self.pairs

    @property
    def estimate(self) -> float:
        """The difference of the shares, in -1..1."""
        return (self.only_first - self.only_second) / self.pairs

    @property
    def interval(self) -> Interval:
        """The 95 % interval of Bonett and Price (2012): Wald's, with a discordant pair of each kind added."""
        total = self.pairs + 2
        first, second = (self.only_first + 1) / total, (self.only_second + 1) / total
        error = math.sqrt((first + second - (first - second) ** 2) / total)
        half = float(special.ndtri((1 + LEVEL) / 2)) * error
        middle = first - second
        return Interval(self.estimate, max(-1.0, middle - half), min(1.0, middle + half))

    @property
    def alike(self) -> bool:
        """True if the event happened to both runs, or to neither, in every pair."""
        return not (self.only_first or self.only_second)

    @property
    def p_less(self) -> float:
        """One-sided p value of the sign test against "it happens to the first run at least as often"."""
        return _sign_test(self.only_second, self.only_first + self.only_second)

    @property
    def p_more(self) -> float:
        """One-sided p value of the sign test against "it happens to the first run at most as often"."""
        return _sign_test(self.only_first, self.only_first + self.only_second)

    def minimum_detectable(self, alpha: float, power: float = POWER) -> float:
        """Return the smallest true difference that the two-sided sign test at `alpha` detects.

        It depends on the number of pairs and on the share of pairs that differ in the opposite direction, for
        which the smaller observed share is used (with one pair added, as in the interval).

        Args:
            alpha: level of the test.
            power: required probability of detection.

        Returns:
            The difference; 1 if no difference can be detected.
        """
        numbers = np.arange(self.pairs + 1)
        needed = stats.binom.isf(alpha / 2, numbers, 0.5) + 1
        against = (min(self.only_first, self.only_second) + 1) / (self.pairs + 2)

        def shown(difference: float) -> float:
            differing = 2 * against + difference
            seen = stats.binom.sf(needed - 1, numbers, (against + difference) / differing)
            return float(stats.binom.pmf(numbers, self.pairs, differing) @ seen)

        largest = 1 - 2 * against
        if shown(largest) < power:
            return 1.0
        return float(optimize.brentq(lambda difference: shown(difference) - power, 0.0, largest))


def _sign_test(successes: int, trials: int) -> float:
    """Return the probability of at least this many successes if both outcomes are equally likely."""
    return float(stats.binomtest(successes, trials, alternative="greater").pvalue) if trials else 1.0
