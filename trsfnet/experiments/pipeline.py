"""Decides from the folders of runs which of them the pipeline has to execute, and why."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from trsfnet.errors import RecordError
from trsfnet.experiments.code import without_prose
from trsfnet.experiments.record import Record, UnknownFormat, read_record
from trsfnet.experiments.stale import RESULTS_VERSION, why_stale


def code_version(notebook: Path) -> str:
    """Return a hash of what a run's executed notebook depends on: `RESULTS_VERSION` and the notebook's code.

    If only the notebook's code changes, the notebook is executed again and the record is kept. Changes to
    comments and text have no effect.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = [without_prose("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]
    return hashlib.sha256(repr([RESULTS_VERSION, code]).encode()).hexdigest()[:12]


def why_due(path: Path) -> str:
    """Return, in a few words, why the notebook of the run in `path` has to be executed."""
    record = current_record(path)
    if record is None:
        return _why_anew(path)
    if record.ended:
        return "is recorded; only its notebook is executed again"
    epochs = f"resumes after epoch {epochs_done(path)} of {record.config['epochs']}"
    return f"failed, {epochs}" if record.status == "failed" else epochs


def current_record(path: Path) -> Record | None:
    """Return the record in `path` if its results version is current; None if not, missing or damaged."""
    try:
        record = read_record(path)
    except RecordError:
        return None
    return None if why_stale(record) else record


def epochs_done(path: Path) -> int:
    """Return the number of epochs recorded in `path`."""
    try:
        return max(len((path / "history.csv").read_text(encoding="utf-8").splitlines()) - 1, 0)
    except OSError:
        return 0


def _why_anew(path: Path) -> str:
    try:
        return f"is retrained because {why_stale(read_record(path))}"
    except UnknownFormat:
        return "cannot be trained because another version of trsfnet wrote its record"
    except RecordError:
        damaged = (path / "run.json").exists()
        return "is retrained because its record is damaged" if damaged else "is not trained yet"
