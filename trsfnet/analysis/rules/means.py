"""Means over variants, differences between them, and opposite effects that such means may hide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from trsfnet.analysis.comparable_runs import ComparableRuns, Pooling
from trsfnet.analysis.findings import ALPHA
from trsfnet.analysis.quantities import Quantity
from trsfnet.experiments.variants import short_name, variant_of
from trsfnet.text import joined, p_in_text


@dataclass(frozen=True)
class Means:
    """The mean of a quantity over the variants `of`, minus that over the variants `than`, if any.

    Attributes:
        of: the variants of the mean.
        than: the variants of the mean that is subtracted; empty for none.
        times: factor of the difference, such as 2 if each side adds two effects.
        label: readable name, if the variants do not make it.
    """

    of: tuple[str, ...]
    than: tuple[str, ...] = ()
    times: float = 1
    label: str = ""

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each variant's mean over seeds."""
        shares = {variant: self.times / len(self.of) for variant in self.of}
        return shares | {variant: -self.times / len(self.than) for variant in self.than}

    def name(self, minus: str = " − ") -> str:
        """Return a readable name, such as `v1 + TRSF − v1`, with `minus` between the two sides."""
        if self.label:
            return self.label
        sides = [side for side in (self.of, self.than) if side]
        if len(sides) == 2 and min(map(len, sides)) > 2 and (settings := _contrasted(*sides)):
            return f"{minus.join(settings)}, means of {len(self.of)} variants"
        return minus.join(map(_mean, sides))


def _mean(variants: Sequence[str]) -> str:
    if len(variants) == 1:
        return short_name(variants[0])
    if len(variants) == 2:
        return f"mean of {joined([short_name(variant) for variant in variants])}"
    return f"mean of {len(variants)} variants"


_SETTINGS: dict[str, dict[str | bool, str]] = {
    "arch": {"v1": "v1", "v2": "v2"},
    "activation": {"relu": "ReLU", "leaky_relu": "Leaky ReLU", "prelu": "PReLU"},
    "trsf": {True: "TRSF", False: "constants"},
}
"""The settings that may tell the two sides of a difference apart, with the names of their values."""

_PARTS = ("arch", "activation")
"""The settings by which a difference is split."""


def _contrasted(of: Sequence[str], than: Sequence[str]) -> list[str]:
    """Return the names of the one setting in which both sides are uniform and differ; empty if not one."""
    found = []
    for setting, names in _SETTINGS.items():
        sides = [{getattr(variant_of(variant), setting) for variant in side} for side in (of, than)]
        if all(len(side) == 1 for side in sides) and sides[0] != sides[1]:
            found.append([names[value] for side in sides for value in side])
    return found[0] if len(found) == 1 else []


@dataclass(frozen=True)
class Disagreement:
    """Two parts of a difference that differ significantly from each other.

    Attributes:
        parts: names of the parts, such as `v1 and v2`.
        sentence: that they differ, with both values and the p value.
    """

    parts: str
    sentence: str


def disagreements(
    means: Means, quantity: Quantity, campaign: ComparableRuns, pooling: Pooling
) -> list[Disagreement]:
    """Return the parts of a difference that differ significantly from each other.

    The parts are the versions and the activations. Each pair is tested at 5 % divided by the number of pairs.
    """
    found = []
    for setting in _PARTS:
        names, parts = _SETTINGS[setting], _parts(means, setting)
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
            if not (one and other and difference):
                continue
            p = 2 * min(difference.p_above(0.0), difference.p_below(0.0)) * len(pairs)
            if p < ALPHA:
                texts = [quantity.difference.text(effect.estimate) for effect in (one, other)]
                verb = "disagree" if one.estimate * other.estimate < 0 else "differ"
                both = f"{names[first]} and {names[second]}"
                numbers = f"{texts[0]} and {texts[1]}; {p_in_text(p)}"
                found.append(Disagreement(both, f"{both} {verb} by more than chance explains ({numbers})."))
    return found


def _parts(means: Means, setting: str) -> dict[str | bool, Means]:
    """Split a difference by a setting; empty if its parts are not the same comparison.

    The joint gain of TRSF and PReLU over the sum of their single gains, for example, cannot be split by
    activation: its part with ReLU is the loss from TRSF, and that with PReLU the gain.
    """
    parts = {}
    for value in _SETTINGS[setting]:
        sides = [
            tuple(variant for variant in side if getattr(variant_of(variant), setting) == value)
            for side in (means.of, means.than)
        ]
        if all(sides):
            parts[value] = Means(sides[0], sides[1], means.times)
    compared = {
        tuple(frozenset(_without(setting, variant) for variant in side) for side in (part.of, part.than))
        for part in parts.values()
    }
    return parts if len(compared) == 1 else {}


def _without(setting: str, variant: str) -> tuple[object, ...]:
    """Return all settings of a variant except one, and except the exhibits that show it."""
    return tuple(v for name, v in vars(variant_of(variant)).items() if name not in (setting, "exhibits"))
