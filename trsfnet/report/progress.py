"""Progress of the pipeline, read from the run records: a line when a run ends, and the remaining time."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from trsfnet.experiments.pipeline import current_record, epochs_done
from trsfnet.experiments.record import ENDED
from trsfnet.report.cost import macs_per_image
from trsfnet.text import counted, duration
from trsfnet.training.config import TrainConfig

# Statuses of runs that are no longer being trained.
_STOPPED = (*ENDED, "failed")


class Progress:
    """Watches the folders of planned runs in a background thread, between `start` and `finish`.

    Epochs are weighted by the network's multiply-accumulates, so that the remaining time is accurate although
    v2 takes twice as long as v1. The bar appears only on terminals, the lines also in logs.
    """

    def start(self, runs: Mapping[Path, TrainConfig]) -> None:
        """Start watching.

        Args:
            runs: the planned runs, resolved, by the folder of their record.
        """
        self._cost = {path: macs_per_image(config) for path, config in runs.items()}
        self._epochs = {path: config.epochs or 1 for path, config in runs.items()}
        self._status = {path: _status(path) for path in runs}
        self._total = sum(self._cost[path] * self._epochs[path] for path in runs)
        self._started, self._before = time.monotonic(), self._done()
        self._bar = tqdm(
            total=self._total,
            initial=self._before,
            bar_format="{percentage:3.0f}%|{bar}|{desc}",
            disable=None,
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Stop watching and print how the runs ended, naming those that did not finish and their logs."""
        self._stop.set()
        self._thread.join()
        self._look()
        self._bar.close()
        self._status = {p: "interrupted" if s == "running" else s for p, s in self._status.items()}
        for path, status in self._status.items():
            if status not in ENDED:
                tqdm.write(f"not done: {path.parent.name} {path.name}: {_reason(path)}", file=sys.stderr)
                tqdm.write(f"  its output is in {path / 'train.log'}", file=sys.stderr)
        tqdm.write(f"{counted(len(self._status), 'run')}: {self._tally()}", file=sys.stderr)

    def _watch(self) -> None:
        while not self._stop.wait(2):
            self._look()

    def _look(self) -> None:
        """Announce the runs that ended since the last call, and update the bar."""
        ended = []
        for path, before in self._status.items():
            self._status[path] = status = _status(path)
            if status != before and status in _STOPPED:
                ended.append(f"{status}: {path.parent.name} {path.name}")
        done = self._done()
        summary = f"{self._tally()}; {self._left(done)}"
        for line in ended:
            tqdm.write(f"{line} ({summary})", file=sys.stderr)
        self._bar.n = done
        self._bar.set_description_str(f" {summary}")

    def _left(self, done: float) -> str:
        """Estimate the remaining time from the speed since the start, including parallel runs."""
        if done == self._before:
            return "remaining time not known yet"
        seconds = (time.monotonic() - self._started) * (self._total - done) / (done - self._before)
        return f"about {duration(seconds)} left"

    def _done(self) -> float:
        """Return the number of recorded epochs, weighted by the multiply-accumulates per image."""
        return sum(self._cost[path] * self._finished_epochs(path) for path in self._cost)

    def _finished_epochs(self, path: Path) -> int:
        if self._status[path] == "due":
            return 0
        return self._epochs[path] if self._status[path] in ENDED else epochs_done(path)

    def _tally(self) -> str:
        counts = Counter(self._status.values())
        order = (*_STOPPED, "running", "interrupted", "due")
        return ", ".join(f"{counts[status]} {status}" for status in order if counts[status])


def _status(path: Path) -> str:
    """Return the status of the record in `path` made by the current code; `due` if there is none."""
    record = current_record(path)
    return record.status if record else "due"


def _reason(path: Path) -> str:
    """Return the reason for failure from the record, or else the last line of the notebook's output."""
    record = current_record(path)
    if record and record.status == "failed":
        return record.info["message"]
    try:
        lines = (path / "train.log").read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return "it never started."
    return next((line.strip() for line in reversed(lines) if line.strip()), "it ended without a message.")
