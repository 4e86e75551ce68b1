"""A table of the paper, compared with our runs in the same layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from trsfnet.analysis.published import published_cells
from trsfnet.analysis.run import Run
from trsfnet.analysis.tables import Row, TableRuns
from trsfnet.analysis.units import Unit
from trsfnet.evaluation.statistics import Interval
from trsfnet.paper.numbers import paper_table
from trsfnet.report.card_links import runs_popover
from trsfnet.report.claims.tables import SIGNS
from trsfnet.report.display import Markdown, table
from trsfnet.report.names import TRACKS, budget_in_words, measure_header, row_name
from trsfnet.report.run_state import EARLIER
from trsfnet.report.signed_scales import signed_mean
from trsfnet.report.switch import by_track
from trsfnet.report.tables.wording import gap_text, mean_text, papers_gap, saying, short_row
from trsfnet.text import NBSP, capitalised, counted, joined, percent_range


def comparison_table(tables: Sequence[TableRuns]) -> Markdown:
    """Tabulate the paper's rows with its value, ours and a verdict, one track at a time.

    Args:
        tables: the same table for each track.
    """
    shown = [one for one in tables if one.runs] or tables[:1]
    others = "".join(f"\n\n{capitalised(TRACKS[t.track])}: no run yet." for t in tables if t not in shown)
    # The table keeps the paper's number, so it gets no number of the book.
    by_tracks = by_track({one.track: [_on_track(one)] for one in shown})
    return Markdown(f"{_caption(tables[0])}\n\n{by_tracks}{others}")


def _on_track(one: TableRuns) -> Markdown:
    intervals = papers_intervals(one.table)
    lines = [
        [row_name(one.table, row.variant), _papers(one, row.variant, intervals), *_ours(one, row)]
        for row in one.rows
    ]
    return Markdown(f"{table(_header(one), lines)}\n\n{_notes(one)}")


def papers_intervals(number: int) -> dict[str, Interval]:
    """Return Wilson's 95 % intervals of a table's percentages, by variant, from the counts of pairs."""
    return {cell.variant: cell.interval for cell in published_cells() if cell.table == number}


def _header(one: TableRuns) -> list[str]:
    model = "Initial value" if one.table == 6 else "Network model"
    gains = [f"{capitalised(saying(one))}, {whose}" for whose in ("paper", "ours")] if one.of_tar else []
    return [model, "Paper", "Ours", *gains, "Verdict"]


def _papers(one: TableRuns, variant: str, intervals: Mapping[str, Interval]) -> str:
    """Return the paper's value, and its interval if it is a percentage."""
    value = paper_table(one.table).by_variant[variant]
    if not one.of_tar:
        return f"{value:.3f}"
    interval = intervals[variant]
    return f"{100 * value:.2f}{NBSP}% ({percent_range(interval.low, interval.high)})"


def _ours(one: TableRuns, row: Row) -> list[str]:
    """Return a row's cells: our mean with its seeds, for TAR the paper's gain and ours, and the verdict."""
    mean = "not run"
    if one.cells[row.variant]:
        mean = _runs(one, row)
        signed = "" if one.of_tar or not one.campaign else signed_mean(one.campaign, [row.variant])
        mean = ", ".join(filter(None, (mean_text(one, row), signed, mean))) if row.values else mean
    verdict = f"{SIGNS[row.verdict.outcome]}{NBSP}{row.verdict.outcome}" if row.verdict else "–"
    gaps = [papers_gap(one, row.variant) or "–", gap_text(one, row) or "–"] if one.of_tar else []
    return [mean, *gaps, verdict]


def _runs(one: TableRuns, row: Row) -> str:
    """Return the number of seeds, with a popover that lists each run and its value."""
    unit = one.quantity.unit
    cell = one.cells[row.variant]
    runs = [(_run(run, row.values.get(run.seed), unit), run) for run in cell]
    unfinished = Counter(run.status for run in cell if not run.done)
    states = "".join(f", {number} {status}" for status, number in unfinished.items())
    name = f"table{one.table}-{one.track}-{row.variant}"
    return runs_popover(name, runs, f"{counted(len(cell), 'seed')}{states}")


def _run(run: Run, value: float | None, unit: Unit) -> str:
    return f"seed {run.seed}" if value is None else f"seed {run.seed}: {unit.text(value)}"


def _caption(one: TableRuns) -> str:
    carried = "the direction in which rows differ" if one.of_tar else "whether scales grow to about 1"
    return (
        f"**Table {one.table}** of the paper and ours: “{paper_table(one.table).caption}” "
        "Our networks are smaller and use other data: **none of our values is comparable with the paper's**, "
        "and values from different tracks are not comparable with each other. What can carry over is "
        f"{carried}. In the book, click on the number of seeds in a row to list its runs."
    )


def _notes(one: TableRuns) -> str:
    """List the content and the sources of the columns, and any problems with them."""
    papers = paper_table(one.table).quantity
    if one.of_tar:
        papers += ", with the 95 % interval for its number of pairs"
    lines = [f"- Paper: {papers}; one run per row.", f"- Ours: {_note(one)}"]
    if any(run.stale for run in one.runs):
        lines.append(f"- {EARLIER} Made by earlier code.")
    return "\n".join(lines)


def _note(one: TableRuns) -> str:
    if not one.runs:
        return "no run yet."
    what = (
        measure_header(one.measures[0], one.track) if one.of_tar else "mean magnitude of TRSF after training"
    )
    signed = "" if one.of_tar else ", and the mean with signs, which the paper reports"
    numbers = joined([str(seed) for seed in sorted({run.seed for run in one.runs})])
    text = (
        f"{what}, mean over seeds with its 95 % interval{signed}; {counted(len(one.runs), 'run')} "
        f"({budget_in_words(one)}; seeds {numbers}; image version {one.images})."
    )
    missing = [short_row(one, variant) for variant, cell in one.cells.items() if not cell]
    if missing:
        text += f" Not run: {joined(missing)}."
    return text + unfinished(one.runs)


def unfinished(runs: Sequence[Run]) -> str:
    """Return a sentence, with a leading space, that names runs that are not done; empty if there are none."""
    names = [f"{run.short_name}, seed {run.seed} ({run.status})" for run in runs if not run.done]
    return f" Not finished: {'; '.join(names)}." if names else ""
