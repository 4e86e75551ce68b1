"""Runs whose arithmetic is not the present one: how they are told apart and make room for new ones."""

from __future__ import annotations

import os
from pathlib import Path

from trsfnet.experiments.record import Record

RESULTS_VERSION = 2
"""Which arithmetic makes a run's numbers.

Raise it when a change makes a run of an unchanged configuration end with other numbers, beyond rounding.
`tests/golden` holds the arithmetic to committed values, so such a change cannot pass unnoticed.

- 1: the pilot on LFW.
- 2: batch norm, slopes and scales in one pass on the CPU; renderer 3.
"""

# What a run writes, besides the notebook that shows it.
_FILES = ("run.json", "history.csv", "parameters.parquet", "scores.parquet", "tensorboard", "checkpoints")


def results_version(record: Record) -> int:
    """The arithmetic that made a run; 0 if its record does not say."""
    return int(record.info.get("results_version", 0))


def why_stale(record: Record) -> str:
    """Why the present code would give other numbers, in a few words; empty if it would not."""
    version = results_version(record)
    if version == RESULTS_VERSION:
        return ""
    return f"its results version is {version} and the current one is {RESULTS_VERSION}"


def set_aside(record: Record) -> Path:
    """Move a run's files into `earlier/<results version>` within its folder, so that it can be made again.

    Returns:
        Where they went.
    """
    target = record.path / "earlier" / str(results_version(record))
    target.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        if (record.path / name).exists() and not (target / name).exists():
            os.rename(record.path / name, target / name)
    return target
