"""The text of a card: what a run was, what came of it, and how to repeat it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from trsfnet.errors import RecordError, TrsfnetError
from trsfnet.evaluation.statistics import Interval
from trsfnet.experiments.record import Record, read_record
from trsfnet.report.cards import details
from trsfnet.report.cards.evaluated import evaluated
from trsfnet.report.cards.figure import figure
from trsfnet.report.cards.html import facts, table
from trsfnet.report.display import plain
from trsfnet.report.names import MEASURES, percent, percent_range
from trsfnet.report.runs import damage, peculiarities, state, value_of
from trsfnet.report.tables import measure_name

# In no table of contents, which hundreds of cards would bury, nor among what the search finds.
_FRONT = "---\norphan: true\nnosearch: true\n---\n\n"

_FILES = {
    "run.json": "everything on this page but the curves",
    "history.csv": "a row per epoch",
    "parameters.parquet": "every scale and slope per epoch",
    "scores.parquet": "scores of the final evaluation",
    "train.ipynb": "the executed notebook",
}

# The book takes a copy of each file that it links to.
_LARGEST_COPY = 250_000  # bytes


def write_card(folder: str, others: Sequence[str], target: str, pages: Sequence[str]) -> None:
    """Write the card of a run. A damaged record's card says what is wrong with it.

    Args:
        folder: of the record.
        others: folders of the other records of the setting on the track.
        target: the Markdown file to write, in the folder where the cards of the track are.
        pages: names of the book's pages, which lie two folders above.
    """
    path, place = Path(folder), Path(target)
    try:
        record = read_record(path)
        harm = damage(record)
        text = _unreadable(path, harm) if harm else _card(record, others, place.parent, pages)
    except (TrsfnetError, KeyError, ValueError, TypeError, OSError) as error:
        text = _unreadable(path, f"The run record {path} cannot be shown: {error}")
    place.write_text(f"{_FRONT}{text}\n\n## Files\n\n{_files(path, place.parent)}\n", encoding="utf-8")


def _unreadable(path: Path, sentence: str) -> str:
    return f"# {plain(path.name)}\n\n{plain(sentence)}"


def _card(record: Record, others: Sequence[str], place: Path, pages: Sequence[str]) -> str:
    # The study's runs are hundreds, small, and about another question.
    brief = details.in_study(record)
    scores = evaluated(record) if record.status == "done" and not brief else None
    drawing = figure(record, scores, brief=brief)
    parts = [
        f"# {details.name(record)}, seed {record.seed}, {details.track(record)}",
        f"{details.opening(record)} Run `{record.run_id}`: **{plain(state(record))}**.",
        details.uses(record, pages),
        "## What came of it",
        _results(record, scores.intervals if scores else {}),
        drawing.markdown() if drawing else "No epoch was finished, so there is no curve.",
        "## Repeat it",
        f"```bash\n{record.info.get('command', '# unknown')}\n```",
        details.code(record),
        "## Every setting",
        facts(details.settings(record)),
        "## Data, machine, time",
        facts(details.circumstances(record)),
        "## Other runs of this setting",
        _others(others, place),
    ]
    return "\n\n".join(parts)


def _results(record: Record, intervals: Mapping[str, Interval | None]) -> str:
    if not record.metrics:
        return "There are no final numbers."
    rows = [
        (measure_name(name), percent(value), percent_range(found) if (found := intervals.get(name)) else "–")
        for name, value in record.metrics.items()
    ]
    note = (
        "The intervals resample the people who are verified. They say how sure the number is of this one "
        "network, not how much another seed would change it."
    )
    return table(("Measure", "Value", "95 % interval"), rows) + (f"\n\n{note}" if intervals else "")


def _others(folders: Sequence[str], place: Path) -> str:
    lines = []
    for folder in folders:
        try:
            record = read_record(Path(folder))
            value = value_of(record, MEASURES[record.info["track"]][0])
        except (RecordError, KeyError):
            continue
        text = f"seed {record.seed}, {_told_apart(record)}"
        lines.append((record.seed, f"- [{text}]({record.path.name}.md): {value}"))
    return "\n".join(line for _, line in sorted(lines)) or "There are none on this track."


def _told_apart(record: Record) -> str:
    """Scale of a run, or what sets it apart."""
    known = details.scale(record)
    rate = f", learning rate {record.config['learning_rate']:g}" if known == details.STUDY else ""
    return f"scale {known}{rate}" if known else ", ".join(peculiarities(record))


def _files(folder: Path, place: Path) -> str:
    """The record's files as links; what is too large for copies in every book, by its place."""
    lines = []
    for name, about in _FILES.items():
        file = folder / name
        if not file.is_file():
            continue
        size = file.stat().st_size
        where = os.path.relpath(file, place).replace(os.sep, "/")
        at = "/".join(file.parts[-4:])
        # A plain link to a notebook would look for a page of that name.
        shown = f"{{download}}`{name} <{where}>`" if size <= _LARGEST_COPY else f"`{at}`"
        lines.append(f"- {shown}: {about} ({size / 1000:,.0f} kB)")
    return "\n".join(lines) or "There are none."
