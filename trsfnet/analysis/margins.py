"""How far what was measured lies from the bound of a claim, in a unit that all claims share."""

from __future__ import annotations

from dataclasses import dataclass

from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.findings import Outcome
from trsfnet.analysis.rules import paper_rules


@dataclass(frozen=True)
class Margin:
    """A claim's weakest comparison and its 95 % interval; above 0 is for the claim.

    The unit is the smallest distance from the bound that the design could have shown, so that claims in
    different units stand on one axis.

    Attributes:
        margin: of the estimate.
        low: of the interval's lower end.
        high: of its upper end.
        outcome: the verdict on the claim.
    """

    margin: float
    low: float
    high: float
    outcome: Outcome


def margins(campaign: Campaign) -> dict[str, Margin]:
    """The margins of the claims that a campaign tests, where they can be measured, by the claim's id."""
    found = {}
    for claim, rule in paper_rules().items():
        verdict = campaign.verdicts[claim]
        weakest = rule.weakest(verdict.measured) if verdict.tested else None
        if weakest and weakest.minimum_detectable and weakest.low is not None and weakest.high is not None:
            of_bounds = rule.margins(weakest.estimate)
            nearest = of_bounds.index(min(of_bounds))
            low, high = sorted(rule.margins(end)[nearest] for end in (weakest.low, weakest.high))
            unit = weakest.minimum_detectable
            found[claim] = Margin(of_bounds[nearest] / unit, low / unit, high / unit, verdict.outcome)
    return found
