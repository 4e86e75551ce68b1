"""No run of the variants collapses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import MIN_SEEDS, Comparison, Finding, Measured, Observed, Outcome
from trsfnet.analysis.rules.rule import Rule
from trsfnet.analysis.units import POINTS, SHARE, Unit
from trsfnet.evaluation.statistics import clopper_pearson
from trsfnet.experiments.variants import short_name
from trsfnet.text import counted, joined

# "No crash" is supported if the probability of a collapse is shown to be below this.
RARE = 0.25


@dataclass(frozen=True)
class NoCollapse(Rule):
    """No run collapses: one collapse at the campaign's rate contradicts it, none in many runs supports it.

    Attributes:
        of: the variants.
    """

    kind: ClassVar[str] = "no-collapse"
    subject: ClassVar[str] = "Stability"

    of: tuple[str, ...]

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants in `of`."""
        return self.of

    def find(self, campaign: ComparableRuns) -> Finding:
        """Count the collapsed runs at the campaign's learning rate."""
        runs = [run for variant in self.of for run in campaign.of(variant).values()]
        if not runs:
            names = joined([short_name(variant) for variant in self.of])
            return Finding(Outcome.NOT_RUN, f"No run of {names} has ended.")
        collapsed = sum(run.collapsed for run in runs)
        exact = clopper_pearson(collapsed, len(runs))
        share = Observed(collapsed / len(runs), len(runs), exact)
        measured = [Comparison("share collapsed", share, self.of)]
        if collapsed:
            reason = f"{collapsed} of {counted(len(runs), 'run')} collapsed."
            return Finding(Outcome.CONTRADICTED, reason, measured)
        reason = f"None of {counted(len(runs), 'run')} collapsed"
        if min(len(campaign.of(variant)) for variant in self.of) < MIN_SEEDS:
            needed = f"{MIN_SEEDS} runs of each variant are needed"
            return Finding(Outcome.INCONCLUSIVE, f"{reason}; {needed}.", measured)
        return Finding(None, reason, measured, p_for=(1 - RARE) ** len(runs))

    def testable(self, variants: Collection[str], track: str) -> bool:
        """Return whether `variants` include all that are needed."""
        return set(self.of) <= set(variants)

    def unit(self, *, difference: bool) -> Unit:
        """Return the format of a share."""
        return POINTS if difference else SHARE

    def estimate(self, measured: Measured) -> str:
        """Format the collapses with the interval of their share: `0 of 6 runs collapsed (0.0 to 45.9 %)`."""
        number = round(measured.estimate * measured.seeds)
        collapsed = f"{number} of {counted(measured.seeds, 'run')} collapsed"
        if measured.low is None or measured.high is None:
            return collapsed
        return f"{collapsed} ({SHARE.bare(measured.low)} to {SHARE.text(measured.high)})"

    def describe(self) -> str:
        """Describe what must not happen."""
        return "none of the runs collapses"
