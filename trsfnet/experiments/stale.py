"""Stale runs, whose numbers the current code would not reproduce: detecting them and setting them aside."""

from __future__ import annotations

import os
from pathlib import Path

from trsfnet.experiments.record import Record

RESULTS_VERSION = 2
"""Version of the arithmetic that produces a run's numbers.

Raise it with any change that alters the results of an unchanged configuration beyond rounding. `tests/golden`
compares the arithmetic with committed values, so such a change cannot go unnoticed.

- 1: the pilot on LFW.
- 2: batch norm, slopes and scales in one pass on the CPU; renderer 3.
"""

# The files and folders that a run writes, except its notebook.
_FILES = ("run.json", "history.csv", "parameters.parquet", "scores.parquet", "tensorboard", "checkpoints")


def results_version(record: Record) -> int:
    """Return the results version with which a run was made; 0 if its record has none."""
    return int(record.info.get("results_version", 0))


def why_stale(record: Record) -> str:
    """Return, in a few words, why the current code would give different numbers; empty if it would not."""
    version = results_version(record)
    if version == RESULTS_VERSION:
        return ""
    return f"its results version is {version} and the current one is {RESULTS_VERSION}"


def set_aside(record: Record) -> Path:
    """Move a run's files into `earlier/<results version>` within its folder, so that it can be retrained.

    Returns:
        The folder to which they were moved.
    """
    target = record.path / "earlier" / str(results_version(record))
    target.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        if (record.path / name).exists() and not (target / name).exists():
            os.rename(record.path / name, target / name)
    return target
