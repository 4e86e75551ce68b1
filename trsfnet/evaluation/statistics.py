"""Confidence intervals at 95 % and tests of a difference.

These formulas assume independent observations. Pairs of faces are not independent, since one person appears
in many of them: for shares of pairs see `trsfnet.evaluation.bootstrap`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import special

from trsfnet.errors import ConfigError

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and its bounds, all in the unit of the estimated quantity."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return the fields by name."""
        return asdict(self)


def wilson(successes: int, trials: int) -> Interval:
    """Return Wilson's interval for a share of independent trials; average coverage is close to nominal.

    Raises:
        ValueError: if there is less than one trial, or more successes than trials.
    """
    return _of_count(successes, trials, "wilson")


def clopper_pearson(successes: int, trials: int) -> Interval:
    """Return the exact interval for a share of independent trials; coverage is never below nominal.

    Raises:
        ValueError: if there is less than one trial, or more successes than trials.
    """
    return _of_count(successes, trials, "exact")


def _binomial_test(successes: int, trials: int) -> Any:
    # Imported here, because importing scipy.stats takes most of a second, which few commands need.
    from scipy.stats import binomtest

    return binomtest(successes, trials)


def _of_count(successes: int, trials: int, method: str) -> Interval:
    bounds = _binomial_test(successes, trials).proportion_ci(LEVEL, method)
    return Interval(successes / trials, float(bounds.low), float(bounds.high))


def mean_over_seeds(values: Sequence[float]) -> Interval | None:
    """Return Student's t interval of the mean over seeds; None for fewer than two seeds."""
    if len(values) < 2:
        return None
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half = float(special.stdtrit(len(values) - 1, (1 + LEVEL) / 2)) * error
    return Interval(mean, mean - half, mean + half)


def fieller(numerators: Sequence[float], denominators: Sequence[float]) -> Interval | None:
    """Compute Fieller's interval for the ratio of two means over the same seeds.

    Args:
        numerators: numerator value of each seed.
        denominators: denominator value of each seed, in the same order.

    Returns:
        The interval; None for fewer than two seeds, or if the mean of the denominators does not differ
        significantly from 0 at the 95 % level, so that the ratio is unbounded.
    """
    n = len(numerators)
    if n < 2:
        return None
    top, bottom = float(np.mean(numerators)), float(np.mean(denominators))
    (v_top, v_both), (_, v_bottom) = np.cov(numerators, denominators) / n
    t2 = float(special.stdtrit(n - 1, (1 + LEVEL) / 2)) ** 2
    a, b, c = bottom**2 - t2 * v_bottom, top * bottom - t2 * v_both, top**2 - t2 * v_top
    if a <= 0:
        return None
    half = math.sqrt(max(0.0, b**2 - a * c))
    return Interval(top / bottom, float((b - half) / a), float((b + half) / a))


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test of whether two models succeed equally often on the same items.

    Attributes:
        both: number of items on which both succeed.
        only_first: number of items on which only the first succeeds.
        only_second: number of items on which only the second succeeds.
        neither: number of items on which neither succeeds.
        p_value: probability of a split of the discordant items at least as uneven as observed if both models
            were equally good and the items independent. Pairs of faces are not independent, which makes it
            too small.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float

    def to_dict(self) -> dict[str, float]:
        """Return the fields by name."""
        return asdict(self)


def mcnemar(first: np.ndarray, second: np.ndarray) -> McNemar:
    """Compare two models by which of the same items each gets right.

    Args:
        first: bool [N], True for items on which the first model succeeds.
        second: bool [N], True for items on which the second model succeeds.

    Raises:
        ConfigError: if the lengths differ.
    """
    if first.shape != second.shape:
        raise ConfigError(
            f"McNemar's test needs results on the same items, got {len(first)} and {len(second)} of them."
        )
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    discordant = only_first + only_second
    return McNemar(
        both=int(np.sum(first & second)),
        only_first=only_first,
        only_second=only_second,
        neither=int(np.sum(~first & ~second)),
        p_value=float(_binomial_test(only_first, discordant).pvalue) if discordant else 1.0,
    )
