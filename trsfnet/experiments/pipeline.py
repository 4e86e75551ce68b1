"""Which runs the pipeline has to make, and why, from what their folders hold."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from trsfnet.errors import RecordError
from trsfnet.experiments.code import without_prose
from trsfnet.experiments.record import Record, read_record
from trsfnet.experiments.stale import RESULTS_VERSION, why_stale


def code_version(notebook: Path) -> str:
    """Names what an executed notebook of a run depends on: the arithmetic and the notebook's own code.

    A change of the notebook's code alone has the notebook executed again and keeps the record; a change of
    its prose does nothing.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = [without_prose("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]
    return hashlib.sha256(repr([RESULTS_VERSION, code]).encode()).hexdigest()[:12]


def why_due(path: Path) -> str:
    """Why the notebook of the run in `path` has to be executed, in a few words."""
    record = current_record(path)
    if record is None:
        return _why_anew(path)
    if record.status in ("done", "collapsed"):
        return "is recorded; only its notebook is executed again"
    epochs = f"resumes after epoch {epochs_done(path)} of {record.config['epochs']}"
    return f"failed, {epochs}" if record.status == "failed" else epochs


def current_record(path: Path) -> Record | None:
    """The record in `path` made by the present arithmetic; None if there is none or it is damaged."""
    try:
        record = read_record(path)
    except RecordError:
        return None
    return None if why_stale(record) else record


def epochs_done(path: Path) -> int:
    """How many epochs the record in `path` holds."""
    try:
        return max(len((path / "history.csv").read_text(encoding="utf-8").splitlines()) - 1, 0)
    except OSError:
        return 0


def _why_anew(path: Path) -> str:
    try:
        return f"is retrained because {why_stale(read_record(path))}"
    except RecordError:
        damaged = (path / "run.json").exists()
        return "is retrained because its record is damaged" if damaged else "is not trained yet"
