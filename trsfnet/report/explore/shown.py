"""What is seen of a run: one kind of value at one epoch, and its summary in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trsfnet.report.explore.catalogue import Run


@dataclass(frozen=True)
class Kind:
    """A kind of value that a run records for each of its modules.

    Attributes:
        title: in a list of kinds.
        label: of an axis.
        module: what has such a value.
        missing: why a run may have none.
        signed: whether values can be negative.
    """

    title: str
    label: str
    module: str
    missing: str
    signed: bool = True


KINDS = {
    "trsf": Kind("Residual scales (TRSF)", "TRSF", "Block", "its scales are constants"),
    "slope": Kind("PReLU slopes", "Slope α", "PReLU", "its activation has no trainable slope"),
    "ratio": Kind(
        "Residual ratios", "‖branch‖ / ‖trunk‖", "Block", "the run recorded no residual ratios", signed=False
    ),
    "kernel": Kind(
        "Kernel norms", "‖W‖ under the scale", "Block", "the run recorded no kernel norms", signed=False
    ),
}
"""By the names of the record; the last two say how to read the first, which the weights can take over."""


@dataclass(frozen=True)
class Shown:
    """A run's values of one kind at one epoch.

    Attributes:
        run: the run.
        kind: one of `KINDS`.
        epoch: counted from 0, the start; of a run that has fewer, its last counts.
    """

    run: Run
    kind: str
    epoch: int

    @property
    def table(self) -> pd.DataFrame:
        """A row per epoch, a column per module; empty if the run has no values of this kind."""
        return self.run.tables.get(self.kind, pd.DataFrame())

    @property
    def now(self) -> pd.DataFrame:
        """The row of the epoch; empty if the run has no values of this kind."""
        return self.table.loc[: self.epoch].tail(1)

    @property
    def values(self) -> pd.Series:
        """The modules' values at the epoch, in forward order."""
        return self.now.iloc[0] if len(self.now) else pd.Series(dtype=float)

    @property
    def summary(self) -> str:
        """A sentence with the mean, and how many are below zero."""
        kind, values = KINDS[self.kind], self.values
        if not len(values):
            return f"{self.run.name}: {kind.missing}."
        below = f", {int((values < 0).sum())} of {len(values)} below zero" if kind.signed else ""
        last = self.table.index[-1]
        when = f"at epoch {min(self.epoch, last)} of {last}"
        return f"{self.run.name}: {when}, mean {rounded(values.mean())}{below}."


def last_epoch(runs: tuple[Run, ...]) -> int:
    """The last epoch of the longest run."""
    return max(int(table.index[-1]) for run in runs for table in run.tables.values())


def limits(tables: list[pd.DataFrame]) -> tuple[float, float]:
    """The range of all values and zero, a little widened; that of nothing is 0 to 1."""
    values = np.concatenate([[0.0], *(table.to_numpy().ravel() for table in tables)])
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 1.0
    return low - margin if low < 0 else 0.0, high + margin


def rounded(value: float) -> str:
    """A number to three significant digits."""
    return f"{value:#.3g}".replace("-", "−") if np.isfinite(value) else "not a number"
