"""The displayed part of a run: one kind of value at one epoch, with a summary in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trsfnet.report.explore.catalogue import Run


@dataclass(frozen=True)
class Kind:
    """A kind of value that a run records for each of its modules.

    Attributes:
        title: name in a list of kinds.
        label: label of an axis.
        module: name of the module that has such a value.
        missing: reason why a run may have no such values.
        signed: whether values can be negative.
    """

    title: str
    label: str
    module: str
    missing: str
    signed: bool = True


KINDS = {
    "trsf": Kind("Residual scales (TRSF)", "TRSF", "Module", "its scales are constants"),
    "slope": Kind("PReLU slopes", "Slope α", "PReLU", "its activation has no trainable slope"),
    "ratio": Kind(
        "Residual ratios", "‖branch‖ / ‖trunk‖", "Module", "the run recorded no residual ratios", signed=False
    ),
    "kernel": Kind(
        "Kernel norms",
        "‖W‖ that the scale multiplies",
        "Module",
        "the run recorded no kernel norms",
        signed=False,
    ),
}
"""Kinds by their name in the record. Ratios and kernel norms are needed to interpret the scales, because the
kernels can absorb a scale."""


@dataclass(frozen=True)
class Shown:
    """A run's values of one kind at one epoch.

    Attributes:
        run: the run.
        kind: one of `KINDS`.
        epoch: epoch from 0 (before training); the last epoch is used if the run has fewer.
    """

    run: Run
    kind: str
    epoch: int

    @property
    def table(self) -> pd.DataFrame:
        """Values with a row per epoch and a column per module; empty if the run has none of this kind."""
        return self.run.tables.get(self.kind, pd.DataFrame())

    @property
    def now(self) -> pd.DataFrame:
        """The row of `table` for the epoch; empty if the run has no values of this kind."""
        return self.table.loc[: self.epoch].tail(1)

    @property
    def values(self) -> pd.Series:
        """Values of the modules at the epoch, in forward order."""
        return self.now.iloc[0] if len(self.now) else pd.Series(dtype=float)

    @property
    def summary(self) -> str:
        """A sentence with the mean and, for signed kinds, the number of values below zero."""
        kind, values = KINDS[self.kind], self.values
        if not len(values):
            return f"{self.run.name}: {kind.missing}."
        below = f", {int((values < 0).sum())} of {len(values)} below zero" if kind.signed else ""
        last = self.table.index[-1]
        when = f"at epoch {min(self.epoch, last)} of {last}"
        return f"{self.run.name}: {when}, mean {rounded(values.mean())}{below}."


def last_epoch(runs: tuple[Run, ...]) -> int:
    """Return the last epoch of the longest run."""
    return max(int(table.index[-1]) for run in runs for table in run.tables.values())


def limits(tables: list[pd.DataFrame]) -> tuple[float, float]:
    """Return the range of all finite values and zero, slightly widened; (0, 1) without values."""
    values = np.concatenate([[0.0], *(table.to_numpy().ravel() for table in tables)])
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 1.0
    return low - margin if low < 0 else 0.0, high + margin


def rounded(value: float) -> str:
    """Format a number with three significant digits."""
    return f"{value:#.3g}".replace("-", "−") if np.isfinite(value) else "not a number"
