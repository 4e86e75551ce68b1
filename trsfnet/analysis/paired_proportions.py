"""Differences of shares between paired runs: how large, how sure, and how large to be detected."""

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
    """In what share of pairs something happened to the first run, less that to the second.

    Attributes:
        only_first: pairs in which it happened to the first alone.
        only_second: pairs in which it happened to the second alone.
        pairs: all of them, those that ended alike as well; at least one.
    """

    only_first: int
    only_second: int
    pairs: int

    paired: ClassVar[bool] = True

    @property
    def seeds(self) -> int:
        """The pairs of runs."""
        return self.pairs

    @property
    def estimate(self) -> float:
        """In -1..1."""
        return (self.only_first - self.only_second) / self.pairs

    @property
    def interval(self) -> Interval:
        """At 95 %, by Bonett and Price (2012): Wald's, after one more pair of either kind that differs."""
        total = self.pairs + 2
        first, second = (self.only_first + 1) / total, (self.only_second + 1) / total
        error = math.sqrt((first + second - (first - second) ** 2) / total)
        half = float(special.ndtri((1 + LEVEL) / 2)) * error
        middle = first - second
        return Interval(self.estimate, max(-1.0, middle - half), min(1.0, middle + half))

    @property
    def p_less(self) -> float:
        """One-sided p value of the sign test against "it does not happen to the first less often"."""
        return _sign_test(self.only_second, self.only_first + self.only_second)

    @property
    def p_more(self) -> float:
        """One-sided p value of the sign test against "it does not happen to the first more often"."""
        return _sign_test(self.only_first, self.only_first + self.only_second)

    def minimum_detectable(self, alpha: float, power: float = POWER) -> float:
        """The smallest true difference that the sign test at `alpha`, two-sided, sees in 80 of 100 trials.

        It follows from the number of pairs and from the share that differs the other way, which is taken as
        the smaller one found (after one more pair, as in the interval). 1 where no difference can be seen.
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
    """One-sided p value of as many successes or more, were either outcome as likely."""
    return float(stats.binomtest(successes, trials, alternative="greater").pvalue) if trials else 1.0
