"""The index of all runs: a table for each track and scale, which leads to the card of each run."""

from __future__ import annotations

from collections import Counter

from trsfnet.analysis import Analysis
from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.run import Run as Record
from trsfnet.experiments.budgets import BUDGETS
from trsfnet.experiments.record import STATUSES
from trsfnet.experiments.variants import STABILITY, variant_from
from trsfnet.report.cards.details import name, scale
from trsfnet.report.display import Markdown, plain, table
from trsfnet.report.names import MEASURE_NAMES, TRACKS
from trsfnet.report.places import STUDY
from trsfnet.report.run_words import card_link, departures, page_link, state, value_of
from trsfnet.text import capitalised, counted, duration, joined

_APART = "apart from every scale"


def runs_index(collection: Analysis) -> Markdown:
    """All runs by track, scale and setting. The book puts a filter above the tables."""
    parts, study = [], []
    for track in MEASURES:
        found = [record for record in collection.runs if record.track == track]
        for at in (*BUDGETS, _APART):
            runs = [record for record in found if (scale(record) or _APART) == at]
            if runs and at == STUDY:
                study.append(_study_section(track, runs))
            elif runs:
                parts.append(_section(track, at, sorted(runs, key=_order)))
    return Markdown("\n\n".join(parts + study) or "No run is recorded yet.")


def _section(track: str, at: str, runs: list[Record]) -> str:
    words = at if at == _APART else f"scale {at}"
    title = f"### {capitalised(TRACKS[track])}, {words}: {counted(len(runs), 'run')}"
    measures = MEASURES[track]
    header = [
        "Run",
        *(MEASURE_NAMES[measure] for measure in measures),
        "Status",
        "Wall time",
        "Stands apart by",
    ]
    rows = [
        [
            card_link(record, f"{name(record).removeprefix('Inception-ResNet ')}, seed {record.seed}"),
            *(value_of(record, measure) if record.status == "done" else "–" for measure in measures),
            plain(state(record)),
            duration(record.info.get("seconds", 0.0)),
            ", ".join(departures(record)) or "–",
        ]
        for record in runs
    ]
    return f"{title}\n\n::::{{div}} filterable\n{table(header, rows)}\n::::"


def _study_section(track: str, runs: list[Record]) -> str:
    """The study's runs by setting and learning rate, for there are hundreds."""
    title = f"### {capitalised(TRACKS[track])}, scale {STUDY}: {counted(len(runs), 'run')}"
    about = (
        "These runs share a page for each setting, and a seed leads to the run's row on it. The filter leaves"
        " them as they are."
    )
    cells: dict[tuple[str, float], list[Record]] = {}
    for record in sorted(runs, key=_study_order):
        cells.setdefault((record.variant, record.config["learning_rate"]), []).append(record)
    rows = [
        [
            page_link(cell[0], name(cell[0]).removeprefix("Inception-ResNet ")),
            f"{rate:g}",
            *_counts(cell),
            " ".join(card_link(record, str(record.seed)) for record in cell),
        ]
        for (_, rate), cell in cells.items()
    ]
    header = ["Setting", "Learning rate", "Done", "Collapsed", "Other", "Seeds"]
    return f"{title}\n\n{about}\n\n{table(header, rows)}"


def _study_order(record: Record) -> tuple[int, float, int, str]:
    return (
        STABILITY.index(variant_from(record.config)),
        record.config["learning_rate"],
        record.seed,
        record.run_id,
    )


def _counts(cell: list[Record]) -> tuple[str, str, str]:
    """How many are done, collapsed, and neither."""
    ended = Counter(record.status for record in cell)
    done, collapsed = ended["done"], ended["collapsed"]
    return f"{done}", f"{collapsed}", f"{len(cell) - done - collapsed}"


def _order(record: Record) -> tuple[str, int, str]:
    return record.variant, record.seed, record.run_id


def unreadable(collection: Analysis) -> Markdown:
    """The records that cannot be shown, each with the reason."""
    if not collection.problems:
        return Markdown("Every record can be read.")
    # Paths as seen from the repository's root, not from where the notebook runs.
    return Markdown("\n".join(f"- {plain(problem.replace('../', ''))}" for problem in collection.problems))


def verdict(collection: Analysis) -> Markdown:
    """How many runs there are, how they ended, and how many of them the present code made."""
    if not collection.runs:
        return Markdown("**No run is recorded yet.**")
    ended = Counter(record.status for record in collection.runs)
    old = sum(bool(record.stale) for record in collection.runs)
    present = len(collection.runs) - old
    counts = joined([f"{ended[word]} {word}" for word in STATUSES if ended[word]])
    return Markdown(
        f"**{counted(len(collection.runs), 'run')}: {counts}.** "
        f"The present code made {present} of them, earlier code {old}."
    )
