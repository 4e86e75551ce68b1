"""Our runs reproduce the values of the paper's tables or figures within a tolerance, on its own data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.findings import Comparison, Finding, Outcome
from trsfnet.analysis.measures import PAPER_TRACK
from trsfnet.analysis.quantities import Quantity
from trsfnet.analysis.rules.measuring import Measuring
from trsfnet.analysis.rules.rule import Bounds, shortfalls, within
from trsfnet.experiments.variants import short_name
from trsfnet.paper.numbers import paper_figure, paper_table


@dataclass(frozen=True)
class Cells(Measuring):
    """Every published value lies within a tolerance of our mean.

    A published value comes from a single run, so the standard error of the difference includes the spread of
    one further run. The rule applies only to the paper's own data, since values on other data are not
    comparable.

    Attributes:
        quantity: the quantity measured in each run.
        tolerance: maximum deviation from the published value, in the unit of the quantity.
        tables: numbers of the tables compared.
        figures: numbers of the figures compared, by their number of negative slopes.
    """

    kind: ClassVar[str] = "cells"
    subject: ClassVar[str] = "The paper's values themselves"

    tolerance: float
    tables: tuple[int, ...] = ()
    figures: tuple[int, ...] = ()

    @property
    def bounds(self) -> Bounds:
        """Bounds of the difference from the published value."""
        return -self.tolerance, self.tolerance

    @cached_property
    def cells(self) -> dict[str, float]:
        """The published values, by variant."""
        cells = {v: value for number in self.tables for v, value in paper_table(number).by_variant.items()}
        for number in self.figures:
            cells |= {v: float(signs["negative"]) for v, signs in paper_figure(number).cells.items()}
        return cells

    @property
    def variants(self) -> tuple[str, ...]:
        """Variants of the cells."""
        return tuple(self.cells)

    def find(self, campaign: ComparableRuns) -> Finding:
        """Test whether every cell is reproduced; only on the paper's track."""
        if campaign.track != PAPER_TRACK:
            return Finding(Outcome.NOT_RUN, "Absolute values are compared on the paper's own data only.")
        gaps = shortfalls([(variant,) for variant in self.cells], self.quantity, campaign)
        measured = []
        for (variant, value), gap in zip(self.cells.items(), gaps, strict=True):
            mean = None if gap else campaign.effect({variant: 1.0}, self.quantity, self.pooling)
            if mean:
                error = mean.standard_error * (1 + mean.seeds) ** 0.5
                off = Effect(mean.estimate - value, error, mean.degrees_of_freedom, mean.seeds)
                name = f"{short_name(variant)} − published"
                measured.append(Comparison(name, off, (variant,), difference=True, published=value))
        return within(self.bounds, measured, gaps)

    def rests_on(self, table: int, quantity: Quantity, variants: Collection[str]) -> bool:
        """Return whether the table is one of those compared."""
        return table in self.tables

    def published(self, values: Sequence[float] | None = None) -> str:
        """Return the range of the published cells, or of `values`."""
        values = list(self.cells.values()) if values is None else values
        return self.span(values, difference=False)

    def describe(self) -> str:
        """Describe what is measured and its tolerance."""
        off = self.unit(difference=True).distance(self.tolerance)
        what = f"{self.quantity.description} is within {off} of the paper's"
        return f"{what}, in each cell{self.spread_in_words}"
