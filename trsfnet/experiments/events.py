"""TensorBoard events: learning curves, and histograms of scales, slopes and residual ratios."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from trsfnet.training.history import History


class Events:
    """Writes a run's history to `folder` as TensorBoard events, epoch by epoch."""

    def __init__(self, folder: Path) -> None:
        self._writer = SummaryWriter(str(folder))

    def write(self, history: History) -> None:
        """Write the last epoch of `history`."""
        row = history.epochs[-1]
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
        self._writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self._writer.close()
