"""Our runs have the values of the paper's tables or figures, within a tolerance: on its own data only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.findings import Comparison, Finding, Outcome
from trsfnet.analysis.measures import PAPER_TRACK
from trsfnet.analysis.quantities import Quantity
from trsfnet.analysis.rules.measuring import Measuring
from trsfnet.analysis.rules.rule import Bounds, shortfall, within
from trsfnet.experiments.variants import short_name
from trsfnet.paper.numbers import paper_figure, paper_table

if TYPE_CHECKING:
    from trsfnet.analysis.campaign import Campaign


@dataclass(frozen=True)
class Cells(Measuring):
    """Every published value lies within the tolerance of what one more run of ours would give.

    The paper's value is one run, so its error has our spread once more. Only on the paper's own data:
    elsewhere the same words name another quantity.

    Attributes:
        quantity: what is measured in a run.
        tolerance: how far a value may be from the published one, in the unit of the quantity.
        tables: numbers of tables.
        figures: numbers of figures, whose negative slopes are counted.
    """

    kind: ClassVar[str] = "cells"
    subject: ClassVar[str] = "The paper's values themselves"

    tolerance: float
    tables: tuple[int, ...] = ()
    figures: tuple[int, ...] = ()

    @property
    def bounds(self) -> Bounds:
        """Of a difference from the published value."""
        return -self.tolerance, self.tolerance

    @cached_property
    def cells(self) -> dict[str, float]:
        """The published values by variant."""
        cells = {v: value for number in self.tables for v, value in paper_table(number).by_variant.items()}
        for number in self.figures:
            cells |= {v: float(signs["negative"]) for v, signs in paper_figure(number).cells.items()}
        return cells

    @property
    def variants(self) -> tuple[str, ...]:
        """Those of the cells."""
        return tuple(self.cells)

    def find(self, campaign: Campaign) -> Finding:
        """Whether every cell is met; only by runs on the paper's track."""
        if campaign.track != PAPER_TRACK:
            return Finding(Outcome.NOT_RUN, "Absolute values are compared on the paper's own data only.")
        gaps, measured = [], []
        for variant, value in self.cells.items():
            gap = shortfall([variant], self.quantity, campaign)
            gaps.append(gap)
            mean = None if gap else campaign.effect({variant: 1.0}, self.quantity)
            if mean:
                error = mean.standard_error * (1 + mean.seeds) ** 0.5
                off = Effect(mean.estimate - value, error, mean.degrees_of_freedom, mean.seeds)
                name = f"{short_name(variant)} − published"
                measured.append(Comparison(name, off, (variant,), difference=True, published=value))
        return within(self.bounds, measured, gaps)

    def rests_on(self, table: int, quantity: Quantity, variants: Collection[str]) -> bool:
        """One of its own tables."""
        return table in self.tables

    def published(self, values: Sequence[float] | None = None) -> str:
        """The range of the cells, or of `values` of them."""
        values = list(self.cells.values()) if values is None else values
        return self.span(values, difference=False)

    def describe(self) -> str:
        """What is measured and how far it may be off."""
        off = self.unit(difference=True).distance(self.tolerance)
        return f"{self.quantity.description} is within {off} of the paper's, in each cell"
