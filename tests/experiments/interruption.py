"""A run that is interrupted after its first epoch."""

from __future__ import annotations

from pathlib import Path

import pytest

from trsfnet.experiments import run as module
from trsfnet.experiments.record import Record, read_record
from trsfnet.training.config import TrainConfig


def interrupted(monkeypatch: pytest.MonkeyPatch, config: TrainConfig, runs: Path) -> Record:
    """Start a run, interrupt it after one epoch as Ctrl-C does, and return its record."""
    line = module.epoch_line

    def interrupt(config, history):
        if len(history.epochs) == 1:
            raise KeyboardInterrupt
        return line(config, history)

    monkeypatch.setattr(module, "epoch_line", interrupt)
    with pytest.raises(KeyboardInterrupt):
        module.run(config, runs=runs)
    return read_record(runs / config.track / config.run_id)
