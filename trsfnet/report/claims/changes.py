"""Each verdict that is another now than by the earlier rules, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trsfnet.analysis import Analysis
from trsfnet.analysis.findings import Outcome
from trsfnet.paper.claims import claims_by_id
from trsfnet.paper.verdicts_before import verdicts_before
from trsfnet.report.claims.tables import outcome_link
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import campaign_name


@dataclass(frozen=True)
class Change:
    """A verdict that changed.

    Attributes:
        claim: its id.
        campaign: the group of runs, for readers.
        before: the earlier verdict.
        now: the present one.
        reason: why it changed, in one sentence.
    """

    claim: str
    campaign: str
    before: str
    now: Outcome
    reason: str


def changes(found: Analysis) -> Iterator[Change]:
    """The claims that were there before and whose verdict is another now, by claim and group of runs."""
    before = verdicts_before()
    known = {claim for verdicts in before.verdicts.values() for claim in verdicts}
    for claim in claims_by_id():
        for campaign in found.campaigns if claim in known else ():
            earlier = before.of(f"{campaign.track}, {campaign.size_name}", claim)
            now = campaign.verdicts[claim].outcome
            if now != earlier:
                reason = before.reasons.get(claim, "Its runs are others now.")
                yield Change(claim, campaign_name(campaign), earlier, now, reason)


def changes_table(found: Analysis) -> Markdown:
    """The same as a table."""
    rows = [
        (claims_by_id()[c.claim].statement, c.campaign, c.before, outcome_link(c.claim, c.now), c.reason)
        for c in changes(found)
    ]
    if not rows:
        return Markdown("No verdict differs from the earlier rules'.")
    header = ("Claim", "Runs", "Before", "Now", "Reason")
    caption = f"Verdicts that differ from those at revision `{verdicts_before().commit}`."
    return Markdown(captioned(caption, "table-verdict-changes", table(header, rows)))
