"""Means over variants, differences between them, and opposite effects that such means may hide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from trsfnet.analysis.comparable_runs import ComparableRuns, Pooling
from trsfnet.analysis.findings import ALPHA
from trsfnet.analysis.quantities import Quantity
from trsfnet.experiments.variants import short_name, variant_of
from trsfnet.text import joined


@dataclass(frozen=True)
class Means:
    """The mean of a quantity over the variants `of`, minus that over the variants `than`, if any."""

    of: tuple[str, ...]
    than: tuple[str, ...] = ()

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each variant's mean over seeds."""
        shares = {variant: 1 / len(self.of) for variant in self.of}
        return shares | {variant: -1 / len(self.than) for variant in self.than}

    @property
    def name(self) -> str:
        """Readable name, such as `v1 + TRSF − v1`."""
        return " − ".join(_mean(side) for side in (self.of, self.than) if side)


def _mean(variants: Sequence[str]) -> str:
    if len(variants) == 1:
        return short_name(variants[0])
    if len(variants) == 2:
        return f"mean of {joined([short_name(variant) for variant in variants])}"
    return f"mean of {len(variants)} variants"


_PARTS = {
    "arch": {"v1": "v1", "v2": "v2"},
    "activation": {"relu": "ReLU", "leaky_relu": "Leaky ReLU", "prelu": "PReLU"},
}
"""The settings by which a mean over variants is split, and the names of the parts."""


def opposites(means: Means, quantity: Quantity, campaign: ComparableRuns, pooling: Pooling) -> str:
    """Return a sentence if parts of a difference have opposite signs and differ significantly, else "".

    The parts are the versions and the activations. Each pair is tested at 5 % divided by the number of pairs.
    """
    sentences = []
    for field, names in _PARTS.items():
        parts = {value: part for value in names if (part := _part(means, field, value))}
        pairs = list(combinations(parts, 2))
        for first, second in pairs:
            one, other = (
                campaign.effect(parts[value].weights, quantity, pooling) for value in (first, second)
            )
            weights = parts[first].weights | {
                variant: parts[first].weights.get(variant, 0.0) - weight
                for variant, weight in parts[second].weights.items()
            }
            difference = campaign.effect(weights, quantity, pooling)
            if not (one and other and difference) or one.estimate * other.estimate >= 0:
                continue
            p = 2 * min(difference.p_above(0.0), difference.p_below(0.0)) * len(pairs)
            if p < ALPHA:
                texts = [quantity.difference.text(effect.estimate) for effect in (one, other)]
                sentences.append(
                    f"{names[first]} and {names[second]} go opposite ways beyond chance ({texts[0]} and "
                    f"{texts[1]}, p {p:.2g})."
                )
    return " ".join(sentences)


def _part(means: Means, field: str, value: str) -> Means | None:
    """Return the variants with a given value on both sides; None if a side has none or if all have it."""
    sides = [
        tuple(variant for variant in side if getattr(variant_of(variant), field) == value)
        for side in (means.of, means.than)
    ]
    return Means(*sides) if all(sides) and sides != [means.of, means.than] else None
