"""Stale runs, whose numbers the current code would not reproduce: detecting them and setting them aside."""

from __future__ import annotations

import os
from itertools import chain, count
from pathlib import Path

from trsfnet.experiments.record import Record

RESULTS_VERSION = 2
"""Version of the arithmetic that produces a run's numbers.

Raise it with any change that alters the results of an unchanged configuration beyond rounding. `tests/golden`
compares the arithmetic with committed values, so such a change cannot go unnoticed.

- 1: the pilot on LFW.
- 2: batch norm, slopes and scales in one pass on the CPU; renderer 3.
"""

# The files and folders that a run writes, except its notebook. The checkpoints move first, because without
# them nothing can resume, and the record last, because with it an interrupted move is repeated.
_FILES = ("checkpoints", "tensorboard", "history.csv", "parameters.parquet", "scores.parquet", "run.json")


def results_version(record: Record) -> int:
    """Return the results version with which a run was made; 0 if its record has none."""
    return int(record.info.get("results_version", 0))


def why_stale(record: Record) -> str:
    """Return, in a few words, why the current code would give different numbers; empty if it would not."""
    version = results_version(record)
    if version == RESULTS_VERSION:
        return ""
    if not version:
        return f"it is unknown by which results version it was made; the current one is {RESULTS_VERSION}"
    return f"its results version is {version} and the current one is {RESULTS_VERSION}"


def set_aside(record: Record) -> Path:
    """Move a run's files into `earlier/<results version>` within its folder, so that it can be retrained.

    If a run of that version is already there, the folder's name is followed by `-2`, `-3` and so on.

    Returns:
        The folder to which they were moved.
    """
    earlier, version = record.path / "earlier", results_version(record)
    names = chain([str(version)], (f"{version}-{number}" for number in count(2)))
    target = next(earlier / name for name in names if not (earlier / name / _FILES[-1]).exists())
    target.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        if (record.path / name).exists():
            os.rename(record.path / name, target / name)
    return target
