"""Distances between estimates and the bounds of claims, in a unit common to all claims."""

from __future__ import annotations

from dataclasses import dataclass

from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.findings import Outcome
from trsfnet.analysis.rules import paper_rules


@dataclass(frozen=True)
class Margin:
    """The margin of a claim's weakest comparison and its 95 % interval; positive values favour the claim.

    The unit is the minimum detectable effect, so that claims about different quantities can share one axis.

    Attributes:
        margin: margin of the estimate.
        low: lower end of the interval of the margin.
        high: upper end of that interval.
        outcome: the verdict on the claim.
    """

    margin: float
    low: float
    high: float
    outcome: Outcome


def tested(campaign: Campaign) -> list[str]:
    """Return the claims that a campaign tests statistically, over which Holm's procedure corrects."""
    return [claim for claim, verdict in campaign.verdicts.items() if verdict.tested]


def leans_against(claim: str, campaign: Campaign) -> bool:
    """Return whether the estimate of a claim's weakest comparison lies on the contradicting side."""
    rule = paper_rules()[claim]
    weakest = rule.weakest(campaign.verdicts[claim].measured)
    return weakest is not None and min(rule.margins(weakest.estimate), default=0.0) < 0


def margins(campaign: Campaign) -> dict[str, Margin]:
    """Return the margins of the claims that a campaign tests, by claim id; undefined ones are omitted."""
    found = {}
    for claim in tested(campaign):
        rule, verdict = paper_rules()[claim], campaign.verdicts[claim]
        weakest = rule.weakest(verdict.measured)
        if weakest and weakest.minimum_detectable and weakest.low is not None and weakest.high is not None:
            of_bounds = rule.margins(weakest.estimate)
            nearest = of_bounds.index(min(of_bounds))
            low, high = sorted(rule.margins(end)[nearest] for end in (weakest.low, weakest.high))
            unit = weakest.minimum_detectable
            found[claim] = Margin(of_bounds[nearest] / unit, low / unit, high / unit, verdict.outcome)
    return found
