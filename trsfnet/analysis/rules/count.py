"""The network has the number of parameters, scales or slopes that the paper states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import Comparison, Finding, Measured, Observed, Outcome
from trsfnet.analysis.rules.rule import Rule
from trsfnet.analysis.run import Run
from trsfnet.analysis.units import COUNT, SIGNED_COUNT, Unit
from trsfnet.paper.numbers import paper_quantities
from trsfnet.text import joined


@dataclass(frozen=True)
class Count(Rule):
    """The counts in the records equal the paper's after rounding to its unit.

    Attributes:
        what: `parameters`, `scales` or `slopes`.
        numbers: pairs of architecture and name of the paper's number.
        per: unit of the paper's number, such as a million; our count is rounded to it.
        by_choice: why the number follows from a choice of ours and is therefore no evidence; None otherwise.
    """

    kind: ClassVar[str] = "count"
    subject: ClassVar[str] = "Counts"

    what: str
    numbers: tuple[tuple[str, str], ...]
    per: int = 1
    by_choice: str | None = None

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """Create the rule from an entry of `claims.json`."""
        return cls(
            entry["count"], tuple(entry["quantities"].items()), entry.get("unit", 1), entry.get("by_choice")
        )

    @property
    def _published(self) -> dict[str, float]:
        return {arch: paper_quantities()[name].number for arch, name in self.numbers}

    def find(self, campaign: ComparableRuns) -> Finding:
        """Compare the counts of runs that have such parts with the paper's."""
        found = {run.config["arch"]: run.info["counts"][self.what] for run in self._counting(campaign)}
        papers = self._published
        missing = [arch for arch in papers if arch not in found]
        if missing:
            return Finding(Outcome.NOT_RUN, f"No run of {joined(missing)} has such {self.what} to count.")
        ours = {arch: round(found[arch] / self.per) for arch in papers}
        measured = [
            Comparison(f"{self.what} of {arch}", Observed(found[arch]), published=papers[arch])
            for arch in papers
        ]
        text = joined([f"{found[arch]:,} in {arch}" for arch in papers])
        if self.by_choice:
            return Finding(Outcome.INCONCLUSIVE, f"Counted: {text}. {self.by_choice}", measured)
        outcome = Outcome.SUPPORTED if ours == papers else Outcome.CONTRADICTED
        return Finding(outcome, f"Counted: {text}.", measured)

    def _counting(self, campaign: ComparableRuns) -> list[Run]:
        """Return the runs whose networks have such parts; for parameters, those with full width."""
        has = {
            # Trainable slopes and scales are parameters too, but too few to change the count in millions.
            "parameters": lambda config: config["width"] == 1,
            "scales": lambda config: config["trsf"],
            "slopes": lambda config: config["activation"] == "prelu",
        }[self.what]
        return [run for run in campaign.runs.values() if run.info.get("counts") and has(run.config)]

    def unit(self, *, difference: bool) -> Unit:
        """Return the format of an integer."""
        return SIGNED_COUNT if difference else COUNT

    def published(self, values: Sequence[float] | None = None) -> str:
        """Return the paper's counts for all architectures, or `values`."""
        values = list(self._published.values()) if values is None else values
        if not values:
            return "–"
        text = joined([f"{value:,.0f}" for value in values])
        return text if self.per == 1 else f"{text} million"

    def summary(self, measured: Sequence[Measured]) -> str:
        """Return all counts in one line."""
        return f"counted {joined([self.estimate(m) for m in measured])}" if measured else ""

    def describe(self) -> str:
        """Describe where the count comes from."""
        return "counted in the networks that were trained"
