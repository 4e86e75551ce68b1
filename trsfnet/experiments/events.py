"""TensorBoard events: learning curves, and histograms of scales, slopes and residual ratios."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from trsfnet.training.history import History


class Events:
    """Writes a run's history to `folder` as TensorBoard events, epoch by epoch.

    Args:
        folder: the folder of the events.
        written: number of epochs that it already has.
    """

    def __init__(self, folder: Path, written: int) -> None:
        self._writer, self._written = SummaryWriter(str(folder)), written

    def write(self, history: History) -> None:
        """Write the epochs of `history` that are not written yet.

        There may be several: a run can be killed after its checkpoint and before its events.
        """
        for row in history.epochs[self._written :]:
            self._write_epoch(row, history)
        self._written = max(self._written, len(history.epochs))
        self._writer.flush()

    def _write_epoch(self, row: Mapping[str, float], history: History) -> None:
        for name, value in row.items():
            if name not in ("epoch", "step"):
                self._writer.add_scalar(name.replace("@", "/"), value, row["epoch"])
        for kind in ("trsf", "slope", "ratio"):
            values = [
                p["value"] for p in history.parameters if p["kind"] == kind and p["epoch"] == row["epoch"]
            ]
            if values:
                self._writer.add_histogram(kind, np.array(values), row["epoch"])
                self._writer.add_scalar(f"{kind}/mean", float(np.mean(values)), row["epoch"])

    def close(self) -> None:
        """Flush and close the file."""
        self._writer.close()
