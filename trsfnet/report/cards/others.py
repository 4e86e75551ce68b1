"""Links from a card to the other runs of its setting on its track."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.run import Run as Record
from trsfnet.errors import RecordError
from trsfnet.experiments.record import read_record
from trsfnet.report.cards.details import scale
from trsfnet.report.places import in_study, page
from trsfnet.report.run_words import departures, value_of
from trsfnet.text import counted


def others(folders: Sequence[Path]) -> str:
    """A list of the runs in `folders` with their results; those of the study by the page that they share."""
    lines, study = [], []
    for folder in folders:
        try:
            record = Record(read_record(folder))
            if in_study(record):
                study.append(page(record))
                continue
            value = value_of(record, MEASURES[record.track][0])
            text = f"seed {record.seed}, {_told_apart(record)}"
        except (RecordError, KeyError, ValueError, TypeError, AttributeError):
            continue
        lines.append((record.seed, f"- [{text}]({page(record)}): {value}"))
    shared = [
        f"- [{counted(study.count(name), 'run')} of the study on stability]({name})"
        for name in dict.fromkeys(study)
    ]
    return "\n".join([*(line for _, line in sorted(lines)), *shared]) or "There are none on this track."


def _told_apart(record: Record) -> str:
    """Scale of a run, or what sets it apart."""
    known = scale(record)
    return f"scale {known}" if known else ", ".join(departures(record))
