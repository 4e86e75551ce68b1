"""What the paper claims on the ground of a table, and what our runs say to it."""

from __future__ import annotations

from trsfnet.analysis import Analysis
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.tables import TableRuns
from trsfnet.paper.claims import Claim, claims_by_id
from trsfnet.report.claims.tables import claims_table
from trsfnet.report.display import Markdown, folded
from trsfnet.report.names import TRACKS
from trsfnet.report.tables.wording import sentence
from trsfnet.text import capitalised, counted


def verdict(found: Analysis, number: int, track: str = "") -> Markdown:
    """The rows in a sentence for each track, then the claims that rest on the table with their verdicts."""
    tables = found.tables(number, track)
    tracks = "\n".join(f"- {capitalised(TRACKS[t.track])} (`{t.track}`): {sentence(t)}" for t in tables)
    subject = f"The paper's conclusions from table {number}"
    claims = claims_on(tables[0])
    listed = folded(f"{subject}: {counted(len(claims), 'claim')}", claims_table(subject, claims, found).text)
    return Markdown(f"{tracks}\n\n{listed}")


def claims_on(table: TableRuns) -> list[Claim]:
    """The paper's claims that rest on a table: about its quantity, and on more than one of its rows.

    A claim on a single row of it, such as that of start 0.2 in table 6, is about the table that it is shared
    with.
    """
    return [
        claims_by_id()[claim]
        for claim, rule in paper_rules().items()
        if rule.rests_on(table.table, table.quantity, table.cells)
    ]
