"""Base class of rules about a quantity that is measured in finished runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from trsfnet.analysis.comparable_runs import Pooling
from trsfnet.analysis.quantities import QUANTITIES, Quantity
from trsfnet.analysis.rules.rule import Rule
from trsfnet.analysis.units import Unit


@dataclass(frozen=True)
class Measuring(Rule):
    """A rule about a quantity.

    Attributes:
        quantity: the quantity measured in each run.
        pooling: the variants over which the spread between seeds is pooled. Not pooled are the initial slopes
            of table 6, whose spreads differ too much.
    """

    quantity: Quantity
    pooling: Pooling = field(default=Pooling.SIMILAR, kw_only=True)

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """Create the rule from an entry of `claims.json`, which names the quantity."""
        quantity, pooling = QUANTITIES[entry["quantity"]], Pooling(entry.get("pooling", Pooling.SIMILAR))
        return super().parse({**entry, "quantity": quantity, "pooling": pooling})

    @property
    def subject(self) -> str:
        """Subject of its quantity."""
        return self.quantity.subject

    @property
    def moves_with_schedule(self) -> bool:
        """True if its quantity is known to depend on decay budget or travel."""
        return self.quantity.moves_with_schedule

    def rests_on(self, table: int, quantity: Quantity, variants: Collection[str]) -> bool:
        """Return whether the rule is about the table's quantity and more than one of its rows."""
        return self.quantity == quantity and len(set(self.variants) & set(variants)) > 1

    @property
    def spread_in_words(self) -> str:
        """The end of a description: where the spreads come from, unless all similar variants are pooled."""
        return ", with the spread of each variant from its own seeds" if self.pooling == Pooling.NONE else ""

    def unit(self, *, difference: bool) -> Unit:
        """Return the unit of the quantity."""
        return self.quantity.difference if difference else self.quantity.unit

    def span(self, values: Sequence[float], *, difference: bool) -> str:
        """Return the range of `values` with the paper's precision; a dash if there are none."""
        if not values:
            return "–"
        unit, digits = self.unit(difference=difference), self.quantity.published_digits
        low, high = min(values), max(values)
        if low == high:
            return unit.text(low, digits)
        return f"{unit.bare(low, digits)} to {unit.text(high, digits)}"
