"""Reads records in both forms: studies, as committed, and folders, as written by training."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from trsfnet.errors import RecordError
from trsfnet.experiments.record.base import Record
from trsfnet.experiments.record.folder import RECORD, read_folder
from trsfnet.experiments.record.study import is_study, read_study


def read_record(path: Path) -> Record:
    """Read the record at `path`: a run's folder, or a study's folder followed by the id of a run.

    Raises:
        RecordError: the record is missing or damaged.
        UnknownFormat: another version of trsfnet wrote it.
    """
    if path.is_dir() or not is_study(path.parent):
        return read_folder(path)
    runs = read_study(path.parent).runs
    if path.name not in runs:
        raise RecordError(f"The study {path.parent} has no run {path.name}.")
    return runs[path.name]


def read_records(roots: Iterable[Path]) -> tuple[list[Record], list[str]]:
    """Read all records under `roots`; return them with one sentence for each that cannot be read.

    A run found under several roots is taken from the last one, so that a user's rerun replaces ours, but not
    before it has ended. Within a root, a run's own folder takes precedence over its line in a study.
    """
    found: dict[tuple[str, str], Record] = {}
    problems: list[str] = []
    for root in roots:
        for folder in sorted(folder for folder in root.glob("*") if is_study(folder)):
            study = read_study(folder)
            found.update({(run.track, run.run_id): run for run in study.runs.values()})
            problems += study.problems
        for file in sorted(root.glob(f"*/*/{RECORD}")):
            try:
                record = read_folder(file.parent)
            except RecordError as error:
                problems.append(str(error))
                continue
            earlier = found.get((record.track, record.run_id))
            if earlier is None or record.ended or not earlier.ended:
                found[record.track, record.run_id] = record
    return list(found.values()), problems
