"""What the paper claims on the ground of a table, and what our runs say to it."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.paper.claims import Cells, Claim, Contrast, Spread, paper_claims
from trsfnet.report.claims.judged import judged
from trsfnet.report.claims.tables import subject_table
from trsfnet.report.collection import Collection, Group
from trsfnet.report.display import Markdown
from trsfnet.report.names import TRACKS, capitalised
from trsfnet.report.results.wording import sentence


def verdict(collection: Collection, groups: Sequence[Group]) -> Markdown:
    """The rows in a sentence for each track, then the claims that rest on the table with their verdicts."""
    number = groups[0].table
    tracks = "\n".join(f"- {capitalised(TRACKS[g.track])} (`{g.track}`): {sentence(g)}" for g in groups)
    claims = claims_on(groups[0])
    table = subject_table(f"What the paper concludes from table {number}", claims, judged(collection.records))
    return Markdown(f"{tracks}\n\n{table}")


def claims_on(group: Group) -> list[Claim]:
    """The paper's claims that rest on a table: about its quantity, and on more than one of its rows.

    A claim on a single row of it, such as that of start 0.2 in table 6, is about the table that it is shared
    with.
    """
    return [claim for claim in paper_claims() if _rests(claim, group)]


def _rests(claim: Claim, group: Group) -> bool:
    match claim.rule:
        case Cells():
            return group.table in claim.rule.tables
        case Contrast():
            settings = {setting for means in claim.rule.contrasts for setting in means.weights}
        case Spread():
            settings = set(claim.rule.settings)
        case _:
            return False
    return claim.rule.quantity == group.quantity and len(settings & group.cells.keys()) > 1
