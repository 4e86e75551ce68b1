"""A table of the paper as it prints it, with ours beside it."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.evaluation.statistics import Interval
from trsfnet.paper.numbers import paper_table
from trsfnet.experiments.record import Record
from trsfnet.report.claims.tables import SIGNS
from trsfnet.report.collection import Group
from trsfnet.report.display import Markdown, table
from trsfnet.report.names import (
    MEASURE_NAMES,
    NBSP,
    TRACKS,
    capitalised,
    counted,
    listed,
    percent_range,
    row_name,
)
from trsfnet.report.published import published_cells
from trsfnet.report.results.wording import gap_text, mean_text, papers_gap, saying, short_row
from trsfnet.report.runs import card_link, is_stale
from trsfnet.report.verdicts.comparisons import Row, rows

# Beside the seed of a run that other code than the present made.
_EARLIER = "†"


def beside(groups: Sequence[Group]) -> Markdown:
    """The paper's rows in its order: its value, then ours on each track with runs, and a verdict on each row.

    Args:
        groups: one table on each track.
    """
    number, shown = groups[0].table, [group for group in groups if group.records]
    intervals = papers_intervals(number)
    by_track = [{row.setting: row for row in rows(group)} for group in shown]
    lines = []
    for setting in groups[0].cells:
        line = [row_name(number, setting), _papers(groups[0], setting, intervals)]
        for group, found in zip(shown, by_track, strict=True):
            line += _ours(group, found[setting])
        lines.append(line)
    # Under the paper's number, so without one of the book.
    body = table(_header(groups[0], shown), lines)
    return Markdown(f"{_caption(groups[0])}\n\n{body}\n\n{_notes(groups)}")


def papers_intervals(number: int) -> dict[str, Interval]:
    """Wilson's interval of each cell that is a percentage, a whole number of the same-person pairs."""
    return {cell.setting: cell.interval for cell in published_cells() if cell.table == number}


def _header(group: Group, shown: Sequence[Group]) -> list[str]:
    """Short, so that the columns of two tracks fit a page; `_notes` says what they hold."""
    header = ["Initial value" if group.table == 6 else "Network model", "Paper"]
    for group in shown:
        header += [capitalised(TRACKS[group.track]), capitalised(saying(group))]
    return header


def _papers(group: Group, setting: str, intervals: dict[str, Interval]) -> str:
    """The paper's value, and how far it goes the way that the paper says."""
    value = paper_table(group.table).by_setting[setting]
    if group.quantity != "tar":
        return f"{value:.3f}"
    written = f"{100 * value:.2f}{NBSP}% ({percent_range(intervals[setting])})"
    gap = papers_gap(group, setting)
    return f"{written}, {gap}" if gap else written


def _ours(group: Group, row: Row) -> list[str]:
    """Our mean with the seeds that it rests on, and the verdict on the row."""
    records = group.cells[row.setting]
    if not records:
        mean = "not run"
    else:
        seeds = f"seed{'s'[: len(records) - 1]} {', '.join(map(_seed, records))}"
        mean = f"{mean_text(group, row)}, {seeds}" if row.values else seeds
    if not row.verdict:
        return [mean, "–"]
    word, gap = f"{SIGNS[row.verdict]}{NBSP}{row.verdict}", gap_text(group, row)
    return [mean, f"{word}: {gap}" if gap else word]


def _seed(record: Record) -> str:
    """A run's seed as a link to what is known of the run, with what a reader should know at once."""
    mark = _EARLIER if is_stale(record) else ""
    status = "" if record.status == "done" else f" ({record.status})"
    return f"{card_link(record, str(record.seed))}{mark}{status}"


def _caption(group: Group) -> str:
    carried = (
        "in which direction rows differ" if group.quantity == "tar" else "whether scales grow to about 1"
    )
    return (
        f"**Table {group.table}** of the paper with ours beside it: “{paper_table(group.table).caption}” "
        "Our networks are smaller and see other data: **no value of ours is comparable with the paper's**, "
        f"nor one track's with another's; what can carry over is {carried}. A seed's number leads to its run."
    )


def _notes(groups: Sequence[Group]) -> str:
    """What each column holds and rests on, and what is amiss with it."""
    lines = [f"- Paper: {paper_table(groups[0].table).quantity}"]
    if groups[0].quantity == "tar":
        lines[0] += f", the 95 % interval of its count, and the {saying(groups[0])}"
    lines[0] += "; one run each."
    lines += [f"- {capitalised(TRACKS[group.track])} (`{group.track}`): {_note(group)}" for group in groups]
    if any(is_stale(record) for group in groups for record in group.records):
        lines.append(f"- {_EARLIER} Made by earlier code than the present.")
    return "\n".join(lines)


def _note(group: Group) -> str:
    if not group.records:
        return "no run yet."
    what = MEASURE_NAMES[group.measure] if group.quantity == "tar" else "mean TRSF after training"
    seeds = sorted({record.seed for record in group.records})
    text = (
        f"{what}, over seeds with the mean's 95 % interval; {counted(len(group.records), 'run')} at scale "
        f"{group.scale}, images {group.images}, seed{'s'[: len(seeds) - 1]} "
        f"{listed([str(seed) for seed in seeds])}."
    )
    missing = [short_row(group, setting) for setting, cell in group.cells.items() if not cell]
    if missing:
        text += f" Not run: {listed(missing)}."
    return text + group.unfinished
