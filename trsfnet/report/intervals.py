"""Intervals at 95 %: how far a number could be from what it estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and its bounds, all in the unit of what is estimated."""

    value: float
    low: float
    high: float


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's interval of a share from independent trials.

    Raises:
        ValueError: fewer than one trial, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"{successes} successes in {trials} trials are impossible.")
    z = float(special.ndtri((1 + LEVEL) / 2))
    share = successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return Interval(share, centre - half, centre + half)


def mean_over_seeds(values: Sequence[float]) -> Interval | None:
    """Student's t interval of the mean over seeds; None for fewer than two of them."""
    if len(values) < 2:
        return None
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return _around(float(np.mean(values)), error, len(values) - 1)


def difference(values: Sequence[float], baseline: Sequence[float]) -> Interval | None:
    """Welch's t interval of mean(`values`) - mean(`baseline`); None if either has fewer than two seeds."""
    if min(len(values), len(baseline)) < 2:
        return None
    variances = [float(np.var(x, ddof=1)) / len(x) for x in (values, baseline)]
    total = sum(variances)
    weights = sum(v**2 / (len(x) - 1) for v, x in zip(variances, (values, baseline), strict=True))
    # Equal values within each group leave nothing to estimate; the freedom is then of no account.
    freedom = total**2 / weights if weights else 1.0
    return _around(float(np.mean(values) - np.mean(baseline)), math.sqrt(total), freedom)


def _around(centre: float, standard_error: float, freedom: float) -> Interval:
    half = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) * standard_error
    return Interval(centre, centre - half, centre + half)
