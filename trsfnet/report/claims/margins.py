"""How far what was measured lies from the bound of a claim, in a unit that all claims share."""

from __future__ import annotations

from dataclasses import dataclass

from trsfnet.paper.claims import Claim, paper_claims
from trsfnet.report.claims.judged import Judged
from trsfnet.report.claims.wording import margins, weakest


@dataclass(frozen=True)
class Margin:
    """A claim's weakest comparison and its 95 % interval; above 0 is for the claim.

    The unit is the smallest distance from the bound that the design could have seen, so that claims in
    different units stand on one axis.
    """

    claim: Claim
    margin: float
    low: float
    high: float
    word: str


def margins_of(group: Judged) -> list[Margin]:
    """The margins of the claims that `group` tests, where they can be measured."""
    found = []
    for claim in paper_claims():
        verdict = group.verdicts[claim.id]
        m = weakest(claim, verdict) if verdict.p_holm is not None else None
        if m and m.detectable and m.low is not None and m.high is not None:
            of_bounds = margins(claim.rule, m.estimate)
            nearest = of_bounds.index(min(of_bounds))
            low, high = sorted(margins(claim.rule, end)[nearest] for end in (m.low, m.high))
            unit = m.detectable
            found.append(Margin(claim, of_bounds[nearest] / unit, low / unit, high / unit, verdict.word))
    return found
