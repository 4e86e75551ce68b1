"""Wording of the rows of the paper's tables, their values and their verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.analysis.comparable_runs import Pooling
from trsfnet.analysis.findings import ALPHA, MIN_SEEDS, Outcome
from trsfnet.analysis.tables import Row, TableRuns
from trsfnet.evaluation.statistics import Interval
from trsfnet.report.display import Markdown
from trsfnet.report.names import row_name
from trsfnet.text import counted, joined, percent_range


def short_row(table: TableRuns, variant: str) -> str:
    """Return the short name of a row, such as `v1 + TRSF` for `Inception-ResNet v1 + TRSF`."""
    return row_name(table.table, variant, short=True)


def saying(table: TableRuns) -> str:
    """Return the quantity that the rows of a table test, such as `gain over v1`.

    For table 6, this is the lead of the baseline start over the row's; for scales, a range of the magnitude.
    """
    if not table.of_tar:
        return f"mean magnitude {_range(table)}"
    of = short_row(table, table.baseline)
    return f"lead of {of}" if table.table == 6 else f"gain over {of}"


def _range(table: TableRuns) -> str:
    low, high = next(iter(table.questions.values())).bounds
    return f"between {low:g} and {high:g}"


def mean_text(table: TableRuns, row: Row) -> str:
    """Format the mean over seeds and its interval, such as `**12.3 %** (10.1 to 14.5 %)`."""
    if row.value is None:
        return "–"
    value = f"**{table.quantity.unit.text(row.value)}**"
    return f"{value} ({_interval(table, row.mean.interval) if row.mean else 'no interval'})"


def _interval(table: TableRuns, interval: Interval) -> str:
    if table.of_tar:
        return percent_range(interval.low, interval.high)
    unit = table.quantity.unit
    return f"{unit.text(interval.low)} to {unit.text(interval.high)}"


def gap_text(table: TableRuns, row: Row) -> str:
    """Format our difference in the direction that the paper claims, with its interval.

    Empty for rows that are not compared.
    """
    if row.gap is None:
        return ""
    unit, interval = table.quantity.difference, row.gap_interval
    if not interval:
        return f"{unit.text(row.gap)} (no interval)"
    return unit.interval(row.gap, interval.low, interval.high)


def papers_gap(table: TableRuns, variant: str) -> str:
    """Format the paper's own difference, without interval; empty for rows that are not compared."""
    rule = table.questions.get(variant)
    return rule.published() if rule else ""


def sentence(table: TableRuns) -> str:
    """Summarise the verdicts on the rows of a table on one track, in one sentence."""
    found = [(row, row.verdict) for row in table.rows if row.verdict]
    done = sum(run.done for run in table.runs)
    if not done:
        return "no run has finished, so there is no result."
    if not any(verdict.tested or verdict.outcome == Outcome.OUT_OF_REACH for _, verdict in found):
        return (
            f"{counted(done, 'run')} finished, but no row has {MIN_SEEDS} seeds of everything it compares, "
            "so no conclusion is possible."
        )
    clauses = []
    for outcome in Outcome:
        names = [short_row(table, row.variant) for row, verdict in found if verdict.outcome == outcome]
        if names:
            clauses.append(_clause(table, outcome, names, every=len(names) == len(found) > 2))
    return f"{'; '.join(clauses)}."


def _clause(table: TableRuns, outcome: Outcome, names: Sequence[str], *, every: bool) -> str:
    """State one outcome of the rows with these names.

    Args:
        table: the table.
        outcome: the outcome.
        names: short names of the rows that have it.
        every: True if these are all rows of the table.
    """
    rows = f"all {len(names)} {'comparisons' if table.of_tar else 'variants'}" if every else joined(names)
    if outcome == Outcome.NOT_RUN:
        return f"no run {'from' if table.table == 6 else 'of'} {joined(names, 'or')} has ended"
    if outcome == Outcome.OUT_OF_REACH:
        any_of = f"any of the {len(names)} variants" if every else joined(names, "or")
        return f"these runs cannot test for {any_of} whether {_asked(table)} ({outcome})"
    if outcome == Outcome.INCONCLUSIVE:
        if len(names) == 1:
            return f"it remains open whether {_asked(table, names[0])}"
        return f"{'in' if every else 'for'} {rows}, it remains open whether {_asked(table)}"
    if table.table == 6:
        return f"the {saying(table)} is {outcome} {'in' if every else 'over'} {rows}"
    return f"a {saying(table)} is {outcome} {'in' if every else 'for'} {rows}"


def _asked(table: TableRuns, name: str = "") -> str:
    """Return what the verdict on a row decides, such as `the variant is better than v1`.

    Args:
        table: the table.
        name: short name of the row; empty for any row.
    """
    if not table.of_tar:
        return f"the mean magnitude{f' of {name}' if name else ''} ends {_range(table)}"
    baseline = short_row(table, table.baseline)
    if table.table == 6:
        return f"{baseline} is better{f' than {name}' if name else ''}"
    return f"{name or 'the variant'} is better than {baseline}"


def rule(table: TableRuns) -> Markdown:
    """Explain the rule for the verdicts on the rows of a table."""
    asks = (
        "the difference is above zero"
        if table.of_tar
        else f"the mean over seeds of the mean magnitude lies {_range(table)}"
    )
    among, but = (
        f"the {len(table.questions)} rows of the table",
        ", but corrects for all claims tested on the same runs",
    )
    if len(table.claims) == len(table.questions):
        among, but = "all claims tested on the same runs, because the row is itself one of them", ""
    lost = "Collapsed runs are left out of the means"
    if table.of_tar:
        lost += "; a comparison cannot favour the side with more of them"
    spread = "pooled over all variants with the same network and loss, including those of other tables"
    if not table.of_tar:
        spread = "pooled over all variants of the network with trainable scales"
    spread += " (Student's t)"
    if table.pooling == Pooling.NONE:
        spread = "that of each variant alone (Welch's t), because the variants differ too much"
    return Markdown(
        f"Each verdict concerns one row on one track: **{Outcome.SUPPORTED}** if {asks} by more than chance "
        f"explains, **{Outcome.CONTRADICTED}** if the opposite holds by more than chance explains, each with "
        f"a p value below {ALPHA} after Holm's correction for {among}, and **{Outcome.INCONCLUSIVE}** "
        f"otherwise or with fewer than {MIN_SEEDS} finished seeds. It is **{Outcome.OUT_OF_REACH}** if the "
        "schedule lacks the decay budget or the travel that the claim needs. The variance between seeds is "
        f"{spread}. The same code judges the [claims](claims.ipynb){but}. {lost}."
    )
