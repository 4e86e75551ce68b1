"""The text of a card: the settings of a run, its results, and the command that repeats it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from trsfnet.analysis.run import Run
from trsfnet.evaluation.statistics import Interval
from trsfnet.report.cards import description
from trsfnet.report.cards.evaluated import evaluated
from trsfnet.report.cards.figure import figure
from trsfnet.report.cards.files import file_links, folder_links
from trsfnet.report.cards.others import Others
from trsfnet.report.cards.readable import READ_ERRORS, CardRun, cannot_be_shown
from trsfnet.report.display import plain
from trsfnet.report.names import measure_name
from trsfnet.report.run_state import state
from trsfnet.templates import fill
from trsfnet.text import percent, percent_range


def card(each: CardRun, others: Others, place: Path, pages: Sequence[str]) -> str:
    """Return the card of a run; the card of a damaged record states the problem instead.

    Args:
        each: the run.
        others: all runs of its variant on its track.
        place: the folder of the track's cards, in which the card will be.
        pages: names of the book's pages, which are two folders above `place`.
    """
    fault = each.fault
    if each.run and not fault:
        try:
            return _card(each.run, others, place, pages)
        except READ_ERRORS as error:
            fault = cannot_be_shown(each.path, error)
    files = file_links(each.run.record, place) if each.run else folder_links(each.path, place)
    return fill(__package__, "unreadable", name=plain(each.path.name), fault=plain(fault or ""), files=files)


def _card(run: Run, others: Others, place: Path, pages: Sequence[str]) -> str:
    scores = evaluated(run) if run.done else None
    return fill(
        __package__,
        "card",
        run=run,
        description=description,
        pages=pages,
        state=plain(state(run)),
        results=_results(run, scores.intervals if scores else {}),
        intervals=bool(scores and scores.intervals),
        figure=figure(run, scores),
        others=others,
        files=file_links(run.record, place),
    )


def _results(run: Run, intervals: Mapping[str, Interval | None]) -> list[tuple[str, str, str]]:
    return [
        (
            measure_name(name),
            percent(value),
            percent_range(found.low, found.high) if (found := intervals.get(name)) else "–",
        )
        for name, value in run.metrics.items()
    ]
