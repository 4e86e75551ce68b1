"""Runs of some variants collapse less often than corresponding runs of other variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trsfnet.analysis.findings import Comparison, Finding, Measured, Outcome
from trsfnet.analysis.paired_proportions import PairedShares
from trsfnet.analysis.rules.rule import Bounds, Rule
from trsfnet.analysis.units import POINTS, SHARE, Unit
from trsfnet.experiments.variants import short_name
from trsfnet.text import counted

if TYPE_CHECKING:
    from trsfnet.analysis.campaign import Campaign
    from trsfnet.analysis.run import Run


@dataclass(frozen=True)
class FewerCollapses(Rule):
    """Some variants collapse less often than others: a sign test on pairs of runs.

    Runs of two variants are paired by learning rate and seed, over all learning rates that were run.

    Attributes:
        of: the variants that should collapse less often.
        than: the variants they are compared with.
    """

    kind: ClassVar[str] = "fewer-collapses"
    subject: ClassVar[str] = "Stability"
    bounds: ClassVar[Bounds] = (None, 0.0)

    of: tuple[str, ...]
    than: tuple[str, ...]

    @property
    def variants(self) -> tuple[str, ...]:
        """Variants of both sides."""
        return (*self.of, *self.than)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All pairs of a variant in `of` and one in `than`."""
        return [(first, second) for first in self.of for second in self.than]

    def find(self, campaign: Campaign) -> Finding:
        """Apply the sign test to every pair of variants."""
        measured = []
        p_for, p_against = 0.0, 1.0
        for a, b in self.pairs:
            first, second = campaign.endings(a), campaign.endings(b)
            common = first.keys() & second.keys()
            if not common:
                return Finding(Outcome.NOT_RUN, f"No run of {short_name(a)} has its like of {short_name(b)}.")
            shares = PairedShares(
                only_first=sum(first[k] and not second[k] for k in common),
                only_second=sum(second[k] and not first[k] for k in common),
                pairs=len(common),
            )
            name = f"share collapsed, {short_name(a)} − {short_name(b)}"
            measured.append(Comparison(name, shares, (a,), (b,), difference=True))
            p_for, p_against = max(p_for, shares.p_less), min(p_against, shares.p_more)
        if p_for == p_against == 1:
            reason = "All runs that differ in the variant alone ended alike."
            return Finding(Outcome.INCONCLUSIVE, reason, measured)
        p_against = min(1.0, len(self.pairs) * p_against)
        return Finding(None, "", measured, p_for, p_against, conjunction=len(self.pairs))

    def evidence(self, campaign: Campaign) -> dict[str, list[tuple[str, Run]]]:
        """Return the runs at all learning rates, by variant."""
        return {
            variant: [(f"{seed} at rate {rate:g}", run) for (rate, seed), run in sorted(runs.items())]
            for variant in self.variants
            if (runs := campaign.at_all_rates(variant))
        }

    def unit(self, *, difference: bool) -> Unit:
        """Return the format of a share."""
        return POINTS if difference else SHARE

    def sample(self, measured: Measured) -> str:
        """Return the number of pairs of runs, after a comma."""
        return f", {counted(measured.seeds, 'pair')}"

    def describe(self) -> str:
        """Describe which run must collapse more often."""
        return "of two runs that differ in nothing but the variant, the latter collapses more often"
