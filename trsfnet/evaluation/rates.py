"""How many trials a rate allows, the same in every protocol."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

Rate = TypeVar("Rate", float, np.ndarray)

# Rounding must not lose a trial: 0.29 * 100 is below 29.
_ROUNDING = 1e-6


def allowed(rate: Rate, trials: float) -> Rate:
    """Return how many of `trials` may be accepted at `rate`, such as different-person pairs at a FAR.

    The result is an upper bound, rounded up by less than any weight of a trial; `int` of it is a number of
    trials of weight 1.
    """
    return rate * trials + _ROUNDING
