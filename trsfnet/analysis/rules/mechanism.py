"""A question about a mechanism, answered by the study of weight decay and scales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import MIN_SEEDS, Comparison, Finding, Outcome
from trsfnet.analysis.mechanism import finished_runs
from trsfnet.analysis.mechanism_claims import QUESTIONS, Asked, Question
from trsfnet.analysis.rules.rule import Bounds, Rule, within
from trsfnet.analysis.run import Run
from trsfnet.analysis.units import Unit
from trsfnet.experiments.mechanism import ENDS
from trsfnet.text import counted


@dataclass(frozen=True)
class Mechanism(Rule):
    """Each comparison of a question lies within its bounds, by Student's t test paired by seed.

    Attributes:
        question: the question, see `trsfnet.analysis.mechanism_claims`.
    """

    kind: ClassVar[str] = "mechanism"
    subject: ClassVar[str] = "Mechanisms"
    moves_with_schedule: ClassVar[bool] = True

    question: Question

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """Create the rule from an entry of `claims.json`, which names the question."""
        return cls(QUESTIONS[entry["question"]])

    @property
    def bounds(self) -> Bounds:
        """Bounds of the question."""
        return self.question.bounds

    def find(self, campaign: ComparableRuns) -> Finding:
        """Test the study's runs; other campaigns have none and give *not run*."""
        runs = campaign.mechanism
        if runs.empty:
            return Finding(Outcome.NOT_RUN, "Only the study of weight decay and scales measures it.")
        asked = list(self.question.asked(runs))
        if not asked:
            return Finding(Outcome.INCONCLUSIVE, self.question.premise)
        gaps = [_gap(each) for each in asked]
        measured = [
            Comparison(each.name, effect, difference=each.difference)
            for each, gap in zip(asked, gaps, strict=True)
            if not gap and (effect := each.effect)
        ]
        return replace(within(self.bounds, measured, gaps), note=self.question.note(runs))

    def evidence(self, campaign: ComparableRuns) -> dict[str, list[tuple[str, Run]]]:
        """Return no runs, since the page of the study lists them."""
        return {}

    def deciding_runs(self, campaign: ComparableRuns) -> list[Run]:
        """Return the study's runs at both weight decays that the questions compare."""
        return [run for run in finished_runs(campaign.ordered) if run.config["weight_decay"] in ENDS]

    def unit(self, *, difference: bool) -> Unit:
        """Return the unit of the question."""
        return self.question.difference if difference else self.question.unit

    def describe(self) -> str:
        """Describe what is measured and its bounds."""
        return self.question.description


def _gap(asked: Asked) -> Finding | None:
    """Return the finding that prevents a comparison from being tested, or None."""
    seeds = len(asked.by_seed)
    if seeds >= MIN_SEEDS:
        return None
    if not seeds:
        return Finding(Outcome.NOT_RUN, f"No pair of runs for “{asked.name}” has ended.")
    reason = f"“{asked.name}” has {counted(seeds, 'finished seed')}; {MIN_SEEDS} are needed."
    return Finding(Outcome.INCONCLUSIVE, reason)
