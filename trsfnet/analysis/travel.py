"""Slopes, scales and branches of runs with different schedules, by the travel of the schedule."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.analysis.averages import MEANS, compared_modules
from trsfnet.analysis.reach import run_regimes
from trsfnet.analysis.run import Run, latest
from trsfnet.experiments.budgets import LONG_STUDIES
from trsfnet.experiments.variants import GRID

# The budgets whose runs are compared: the others have other learning rates, or are too short.
BUDGETS = ("short", "pilot", "mechanism", "full", *LONG_STUDIES)
# Long runs cover a wide range of travel, so they count this many times, after equal parts of their travel.
_POINTS = 10
_VARIANTS = {v.key for v in GRID if v.loss == "softmax" and v.slope_init is None}

VALUES = {
    "negative_slopes": ("slope", lambda x: (x < 0).mean()),
    "scale": ("trsf", lambda x: np.abs(x).mean()),
    "ratio": ("ratio", MEANS["arithmetic"]),
    "ratio_geometric": ("ratio", MEANS["geometric"]),
    "ratio_median": ("ratio", MEANS["median"]),
}
"""What is compared: the kind of value in the record, and its average over modules."""


def by_travel(runs: Iterable[Run]) -> pd.DataFrame:
    """Return a table of slopes, scales and branches by schedule, network and variant.

    Only runs with the paper's initial values and with decay on all kernels are included. The values are
    final, except that long runs count after each tenth of their travel.

    Returns:
        A table with the columns `track`, `budget`, `arch`, `variant`, `weight_decay`, `travel` and
        `decay_budget` up to then, `runs` (their number), and means over runs of `negative_slopes` (share of
        slopes below 0; NaN without PReLU), `scale` (mean magnitude of the trained scales; NaN without TRSF)
        and `ratio`, `ratio_geometric` and `ratio_median` (norm of the branch over that of the trunk:
        arithmetic mean, geometric mean and median over all modules but the last; NaN without TRSF).
    """
    rows = [row for run in latest(filter(_is_compared, runs), _key) for row in _rows(run)]
    columns = ["track", "budget", "arch", "variant", "weight_decay", "travel", "decay_budget"]
    if not rows:
        return pd.DataFrame(columns=[*columns, "runs", *VALUES])
    groups = pd.DataFrame(rows).groupby(columns, sort=False)
    return groups[list(VALUES)].mean().assign(runs=groups.size()).reset_index().sort_values(columns[5:])


def _key(run: Run) -> Hashable:
    """Return what runs share that differ in the precision alone."""
    return run.track, run.budget, run.variant, run.config["weight_decay"], run.learning_rate, run.seed


def _is_compared(run: Run) -> bool:
    settings = run.settings
    return (
        run.done
        and run.budget in BUDGETS
        and run.variant in _VARIANTS
        and settings.decayed == "all"
        and settings.slope_floor == -math.inf
        and settings.projection_gain == 1
    )


def _rows(run: Run) -> Iterator[dict[str, Any]]:
    regimes = run_regimes(run)
    travels = np.array([regime.travel for regime in regimes])
    points = _POINTS if run.budget in LONG_STUDIES else 1
    parts = travels[-1] * np.arange(1, points + 1) / points
    # The first epoch with at least this travel, despite rounding.
    for epoch in 1 + np.searchsorted(travels, parts * (1 - 1e-9)):
        reached = regimes[epoch - 1]
        yield {
            "track": run.track,
            "budget": run.budget,
            "arch": run.config["arch"],
            "variant": run.variant,
            "weight_decay": run.config["weight_decay"],
            "travel": round(reached.travel, 3),
            "decay_budget": round(reached.decay_budget, 4),
            **{name: _value(run, name, epoch) for name in VALUES},
        }


def _value(run: Run, name: str, epoch: int) -> float:
    kind, mean = VALUES[name]
    table = run.learned.get(kind)
    if table is None or epoch not in table.index or (kind == "ratio" and not run.config["trsf"]):
        return math.nan
    values = table.loc[epoch].dropna().to_numpy(float)
    return float(mean(values[: compared_modules(run.config["arch"])] if kind == "ratio" else values))
