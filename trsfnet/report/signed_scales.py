"""Means of scales with their signs, which the paper reports, to stand beside the magnitudes that decide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.quantities import SIGNED_SCALE
from trsfnet.text import decimal


def signed_mean(runs: ComparableRuns, variants: Sequence[str]) -> str:
    """Return the mean of the final scales over seeds and variants, such as `signed mean −0.12`.

    Empty if a variant has no finished run with scales.
    """
    values = [list(runs.values(variant, SIGNED_SCALE).values()) for variant in variants]
    return f"signed mean {decimal(float(np.mean([np.mean(each) for each in values])))}" if all(values) else ""
