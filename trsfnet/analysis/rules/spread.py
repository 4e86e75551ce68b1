"""The means of several variants differ: the largest exceeds the smallest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.contrasts import largest_difference
from trsfnet.analysis.findings import Comparison, Finding, Outcome
from trsfnet.analysis.rules.measuring import Measuring
from trsfnet.analysis.rules.rule import Bounds, shortfall


@dataclass(frozen=True)
class Spread(Measuring):
    """The best variant's mean differs significantly from the worst's, by a studentised range test.

    It is the test of Tukey and Kramer, or of Games and Howell if the spreads are not pooled.
    Failing to detect a difference does not prove its absence, so the claim is never contradicted.

    Attributes:
        quantity: the quantity measured in each run.
        of: the variants from which the best and the worst are selected.
    """

    kind: ClassVar[str] = "spread"
    bounds: ClassVar[Bounds] = (0.0, None)

    of: tuple[str, ...]

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants in `of`."""
        return self.of

    def find(self, campaign: ComparableRuns) -> Finding:
        """Apply the range test."""
        gap = shortfall(self.of, self.quantity, campaign)
        spreads = campaign.spreads(self.of, self.quantity, self.pooling)
        found = None
        if spreads and not gap:
            values = [campaign.values(variant, self.quantity) for variant in self.of]
            found = largest_difference(values, spreads)
        if not found:
            return gap or Finding(Outcome.INCONCLUSIVE, "Too few seeds.")
        effect, p_value = found
        pairs = len(self.of) * (len(self.of) - 1) // 2
        measured = Comparison("best − worst", effect, self.of, difference=True, published=self._published)
        # The test's p value is two-sided already, so halve it: `Finding.p_value` doubles the one-sided one.
        return Finding(None, measured=[measured], p_for=p_value / 2, comparisons=pairs)

    def testable(self, variants: Collection[str], track: str) -> bool:
        """Return whether `variants` include all that are needed."""
        return set(self.of) <= set(variants)

    @property
    def _published(self) -> float | None:
        cells = self.quantity.published()
        values = [cells[variant] for variant in self.of if variant in cells]
        return max(values) - min(values) if len(values) == len(self.of) else None

    def published(self, values: Sequence[float] | None = None) -> str:
        """Return the paper's best cell minus its worst, or the range of `values`."""
        values = [v for v in (self._published,) if v is not None] if values is None else values
        return self.span(values, difference=True)

    def describe(self) -> str:
        """Describe what must exceed what."""
        return f"the largest mean of {self.quantity.description} exceeds the smallest{self.spread_in_words}"
