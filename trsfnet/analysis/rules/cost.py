"""The cost of trainable scales and slopes: the time of a training step, measured by a benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from trsfnet.analysis.benchmarks import cases_of, measured
from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import Comparison, Finding, Measured, Observed, Outcome
from trsfnet.analysis.rules.rule import Bounds, Rule
from trsfnet.analysis.run import Run, moment
from trsfnet.analysis.units import SIGNED_NUMBER, Unit
from trsfnet.evaluation.statistics import Interval
from trsfnet.text import joined, with_range

_FACTOR = Unit(3)


@dataclass(frozen=True)
class Cost(Rule):
    """A training step with TRSF and PReLU takes less than a given multiple of one with constants and ReLU.

    The times are measured by `benchmarks.step`, which alternates between the two. The claim is supported if
    every round of every case is below the factor, and contradicted if every round of some case is above it.
    It depends on the machine rather than on a track, so it is decided once, in the campaign of the mechanism
    study. The networks that are trained decide it, with our own layers; what PyTorch's layers cost is stated
    with the verdict, since the outcome may depend on the implementation.

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
        missing = [title for title in self.cases if title not in by_title]
        if result is None or missing:
            return Finding(Outcome.NOT_RUN, "`python -m benchmarks.step` was not run here.")
        found = [by_title[title]["trainability"]["ours"] for title in self.cases]
        numbers = [
            Comparison(title, Observed(each["median"], result["rounds"], _range(each)))
            for title, each in zip(self.cases, found, strict=True)
        ]
        cpu = result["machine"]["cpu"]
        where = f"This is for our own layers: median and range of {result['rounds']} rounds on {cpu}."
        if all(each["max"] < self.below for each in found):
            outcome = Outcome.SUPPORTED
        elif any(each["min"] > self.below for each in found):
            outcome = Outcome.CONTRADICTED
        else:
            outcome = Outcome.INCONCLUSIVE
            where += " Rounds lie on both sides of the bound."
        return Finding(outcome, f"{where}{self._with_pytorch(outcome)}", numbers)

    def _with_pytorch(self, outcome: Outcome) -> str:
        """Return whether the bound also holds with PyTorch's layers, with their factors."""
        plain = self._plain().values()
        if not plain:
            return ""
        factors = joined(
            [with_range(each["median"], each["min"], each["max"], _FACTOR.text) for each in plain]
        )
        if all(each["max"] < self.below for each in plain):
            held = "it also holds" if outcome == Outcome.SUPPORTED else "it holds"
        elif any(each["min"] < self.below for each in plain):
            held = "rounds lie on both sides of the bound"
        else:
            held = "it does not hold either" if outcome == Outcome.CONTRADICTED else "it does not hold"
        return f" With PyTorch's layers, {held}: {factors}."

    def _plain(self) -> Mapping[str, Mapping[str, float]]:
        """Return the factors with PyTorch's layers by case; empty if one of them was not measured."""
        by_title = cases_of(measured("step"))
        found = {title: by_title[title]["trainability"] for title in self.cases if title in by_title}
        plain = {title: each["plain"] for title, each in found.items() if "plain" in each}
        return plain if len(plain) == len(self.cases) else {}

    def summary(self, measured: Sequence[Measured]) -> str:
        """Summarise the measurements, followed by the factors with PyTorch's layers."""
        plain = self._plain()
        text = super().summary(measured)
        if not text or not plain:
            return text
        factors = joined([_FACTOR.text(each["median"]) for each in plain.values()])
        return f"{text}, with our own layers; with PyTorch's layers {factors}"

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
            f"{self.below:g}, in every round of the benchmark"
        )


def _range(ratio: dict[str, float]) -> Interval:
    return Interval(ratio["median"], ratio["min"], ratio["max"])
