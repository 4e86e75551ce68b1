"""The paper's conclusions from a table, and the verdicts of our runs on them."""

from __future__ import annotations

from trsfnet.analysis import Analysis
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.tables import TableRuns
from trsfnet.paper.claims import Claim, claims_by_id
from trsfnet.report.claims.tables import claims_table
from trsfnet.report.display import Markdown, folded
from trsfnet.report.names import runs_in_words
from trsfnet.report.tables.wording import sentence
from trsfnet.text import capitalised, counted


def verdict(found: Analysis, number: int, track: str = "") -> Markdown:
    """Summarise the rows in a sentence per track, and list the table's claims with their verdicts."""
    tables = found.tables(number, track)
    tracks = "\n".join(f"- {capitalised(runs_in_words(t))}: {sentence(t)}" for t in tables)
    subject = f"The paper's conclusions from table {number}"
    claims = claims_on(tables[0])
    dropdown = folded(
        f"{subject}: {counted(len(claims), 'claim')}", claims_table(subject, claims, found).text
    )
    return Markdown(f"{tracks}\n\n{dropdown}")


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
