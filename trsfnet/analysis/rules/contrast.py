"""The mean of a quantity over seeds, or a difference of means, lies above, below or between bounds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import Comparison, Finding, Outcome
from trsfnet.analysis.measures import PAPER_TRACK
from trsfnet.analysis.rules.means import Means, disagreements
from trsfnet.analysis.rules.measuring import Measuring
from trsfnet.analysis.rules.rule import Bounds, shortfalls, within
from trsfnet.analysis.units import Unit
from trsfnet.paper.numbers import paper_quantities
from trsfnet.text import joined


@dataclass(frozen=True)
class Contrast(Measuring):
    """Each mean over seeds, or difference of means, lies above, below or between bounds.

    For example, a contrast of `v1-trsf-relu` with `v1-relu` and the lower bound 0 states that TRSF improves
    v1; a contrast of `v1-trsf-relu` alone compares its mean with the bounds.

    The outcome never favours the side with more runs that collapsed or ended before the quantity was reached,
    because those seeds might have been its worst.

    Attributes:
        quantity: the quantity measured in each run.
        contrasts: the means or differences of means, all of which must lie within the bounds.
        above: lower bound, or None.
        below: upper bound, or None.
        paper: name of the paper's own value in `paper_quantities`, or None.
    """

    kind: ClassVar[str] = "contrast"

    contrasts: tuple[Means, ...]
    above: float | None = None
    below: float | None = None
    paper: str | None = None

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """Create the rule from an entry of `claims.json`."""
        contrasts = [
            Means(**means | {side: tuple(means[side]) for side in ("of", "than") if side in means})
            for means in entry["contrasts"]
        ]
        return super().parse({**entry, "contrasts": contrasts})

    @property
    def bounds(self) -> Bounds:
        """Lower and upper bound; None for no bound."""
        return self.above, self.below

    @cached_property
    def variants(self) -> tuple[str, ...]:
        """Variants of all contrasts."""
        return tuple(dict.fromkeys(variant for means in self.contrasts for variant in means.weights))

    def find(self, campaign: ComparableRuns) -> Finding:
        """Test whether every contrast lies within the bounds."""
        gaps = shortfalls([(*m.of, *m.than) for m in self.contrasts], self.quantity, campaign)
        measured = []
        for means, gap in zip(self.contrasts, gaps, strict=True):
            effect = None if gap else campaign.effect(means.weights, self.quantity, self.pooling)
            if effect:
                published = self._published.get(means)
                differs = bool(means.than)
                name = means.name(" / " if self.quantity.unit.logarithm else " − ")
                measured.append(Comparison(name, effect, means.of, means.than, differs, published))
        found = within(self.bounds, measured, gaps, self._barred(campaign))
        notes, differing = [], []
        for means in self.contrasts:
            if means.than and (parts := disagreements(means, self.quantity, campaign, self.pooling)):
                note = " ".join(each.sentence for each in parts)
                notes.append(f"{means.name()}: {note}" if len(self.contrasts) > 1 else note)
                differing += [each.parts for each in parts]
        return replace(found, note=" ".join(notes), differing=tuple(dict.fromkeys(differing)))

    def _barred(self, campaign: ComparableRuns) -> frozenset[Outcome]:
        """Return the outcomes ruled out because the side they favour has more collapsed or censored runs."""
        barred = set()
        for means in self.contrasts:
            if means.than:
                subject, other = (
                    sum(campaign.cut_short(variant, self.quantity) for variant in side) / len(side)
                    for side in (means.of, means.than)
                )
                if subject != other:
                    barred.add(Outcome.SUPPORTED if subject > other else Outcome.CONTRADICTED)
        return frozenset(barred)

    def testable(self, variants: Collection[str], track: str) -> bool:
        """Return whether the track has the quantity and `variants` include all that are needed."""
        known = track == PAPER_TRACK or not self.quantity.paper_only
        return known and set(self.variants) <= set(variants)

    @cached_property
    def _published(self) -> dict[Means, float]:
        if self.paper:
            return {self.contrasts[0]: paper_quantities()[self.paper].share}
        cells = self.quantity.published()
        return {
            means: sum(weight * cells[variant] for variant, weight in means.weights.items())
            for means in self.contrasts
            if means.weights.keys() <= cells.keys()
        }

    def published(self, values: Sequence[float] | None = None) -> str:
        """Return the range of the paper's numbers for the contrasts, or of `values`."""
        values = list(self._published.values()) if values is None else values
        return self.span(values, difference=any(means.than for means in self._published))

    def describe(self) -> str:
        """Describe what is measured and its bounds."""
        differs = bool(self.contrasts[0].than)
        unit, what = self.unit(difference=differs), self.quantity.description
        if differs:
            what = (
                f"{what}, relative to that with the other setting,"
                if unit.logarithm
                else f"the difference of {what}"
            )
        limits = [f"above {_bound(unit, self.above)}"] if self.above is not None else []
        limits += [f"below {_bound(unit, self.below)}"] if self.below is not None else []
        each = f", in each of {len(self.contrasts)} comparisons" if len(self.contrasts) > 1 else ""
        return f"{what} is {joined(limits)}{each}{self.spread_in_words}"


def _bound(unit: Unit, value: float) -> str:
    if unit.logarithm:
        return f"{10**value:.3g}"
    return "0" if value == 0 else unit.text(value)
