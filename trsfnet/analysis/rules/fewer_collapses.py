"""Runs of some variants collapse less often, or train further, than corresponding runs of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import MIN_SEEDS, Comparison, Finding, Measured, Outcome
from trsfnet.analysis.held_out import OUTCOMES, PairedLosses, held_out_course
from trsfnet.analysis.paired_proportions import PairedShares
from trsfnet.analysis.rules.rule import Bounds, Rule
from trsfnet.analysis.run import Run
from trsfnet.analysis.units import POINTS, SHARE, Unit
from trsfnet.experiments.variants import short_name
from trsfnet.text import counted, joined


@dataclass(frozen=True)
class FewerCollapses(Rule):
    """Some variants train more stably than others: a test on pairs of runs.

    Runs of two variants are paired by learning rate and seed, over all learning rates that were run. Runs
    without held-out images are compared by whether they collapsed, with a sign test. Runs with held-out
    images are compared by the loss on them, at the end and on average over training (`held_out`), with
    Wilcoxon's signed-rank test. The less significant of the two outcomes decides in either direction, so that
    they must agree. This part of the rule was fixed before any run with held-out images in the studies
    `collapse` and `width`. As for all rules, at least three seeds are needed; different learning rates do not
    replace them.

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
        measured: list[Comparison] = []
        collapsed: dict[tuple[str, float, int], bool] = {}
        p_for, p_against, fewest, alike = 0.0, 1.0, MIN_SEEDS, True
        for a, b in self.pairs:
            first, second = campaign.endings(a), campaign.endings(b)
            common = sorted(first.keys() & second.keys())
            if not common:
                return Finding(
                    Outcome.NOT_RUN, f"No run of {short_name(a)} matches a run of {short_name(b)}."
                )
            fewest = min(fewest, len({seed for _, seed in common}))
            collapsed |= {(v, *key): runs[key] for v, runs in ((a, first), (b, second)) for key in common}
            outcomes = _outcomes(campaign, a, b, common)
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
            alike = alike and all(value.alike for value in outcomes.values())
            p_for = max(p_for, *(value.p_less for value in outcomes.values()))
            p_against = min(p_against, max(value.p_more for value in outcomes.values()))
        if fewest < MIN_SEEDS:
            reason = f"The pairs of runs have {counted(fewest, 'seed')}; {MIN_SEEDS} are needed."
            return Finding(Outcome.INCONCLUSIVE, reason, measured)
        if alike:
            reason = "All runs that differ in the variant alone ended alike."
            return Finding(Outcome.INCONCLUSIVE, reason, measured)
        p_against = min(1.0, len(self.pairs) * p_against)
        note = ""
        if any(comparison.outcome in OUTCOMES for comparison in measured):
            lost = f"{sum(collapsed.values())} of {counted(len(collapsed), 'run')}"
            note = f"Judged by how far training gets; {lost} collapsed."
        return Finding(None, "", measured, p_for, p_against, conjunction=len(measured), note=note)

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
        judged_by = f"judged by the {measured.outcome}" if measured.outcome in OUTCOMES else measured.outcome
        return f", {judged_by}, lower is better, {counted(measured.seeds, 'pair')} of runs"

    def describe(self) -> str:
        """Describe which run must collapse more often, and the tests."""
        than = joined([short_name(variant) for variant in self.than], "or")
        return (
            f"over pairs of runs with the same learning rate and seed, {than} collapses more often (sign "
            f"test); if images of the training people are held out, {than} instead has the higher loss on "
            "them, both at the end and on average over training (as a share of chance level, at most 1; "
            "Wilcoxon's signed-rank test)"
        )


def _outcomes(
    campaign: ComparableRuns, first: str, second: str, common: Sequence[tuple[float, int]]
) -> Mapping[str, PairedShares | PairedLosses]:
    """Compare the runs of two variants at the learning rates and seeds in `common`, by outcome."""
    one, other = campaign.at_all_rates(first), campaign.at_all_rates(second)
    courses = [(held_out_course(one[key]), held_out_course(other[key])) for key in common]
    graded = [(a, b) for a, b in courses if a is not None and b is not None]
    if len(graded) == len(common):
        found = {
            name: PairedLosses(tuple(measure(a) - measure(b) for a, b in graded))
            for name, measure in OUTCOMES.items()
        }
        fewest = min(int(np.count_nonzero(losses.differences)) for losses in found.values())
        return {name: replace(losses, fewest_differing=fewest) for name, losses in found.items()}
    ends = [(one[key].collapsed, other[key].collapsed) for key in common]
    shares = PairedShares(
        only_first=sum(a and not b for a, b in ends),
        only_second=sum(b and not a for a, b in ends),
        pairs=len(ends),
    )
    return {"share collapsed": shares}
