"""Runs of some variants collapse less often, or train further, than corresponding runs of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import Comparison, Finding, Measured, Outcome
from trsfnet.analysis.held_out import OUTCOMES, PairedLosses, held_out_course
from trsfnet.analysis.paired_proportions import PairedShares
from trsfnet.analysis.rules.rule import Bounds, Rule
from trsfnet.analysis.run import Run
from trsfnet.analysis.units import POINTS, SHARE, Unit
from trsfnet.experiments.variants import short_name
from trsfnet.text import counted


@dataclass(frozen=True)
class FewerCollapses(Rule):
    """Some variants train more stably than others: a test on pairs of runs.

    Runs of two variants are paired by learning rate and seed, over all learning rates that were run. Runs
    without held-out images are compared by whether they collapsed, with a sign test. Runs with held-out
    images are compared by the loss on them, at the end and on average over training (`held_out`), with
    Wilcoxon's signed-rank test. The less significant of the two outcomes decides in either direction, so that
    they must agree. This part of the rule was fixed before any run with held-out images in the studies
    `collapse` and `width`.

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

    def find(self, campaign: ComparableRuns) -> Finding:
        """Test every pair of variants."""
        measured = []
        p_for, p_against = 0.0, 1.0
        for a, b in self.pairs:
            first, second = campaign.endings(a), campaign.endings(b)
            common = first.keys() & second.keys()
            if not common:
                return Finding(
                    Outcome.NOT_RUN, f"No run of {short_name(a)} matches a run of {short_name(b)}."
                )
            outcomes = _outcomes(campaign, a, b, sorted(common))
            measured += [
                Comparison(
                    f"{outcome}, {short_name(a)} − {short_name(b)}",
                    value,
                    (a,),
                    (b,),
                    difference=True,
                    outcome=outcome,
                )
                for outcome, value in outcomes.items()
            ]
            p_for = max(p_for, *(value.p_less for value in outcomes.values()))
            p_against = min(p_against, max(value.p_more for value in outcomes.values()))
        if p_for == p_against == 1:
            reason = "All runs that differ in the variant alone ended alike."
            return Finding(Outcome.INCONCLUSIVE, reason, measured)
        p_against = min(1.0, len(self.pairs) * p_against)
        return Finding(None, "", measured, p_for, p_against, conjunction=len(measured))

    def evidence(self, campaign: ComparableRuns) -> dict[str, list[tuple[str, Run]]]:
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
        """Return what was compared and the number of pairs of runs, after a comma."""
        return f", {measured.outcome}, {counted(measured.seeds, 'pair')}"

    def describe(self) -> str:
        """Describe which run must collapse more often."""
        return (
            "of two runs that differ only in the variant, the latter collapses more often; if images "
            "of the training people are held out, it has the higher loss on them, both at the end and on "
            "average over training (as a share of chance level, at most 1)"
        )


def _outcomes(
    campaign: ComparableRuns, first: str, second: str, common: Sequence[tuple[float, int]]
) -> Mapping[str, PairedShares | PairedLosses]:
    """Compare the runs of two variants at the learning rates and seeds in `common`, by outcome."""
    one, other = campaign.at_all_rates(first), campaign.at_all_rates(second)
    courses = [(held_out_course(one[key]), held_out_course(other[key])) for key in common]
    graded = [(a, b) for a, b in courses if a is not None and b is not None]
    if len(graded) == len(common):
        return {
            name: PairedLosses(tuple(measure(a) - measure(b) for a, b in graded))
            for name, measure in OUTCOMES.items()
        }
    ends = [(one[key].collapsed, other[key].collapsed) for key in common]
    shares = PairedShares(
        only_first=sum(a and not b for a, b in ends),
        only_second=sum(b and not a for a, b in ends),
        pairs=len(ends),
    )
    return {"share collapsed": shares}
