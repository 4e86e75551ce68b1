"""The page of a setting in the study on stability: all its runs, each with a row that links lead to."""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.run import Run as Record
from trsfnet.experiments.record import StudyRun
from trsfnet.report.cards import details
from trsfnet.report.cards.entry import Entry, entry
from trsfnet.report.cards.files import record_file
from trsfnet.report.cards.html import table_of
from trsfnet.report.cards.others import others
from trsfnet.report.cards.shared import shared, which
from trsfnet.report.cards.study_figure import study_figure
from trsfnet.report.names import MEASURE_NAMES, TRACKS
from trsfnet.report.places import STUDY, anchor
from trsfnet.text import counted, duration, joined

_STATUSES = {
    "done": "trained",
    "collapsed": "collapsed",
    "running": "not ended",
    "failed": "failed for another reason",
    "damaged": "cannot be shown",
}
# What runs cannot share: the rows have it, but for the times, of which the page has the ends.
_IN_ROWS = ("learning_rate", "seed")
_TIMES = ("started", "finished", "wall time")


def study_page(records: Sequence[Record], alone: Sequence[Path], place: Path, pages: Sequence[str]) -> str:
    """The page of a setting on a track.

    Args:
        records: its runs in the study.
        alone: folders of its other runs, which have cards of their own.
        place: the folder where the page will be.
        pages: names of the book's pages, which lie two folders above.
    """
    entries = sorted(map(entry, records), key=_order)
    sound = [each for each in entries if not each.harm]
    # A damaged record's own entry for its track may be anything.
    track = records[0].config["track"]
    title = f"{details.name(records[0])}, study on stability, {TRACKS[track]}"
    study = f"[study on stability](../../{STUDY}.ipynb)" if STUDY in pages else "study on stability"
    drawing = study_figure(title, sound)
    parts = [
        f"# {title}",
        f"{details.opening(records[0])} All runs of this setting in the {study} are on this page: "
        f"**{counted(len(entries), 'run')}, {_ended(entries)}.**",
        drawing.markdown() if drawing else "No run has finished an epoch, so there is no curve.",
        "## Every run",
        _where(records),
        _table(entries, MEASURES[track], place),
        *(_shared(sound) if sound else ()),
        "## Other runs of this setting",
        others(alone),
    ]
    return "\n\n".join(parts)


def _order(each: Entry) -> tuple[float, str, str]:
    return (
        (math.inf if math.isnan(each.rate) else each.rate),
        str(each.record.seed).rjust(9),
        each.record.path.name,
    )


def _ended(entries: Sequence[Entry]) -> str:
    counts = Counter(each.status for each in entries)
    return joined([f"{counts[status]} {words}" for status, words in _STATUSES.items() if counts[status]])


def _where(records: Sequence[Record]) -> str:
    """Where more about the runs is, from the repository's root."""
    folders = sorted({_shown(run.path.parent, 2) for run in records if not isinstance(run.record, StudyRun)})
    studies = sorted(
        {_shown(run.record.study.path, 2) for run in records if isinstance(run.record, StudyRun)}
    )
    sentences = [
        f"Of all these runs, `{study}/history.parquet` has a row per epoch, and `{study}/parameters.parquet` "
        "every scale per epoch."
        for study in studies
    ]
    if folders:
        places = " or ".join(f"`{folder}/<name>`" for folder in folders)
        sentences.append(
            f"The folder of a run, {places}, has a row per epoch in `history.csv`, and every scale per epoch "
            "in `parameters.parquet`."
        )
    return " ".join([*sentences, "A run's name stands with its command."])


def _shown(folder: Path, parts: int) -> str:
    return "/".join(folder.parts[-parts:])


def _table(entries: Sequence[Entry], measures: Sequence[str], place: Path) -> str:
    names = [MEASURE_NAMES[measure] for measure in measures]
    header = ["Rate", "Seed", "Outcome", *names, "Wall time", "Record", "Repeat it"]
    rows = (_row(each, len(measures), place) for each in entries)
    return f'<div class="study">\n{table_of(header, rows)}\n</div>'


def _row(each: Entry, measures: int, place: Path) -> str:
    """A row of HTML, but for the link to the record, which Sphinx makes: it takes a copy of the file."""
    record = each.record
    if each.harm:
        said = f'<td colspan="{measures + 2}">{html.escape(each.harm)}</td>'
    else:
        said = "".join(f"<td>{html.escape(text)}</td>" for text in (each.outcome, *each.values, each.time))
    command = html.escape(str(record.info.get("command", "unknown")))
    about = f"<code>{html.escape(record.path.name)}</code><code>{command}</code>"
    file = record_file(record.record, place)
    return (
        f'<tr id="{html.escape(anchor(record))}">'
        f"<td>{each.rate:g}</td><td>{html.escape(str(record.seed))}</td>{said}"
        f"<td>\n\n{{download}}`run.json <{file}>`\n\n</td>"
        f"<td><details><summary>command</summary>{about}</details></td></tr>"
    )


def _shared(entries: Sequence[Entry]) -> list[str]:
    """Settings, code and circumstances."""
    seconds = sum(each.record.info.get("seconds", 0.0) for each in entries)
    times = [
        ("first started", min(each.circumstances["started"] for each in entries)),
        ("last finished", max(each.circumstances["finished"] for each in entries)),
        ("wall time of all", duration(seconds)),
    ]
    sentences = {each.code: [other for other in entries if other.code == each.code] for each in entries}
    code = [
        sentence if len(sentences) == 1 else f"Of {which(runs)}: {sentence}"
        for sentence, runs in sentences.items()
    ]
    return [
        "## Settings of every run",
        shared(entries, lambda each: each.settings, without=_IN_ROWS),
        "## Code",
        *code,
        "## Data, machine, time",
        shared(entries, lambda each: each.circumstances, without=_TIMES, more=times),
    ]
