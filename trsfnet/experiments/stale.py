"""Runs that earlier code made: why they count as stale, and how they make room for new ones."""

from __future__ import annotations

import os
from pathlib import Path

from trsfnet.experiments.code import changed_files, source_hash
from trsfnet.experiments.record import Record

# What a run writes, besides the notebook that shows it.
_FILES = ("run.json", "history.csv", "parameters.parquet", "scores.parquet", "tensorboard", "checkpoints")


def why_stale(record: Record) -> str:
    """Which code has changed since the run, in a few words; empty if none has."""
    track = record.info["track"]
    if record.info.get("source_hash") == source_hash(track):
        return ""
    if "source_files" not in record.info:
        return "made by earlier code"
    files = changed_files(record.info["source_files"], track)
    others = f" and {len(files) - 3} other files" if len(files) > 3 else ""
    return f"{', '.join(files[:3])}{others} changed"


def set_aside(record: Record) -> Path:
    """Move a run's files into `earlier/<hash of its code>` within its folder, so that it can be made anew.

    Returns:
        Where they went.
    """
    target = record.path / "earlier" / str(record.info.get("source_hash", "unknown"))
    target.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        if (record.path / name).exists() and not (target / name).exists():
            os.rename(record.path / name, target / name)
    return target
