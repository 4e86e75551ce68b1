"""Gains in accuracy in log odds, in which they can be compared between levels of accuracy.

One point more at a TAR of 20 % is a small gain; at 99 % it halves the errors. The difference of log odds,
log(p / (1 - p)), is equal if the odds change by the same factor. Verdicts compare runs at one level only and
use points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.findings import ALPHA, Measured
from trsfnet.analysis.quantities import QUANTITIES, Quantity
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.rules.contrast import Contrast
from trsfnet.analysis.rules.means import Means
from trsfnet.analysis.run import Run
from trsfnet.analysis.units import NUMBER, SIGNED_NUMBER

# Shares are kept this far from 0 and 1, so that their log odds are finite: half of one of LFW's 3,000 pairs.
_CLOSEST = 0.5 / 3000

_TAR = QUANTITIES["tar"]


def log_odds(share: float) -> float:
    """Return the natural logarithm of the odds of a share in 0..1; finite for 0 and 1 too."""
    kept = min(max(share, _CLOSEST), 1 - _CLOSEST)
    return math.log(kept / (1 - kept))


def _measure(run: Run) -> float | None:
    share = _TAR.measure(run)
    return None if share is None else log_odds(share)


TAR_LOG_ODDS = Quantity(
    "tar_log_odds",
    _TAR.subject,
    f"the log odds of {_TAR.description}",
    _measure,
    NUMBER,
    SIGNED_NUMBER,
    published=lambda: {variant: log_odds(share) for variant, share in _TAR.published().items()},
    published_digits=0,
)
"""TAR in log odds."""


@dataclass(frozen=True)
class Gain:
    """A gain in log odds of one campaign, next to the paper's.

    Attributes:
        effect: the gain with its standard error; None if a variant has fewer than two seeds.
        minimum_detectable: the smallest gain that these seeds can detect, given all claims tested on these
            runs; None without an effect.
        published: the paper's gain; None if it gives no value for a variant.
    """

    effect: Effect | None
    minimum_detectable: float | None
    published: float | None


def gains_in_log_odds(campaign: Campaign) -> dict[str, Gain]:
    """Return the gains in log odds by claim id, for claims on TAR that are one difference between means."""
    return {
        claim: _gain(claim, rule, rule.contrasts[0], campaign)
        for claim, rule in _rules_on_gains().items()
        if len(rule.contrasts) == 1
    }


def gain_in_log_odds(campaign: Campaign, claim: str, measured: Measured) -> Gain | None:
    """Return a gain that was measured for a claim, in log odds; None for claims that are not on TAR."""
    if not (rule := _rules_on_gains().get(claim)):
        return None
    for means in rule.contrasts:
        if (means.of, means.than) == (measured.of, measured.than):
            return _gain(claim, rule, means, campaign)
    return None


def _rules_on_gains() -> dict[str, Contrast]:
    """Return the rules on differences in TAR, by claim id."""
    return {
        claim: rule
        for claim, rule in paper_rules().items()
        if isinstance(rule, Contrast) and rule.quantity == _TAR and rule.contrasts[0].than
    }


def _gain(claim: str, rule: Contrast, means: Means, campaign: Campaign) -> Gain:
    cells = TAR_LOG_ODDS.published()
    published = None
    if means.weights.keys() <= cells.keys():
        published = sum(weight * cells[variant] for variant, weight in means.weights.items())
    effect = campaign.effect(means.weights, TAR_LOG_ODDS, rule.pooling)
    family = max(1, campaign.verdicts[claim].family)
    smallest = effect.minimum_detectable(ALPHA / family) if effect else None
    return Gain(effect, smallest, published)


def level(campaign: Campaign) -> float | None:
    """Return the mean TAR over the variants of a campaign; None without a finished run."""
    variants = {variant for variant, *_ in campaign.runs}
    means = [sum(values.values()) / len(values) for v in variants if (values := campaign.values(v, _TAR))]
    return sum(means) / len(means) if means else None
