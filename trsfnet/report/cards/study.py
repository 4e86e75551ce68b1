"""The page of a variant in the stability study: all its runs, each in a row that can be linked to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.run import Run
from trsfnet.experiments.record import StudyRun
from trsfnet.report.card_links import STUDY, anchor
from trsfnet.report.cards import description
from trsfnet.report.cards.entry import Entry, entry
from trsfnet.report.cards.files import record_file
from trsfnet.report.cards.others import Others
from trsfnet.report.cards.readable import CardRun
from trsfnet.report.cards.shared import shared, which
from trsfnet.report.cards.study_figure import study_figure
from trsfnet.report.display import plain
from trsfnet.report.names import TRACKS, measure_header
from trsfnet.templates import fill
from trsfnet.text import counted, duration, joined

_STATUSES = {
    "done": "trained",
    "collapsed": "collapsed",
    "running": "not ended",
    "failed": "failed for another reason",
    "damaged": "cannot be shown",
}
# Values that differ between runs: the rows show the settings, and the page shows the range of the times.
_IN_ROWS = ("learning_rate", "seed")
_TIMES = ("started", "finished", "wall time, all attempts")


def study_page(runs: Sequence[CardRun], others: Others, place: Path, pages: Sequence[str]) -> str:
    """Return the page of a variant on a track.

    Args:
        runs: the variant's runs in the study.
        others: all runs of the variant on the track.
        place: the folder in which the page will be.
        pages: names of the book's pages, which are two folders above `place`.
    """
    entries = sorted((entry(each.run, each.fault) for each in runs if each.run), key=_order)
    sound = [each for each in entries if not each.fault]
    first = entries[0].run
    # Taken from the configuration, because the track entry of a damaged record may be anything.
    track = first.config["track"]
    title = f"{first.name}, stability study, {TRACKS[track]}"
    return fill(
        __package__,
        "study",
        title=title,
        opening=description.opening(first),
        study=f"[stability study](../../{STUDY}.ipynb)" if STUDY in pages else "stability study",
        ended=f"{counted(len(entries), 'run')}, {_ended(entries)}",
        figure=study_figure(title, sound),
        where=_where([each.run for each in entries]),
        measures=[measure_header(measure, track) for measure in MEASURES[track]],
        entries=entries,
        others=others,
        place=place,
        anchor=anchor,
        plain=plain,
        record_file=record_file,
        sound=bool(sound),
        **(_shared(sound) if sound else {}),
    )


def _order(each: Entry) -> tuple[float, str, str]:
    return (
        (math.inf if math.isnan(each.rate) else each.rate),
        str(each.run.seed).rjust(9),
        each.run.path.name,
    )


def _ended(entries: Sequence[Entry]) -> str:
    counts = Counter(each.status for each in entries)
    return joined([f"{counts[status]} {words}" for status, words in _STATUSES.items() if counts[status]])


def _where(runs: Sequence[Run]) -> str:
    """State which files contain more about the runs, relative to the repository's root."""
    folders = sorted({_shown(run.path.parent, 2) for run in runs if not isinstance(run.record, StudyRun)})
    studies = sorted({_shown(run.record.study.path, 2) for run in runs if isinstance(run.record, StudyRun)})
    sentences = [
        f"For all runs, `{study}/history.parquet` has one row per epoch, and `{study}/parameters.parquet` "
        "every scale per epoch."
        for study in studies
    ]
    if folders:
        records = " or ".join(f"`{folder}/<name>`" for folder in folders)
        sentences.append(
            f"The folder of a run, {records}, has a row per epoch in `history.csv`, and every scale per "
            "epoch in `parameters.parquet`."
        )
    return " ".join([*sentences, "Each command is listed with the name of its run."])


def _shown(folder: Path, parts: int) -> str:
    return "/".join(folder.parts[-parts:])


def _shared(entries: Sequence[Entry]) -> Mapping[str, Any]:
    """Return the shared settings, code and circumstances for the page's template."""
    seconds = sum(each.run.info.get("seconds", 0.0) for each in entries)
    times = [
        ("first started", min(each.circumstances["started"] for each in entries)),
        ("last finished", max(each.circumstances["finished"] for each in entries)),
        ("wall time of all", duration(seconds)),
    ]
    sentences: dict[str, list[Entry]] = {}
    for each in entries:
        sentences.setdefault(each.code, []).append(each)
    return {
        "settings": shared(entries, lambda each: each.settings, without=_IN_ROWS),
        "code": [
            sentence if len(sentences) == 1 else f"Of {which(runs)}: {sentence}"
            for sentence, runs in sentences.items()
        ],
        "circumstances": shared(entries, lambda each: each.circumstances, without=_TIMES, more=times),
    }
