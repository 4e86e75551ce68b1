"""Averages over the modules of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trsfnet.models.inception_resnet import ARCHITECTURES


def geometric_mean(values: ArrayLike, axis: int | None = None) -> Any:
    """Return the geometric mean of values from 0, over an axis or over all; it is 0 if a value is 0."""
    with np.errstate(divide="ignore"):
        return np.exp(np.log(values).mean(axis=axis))


MEANS: dict[str, Callable[[np.ndarray], float]] = {
    "geometric": geometric_mean,
    "arithmetic": np.mean,
    "median": np.median,
}
"""The means over modules that claims on the role of the branches must agree on, by name."""


def compared_modules(arch: str) -> int:
    """Return the number of modules over which averages are formed: all but the last.

    The last module has the constant 1 in the original instead of 0.1 to 0.2, and it dominates an arithmetic
    mean. In v1 TRSF leaves it unchanged; in v2 TRSF starts it at 0.1. Averages with it would compare unlike
    modules.
    """
    network = ARCHITECTURES[arch]
    return sum(stage.repeats for stage in (network.block35, network.block17, network.block8))
