"""A contrast holds by whichever mean over modules is taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from trsfnet.analysis.findings import Finding
from trsfnet.analysis.rules.contrast import Contrast
from trsfnet.analysis.rules.rule import Bounds, Rule
from trsfnet.analysis.units import Unit
from trsfnet.text import joined

if TYPE_CHECKING:
    from trsfnet.analysis.campaign import Campaign


@dataclass(frozen=True)
class Agreement(Rule):
    """The same contrast of several quantities: decided only where all of them agree.

    For the claim and against it speaks the quantity that says least.

    Attributes:
        parts: a contrast for each quantity.
    """

    kind: ClassVar[str] = "agreement"

    parts: tuple[Contrast, ...]

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """The rule of an entry of `claims.json`."""
        shared = {name: value for name, value in entry.items() if name != "quantities"}
        return cls(tuple(Contrast.parse({**shared, "quantity": name}) for name in entry["quantities"]))

    @property
    def subject(self) -> str:
        """What its quantities are about."""
        return self.parts[0].subject

    @property
    def moves_with_schedule(self) -> bool:
        """Whether its quantities do."""
        return self.parts[0].moves_with_schedule

    @property
    def bounds(self) -> Bounds:
        """Those of the contrast."""
        return self.parts[0].bounds

    @property
    def variants(self) -> tuple[str, ...]:
        """Those of the contrast."""
        return self.parts[0].variants

    def find(self, campaign: Campaign) -> Finding:
        """The weaker p value of either direction, of all quantities."""
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
            note=" ".join(filter(None, (finding.note for finding in found))),
        )

    def testable(self, variants: Collection[str], track: str) -> bool:
        """Where the contrast is."""
        return all(part.testable(variants, track) for part in self.parts)

    def unit(self, *, difference: bool) -> Unit:
        """That of the quantities."""
        return self.parts[0].unit(difference=difference)

    def published(self, values: Sequence[float] | None = None) -> str:
        """The paper's numbers for the first quantity."""
        return self.parts[0].published(values)

    def describe(self) -> str:
        """The contrast, by each of the means."""
        labels = joined([part.quantity.label for part in self.parts])
        return f"{self.parts[0].describe()}, by {labels} over modules alike"
