"""The paper's conclusions from a table, and the verdicts of our runs on them."""

from __future__ import annotations

from trsfnet.analysis import Analysis
from trsfnet.analysis.comparable_runs import Pooling
from trsfnet.analysis.power import seed_spreads
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.tables import TableRuns
from trsfnet.paper.claims import Claim, claims_by_id
from trsfnet.report.claims.tables import claims_table
from trsfnet.report.display import Markdown, folded
from trsfnet.report.names import runs_in_words
from trsfnet.report.power import unequal
from trsfnet.report.tables.wording import sentence
from trsfnet.text import capitalised, counted


def verdict(found: Analysis, number: int, track: str = "") -> Markdown:
    """Summarise the rows in a sentence per track, and list the table's claims with their verdicts."""
    tables = found.tables(number, track)
    lines = []
    for runs in tables:
        lines.append(f"- {capitalised(runs_in_words(runs))}: {sentence(runs)}")
        lines += [f"  - {caveat}" for caveat in _unequal_spreads(runs)]
    tracks = "\n".join(lines)
    subject = f"The paper's conclusions from table {number}"
    claims = claims_on(tables[0])
    dropdown = folded(
        f"{subject}: {counted(len(claims), 'claim')}", claims_table(subject, claims, found).text
    )
    return Markdown(f"{tracks}\n\n{dropdown}")


def _unequal_spreads(table: TableRuns) -> list[str]:
    """State that seeds of the pooled variants vary differently, if the table's rows depend on it."""
    if not table.of_tar or table.pooling == Pooling.NONE or not table.campaign:
        return []
    of_network = [spread for spread in seed_spreads([table.campaign]) if spread.is_of(table.table)]
    return [
        f"{capitalised(sentence)} The [page on statistics](statistics.ipynb) shows the main comparisons with "
        "the spread of the compared variants alone."
        for sentence in filter(None, map(unequal, of_network))
    ]


def claims_on(table: TableRuns) -> list[Claim]:
    """Return the paper's claims that rest on a table: on its quantity, and on more than one of its rows.

    A claim on a single row, such as the row of the initial value 0.2 in table 6, belongs to the other table
    that contains this row.
    """
    return [
        claims_by_id()[claim]
        for claim, rule in paper_rules().items()
        if rule.rests_on(table.table, table.quantity, table.cells)
    ]
