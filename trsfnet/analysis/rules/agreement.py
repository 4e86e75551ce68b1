"""A contrast must hold for each of several means over modules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import Finding
from trsfnet.analysis.rules.contrast import Contrast
from trsfnet.analysis.rules.rule import Bounds, Rule
from trsfnet.analysis.units import Unit
from trsfnet.text import capitalised, joined


@dataclass(frozen=True)
class Agreement(Rule):
    """The same contrast for several quantities, decided only if all of them agree.

    In each direction the least significant quantity determines the p value.

    Attributes:
        parts: one contrast per quantity.
    """

    kind: ClassVar[str] = "agreement"

    parts: tuple[Contrast, ...]

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """Create the rule from an entry of `claims.json`."""
        shared = {name: value for name, value in entry.items() if name != "quantities"}
        return cls(tuple(Contrast.parse({**shared, "quantity": name}) for name in entry["quantities"]))

    @property
    def subject(self) -> str:
        """Subject of its quantities."""
        return self.parts[0].subject

    @property
    def moves_with_schedule(self) -> bool:
        """True if its quantities are known to depend on decay budget or travel."""
        return self.parts[0].moves_with_schedule

    @property
    def bounds(self) -> Bounds:
        """Bounds of the contrast."""
        return self.parts[0].bounds

    @property
    def variants(self) -> tuple[str, ...]:
        """Variants of the contrast."""
        return self.parts[0].variants

    def find(self, campaign: ComparableRuns) -> Finding:
        """Combine the findings of all quantities, with the larger p value in each direction."""
        found = [part.find(campaign) for part in self.parts]
        undecided = next((finding for finding in found if finding.outcome), None)
        if undecided:
            return undecided
        measured = [
            replace(comparison, name=f"{part.quantity.label}: {comparison.name}")
            for part, finding in zip(self.parts, found, strict=True)
            for comparison in finding.measured
        ]
        return Finding(
            None,
            found[0].reason,
            measured,
            max(finding.p_for for finding in found),
            max(finding.p_against for finding in found),
            frozenset().union(*(finding.barred for finding in found)),
            conjunction=sum(finding.conjunction for finding in found),
            note=" ".join(
                f"{capitalised(part.quantity.label)}: {finding.note}"
                for part, finding in zip(self.parts, found, strict=True)
                if finding.note
            ),
            differing=tuple(dict.fromkeys(parts for finding in found for parts in finding.differing)),
        )

    def testable(self, variants: Collection[str], track: str) -> bool:
        """Return whether the contrast can be tested for all quantities."""
        return all(part.testable(variants, track) for part in self.parts)

    def unit(self, *, difference: bool) -> Unit:
        """Return the unit of the quantities."""
        return self.parts[0].unit(difference=difference)

    def published(self, values: Sequence[float] | None = None) -> str:
        """Return the paper's numbers for the first quantity."""
        return self.parts[0].published(values)

    def describe(self) -> str:
        """Describe the contrast and name the means."""
        labels = joined([part.quantity.label for part in self.parts])
        return f"{self.parts[0].describe()}, by {labels} over modules alike"
