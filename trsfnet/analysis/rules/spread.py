"""The means of the variants differ: the largest from the smallest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trsfnet.analysis.contrasts import largest_difference
from trsfnet.analysis.findings import Comparison, Finding, Outcome
from trsfnet.analysis.rules.measuring import Measuring
from trsfnet.analysis.rules.rule import Bounds, shortfall

if TYPE_CHECKING:
    from trsfnet.analysis.campaign import Campaign


@dataclass(frozen=True)
class Spread(Measuring):
    """The best variant's mean exceeds the worst's by more than Tukey's range test puts down to chance.

    A difference that is not seen is no proof that there is none, so this is never contradicted.

    Attributes:
        quantity: what is measured in a run.
        of: the variants among which the best and the worst are picked.
    """

    kind: ClassVar[str] = "spread"
    bounds: ClassVar[Bounds] = (0.0, None)

    of: tuple[str, ...]

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants."""
        return self.of

    def find(self, campaign: Campaign) -> Finding:
        """Tukey's range test."""
        gap = shortfall(self.of, self.quantity, campaign)
        spread = campaign.spread(self.of[0], self.quantity)
        found = None
        if spread and not gap:
            values = [campaign.values(variant, self.quantity) for variant in self.of]
            found = largest_difference(values, spread)
        if not found:
            return gap or Finding(Outcome.INCONCLUSIVE, "Too few seeds.")
        effect, p_value = found
        pairs = len(self.of) * (len(self.of) - 1) // 2
        measured = Comparison("best − worst", effect, self.of, difference=True, published=self._published)
        # Halved, because a finding's p value doubles it, and Tukey's has two sides already.
        return Finding(None, measured=[measured], p_for=p_value / 2, comparisons=pairs)

    def testable(self, variants: Collection[str], track: str) -> bool:
        """Where all variants are run."""
        return set(self.of) <= set(variants)

    @property
    def _published(self) -> float | None:
        cells = self.quantity.published()
        values = [cells[variant] for variant in self.of if variant in cells]
        return max(values) - min(values) if len(values) == len(self.of) else None

    def published(self, values: Sequence[float] | None = None) -> str:
        """The paper's best cell less its worst."""
        values = [v for v in (self._published,) if v is not None] if values is None else values
        return self.span(values, difference=True)

    def describe(self) -> str:
        """What must exceed what."""
        return f"the largest mean of {self.quantity.description} exceeds the smallest"
