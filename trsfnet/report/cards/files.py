"""Links from a card to the files of its run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from trsfnet.experiments.record import RECORD, Record

_ABOUT = {
    "run.json": "everything on this page except the curves",
    "history.csv": "one row per epoch",
    "parameters.parquet": "every scale and slope per epoch",
    "scores.parquet": "scores of the final evaluation",
    "train.ipynb": "the executed notebook",
    # Files of a study, which also contain its other runs.
    "runs.csv": "one row for each run of the study",
    "runs.jsonl": "one line for each run of the study: its `run.json`",
    "history.parquet": "one row per epoch of each run of the study",
}

# Largest file to link to, because the book contains a copy of each linked file.
_LARGEST_COPY = 250_000  # bytes


def record_copy(record: Record) -> dict[str, str]:
    """Return the file with a copy of the record, by name; empty if the run's folder has its own record."""
    if RECORD in record.files:
        return {}
    return {f"{record.path.name}.json": json.dumps(record.info, indent=1, ensure_ascii=False) + "\n"}


def record_file(record: Record, place: Path) -> str:
    """Return the path of the file with a run's record except its tables, relative to the cards in `place`."""
    copies = list(record_copy(record))
    return copies[0] if copies else _relative(record.files[RECORD], place)


def file_links(record: Record, place: Path) -> str:
    """Return the files of a run as a list of links, relative to the cards in `place`."""
    copies = [f"- {{download}}`run.json <{name}>`: {_ABOUT[RECORD]}" for name in record_copy(record)]
    return "\n".join([*copies, *_links(record.files, place)]) or "There are none."


def folder_links(folder: Path, place: Path) -> str:
    """Return the files in `folder` as a list of links, for a run whose record cannot be read."""
    return "\n".join(_links({name: folder / name for name in _ABOUT}, place)) or "There are none."


def _links(files: Mapping[str, Path], place: Path) -> list[str]:
    """List files as download links, or only their paths if they are too large to be copied into the book."""
    lines = []
    for name, file in files.items():
        if not file.is_file():
            continue
        size = file.stat().st_size
        at = "/".join(file.parts[-4:])
        # A plain link to a notebook would be resolved as a page of that name.
        shown = f"{{download}}`{name} <{_relative(file, place)}>`" if size <= _LARGEST_COPY else f"`{at}`"
        about = _ABOUT.get(name, _ABOUT["scores.parquet"])
        lines.append(f"- {shown}: {about} ({size / 1000:,.0f} kB)")
    return lines


def _relative(file: Path, place: Path) -> str:
    return os.path.relpath(file, place).replace(os.sep, "/")
