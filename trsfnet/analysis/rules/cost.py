"""The cost of trainable scales and slopes: the time of a training step, measured by a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from trsfnet.analysis.benchmarks import cases_of, measured
from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import Comparison, Finding, Observed, Outcome
from trsfnet.analysis.rules.rule import Bounds, Rule
from trsfnet.analysis.run import Run, moment
from trsfnet.analysis.units import SIGNED_NUMBER, Unit
from trsfnet.evaluation.statistics import Interval
from trsfnet.text import joined

_FACTOR = Unit(3)


@dataclass(frozen=True)
class Cost(Rule):
    """A training step with TRSF and PReLU takes less than a given multiple of one with constants and ReLU.

    The times are measured by `benchmarks.step`, which alternates between the two, with our own layers, which
    all runs use, and with PyTorch's. The claim is about the method, so it is supported if every round of
    every case is below the factor with both kinds of layers. It is contradicted if every round of some case
    is above it with both. It depends on the machine rather than on a track, so it is decided once, in the
    campaign of the mechanism study.

    Attributes:
        cases: titles of the benchmark's cases, all of which must satisfy the bound.
        below: the factor.
    """

    kind: ClassVar[str] = "cost"
    subject: ClassVar[str] = "Mechanisms"

    cases: tuple[str, ...]
    below: float

    @property
    def bounds(self) -> Bounds:
        """The factor as upper bound."""
        return None, self.below

    def find(self, campaign: ComparableRuns) -> Finding:
        """Compare the rounds that the benchmark recorded."""
        if campaign.mechanism.empty:
            return Finding(Outcome.NOT_RUN, "It is reported with the study of weight decay and scales.")
        result = measured("step")
        by_title = cases_of(result)
        by_case = {
            title: _factors(by_title[title]["trainability"]) for title in self.cases if title in by_title
        }
        complete = [title for title, found in by_case.items() if found.keys() == set(_LAYERS.values())]
        if result is None or len(complete) < len(self.cases):
            reason = "`python -m benchmarks.step` was not run here for all cases and both kinds of layers."
            return Finding(Outcome.NOT_RUN, reason)
        rounds = result["rounds"]
        numbers = [
            Comparison(f"{title}, {layers}", Observed(factor.value, rounds, factor))
            for title, found in by_case.items()
            for layers, factor in found.items()
        ]
        reason = f"Median and range of {rounds} rounds on {result['machine']['cpu']}."
        if all(factor.high < self.below for found in by_case.values() for factor in found.values()):
            return Finding(Outcome.SUPPORTED, reason, numbers)
        if any(all(factor.low > self.below for factor in found.values()) for found in by_case.values()):
            return Finding(Outcome.CONTRADICTED, reason, numbers)
        return Finding(Outcome.INCONCLUSIVE, f"{reason} {self._undecided(by_case)}", numbers)

    def _undecided(self, by_case: Mapping[str, Mapping[str, Interval]]) -> str:
        """Return why measurements do not decide the claim: by the implementation, or within one."""
        holds = [
            layers
            for layers in _LAYERS.values()
            if all(found[layers].high < self.below for found in by_case.values())
        ]
        fails = [
            layers
            for layers in _LAYERS.values()
            if any(found[layers].low > self.below for found in by_case.values())
        ]
        if holds and fails:
            return f"The bound holds with {joined(holds)}, but not with {joined(fails)}."
        return "Rounds lie on both sides of the bound."

    def evidence(self, campaign: ComparableRuns) -> dict[str, list[tuple[str, Run]]]:
        """Return no runs, since the evidence is a benchmark."""
        return {}

    def first_measured(self, campaign: ComparableRuns) -> datetime | None:
        """Return the date of the benchmark; None if it was not run here."""
        result = measured("step")
        return moment(result["machine"]["date"]) if result else None

    def unit(self, *, difference: bool) -> Unit:
        """Return the format of a factor: a plain number."""
        return SIGNED_NUMBER if difference else _FACTOR

    def describe(self) -> str:
        """Describe what is measured and its bound."""
        return (
            f"the time of a training step with TRSF and PReLU over that with constants and ReLU is below "
            f"{self.below:g}, in every round of the benchmark, with our layers and with PyTorch's"
        )


# The kinds of layers, by their name in the benchmark.
_LAYERS = {"ours": "our layers", "plain": "PyTorch's layers"}


def _factors(measured: Mapping[str, Mapping[str, float]]) -> dict[str, Interval]:
    """Return median and range of the factor by kind of layers."""
    return {
        layers: Interval(found["median"], found["min"], found["max"])
        for name, layers in _LAYERS.items()
        if (found := measured.get(name))
    }
