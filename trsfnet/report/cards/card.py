"""The text of a card: what a run was, what came of it, and how to repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from trsfnet.analysis.run import Run as Record
from trsfnet.analysis.soundness import fault
from trsfnet.errors import TrsfnetError
from trsfnet.evaluation.statistics import Interval
from trsfnet.experiments.record import read_record
from trsfnet.report.cards import details
from trsfnet.report.cards.evaluated import evaluated
from trsfnet.report.cards.figure import figure
from trsfnet.report.cards.files import file_links, folder_links
from trsfnet.report.cards.html import facts, table
from trsfnet.report.cards.others import others
from trsfnet.report.display import plain
from trsfnet.report.names import measure_name
from trsfnet.report.run_words import state
from trsfnet.text import percent, percent_range


def card(folder: Path, siblings: Sequence[Path], place: Path, pages: Sequence[str]) -> str:
    """The card of a run. A damaged record's card says what is wrong with it.

    Args:
        folder: of the record.
        siblings: folders of the other records of the setting on the track.
        place: the folder where the card will be, with those of the rest of the track.
        pages: names of the book's pages, which lie two folders above.
    """
    files = folder_links(folder, place)
    try:
        record = Record(read_record(folder))
        files = file_links(record.record, place)
        harm = fault(record)
        text = _unreadable(folder, harm) if harm else _card(record, siblings, pages)
    except (TrsfnetError, KeyError, ValueError, TypeError, OSError) as error:
        text = _unreadable(folder, f"The run record {folder} cannot be shown: {error}")
    return f"{text}\n\n## Files\n\n{files}"


def _unreadable(path: Path, sentence: str) -> str:
    return f"# {plain(path.name)}\n\n{plain(sentence)}"


def _card(record: Record, siblings: Sequence[Path], pages: Sequence[str]) -> str:
    scores = evaluated(record) if record.status == "done" else None
    drawing = figure(record, scores)
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
        others(siblings),
    ]
    return "\n\n".join(parts)


def _results(record: Record, intervals: Mapping[str, Interval | None]) -> str:
    if not record.metrics:
        return "There are no final numbers."
    rows = [
        (
            measure_name(name),
            percent(value),
            percent_range(found.low, found.high) if (found := intervals.get(name)) else "–",
        )
        for name, value in record.metrics.items()
    ]
    note = (
        "The intervals resample the people who are verified. They say how sure the number is of this one "
        "network, not how much another seed would change it."
    )
    return table(("Measure", "Value", "95 % interval"), rows) + (f"\n\n{note}" if intervals else "")
