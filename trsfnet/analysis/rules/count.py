"""The network has the number of parameters, scales or slopes that the paper states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import Comparison, Finding, Measured, Observed, Outcome
from trsfnet.analysis.full_network import full_network
from trsfnet.analysis.rules.rule import Rule
from trsfnet.analysis.units import COUNT, SIGNED_COUNT, Unit
from trsfnet.paper.numbers import paper_quantities
from trsfnet.text import joined


@dataclass(frozen=True)
class Count(Rule):
    """The counts in the paper's networks equal its own after rounding to its unit.

    They follow from the architecture and not from training, so the networks are built at full width, with
    TRSF and PReLU. Campaigns that train all of the architectures give the verdict.

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
    def needs_runs(self) -> bool:
        """False, because the numbers follow from the architecture."""
        return False

    @property
    def _published(self) -> dict[str, float]:
        return {arch: paper_quantities()[name].number for arch, name in self.numbers}

    def find(self, campaign: ComparableRuns) -> Finding:
        """Compare the counts with the paper's."""
        papers = self._published
        trained = {run.config["arch"] for run in campaign.runs.values()}
        missing = [arch for arch in papers if arch not in trained]
        if missing:
            return Finding(Outcome.NOT_RUN, f"No run of {joined(missing)} has ended.")
        found = {arch: full_network(arch).counts()[self.what] for arch in papers}
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
        return "counted in the networks at full width, with TRSF and PReLU"
