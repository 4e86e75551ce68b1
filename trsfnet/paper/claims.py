"""The paper's claims, each with its literal words and the rule by which runs are to decide it.

A rule is data: which settings, what is measured, in which direction. What the rules do with runs is in
`trsfnet.report.verdicts`; that they stand here, beside the quotes, is so that they were fixed before the
results. Settings are named as run ids begin, such as `v1-trsf-prelu`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Means:
    """The mean of a quantity over the settings `of`, less that over the settings `than` if there are any."""

    of: list[str]
    than: list[str] = field(default_factory=list)

    @property
    def weights(self) -> dict[str, float]:
        """By setting, what its mean over seeds is multiplied with."""
        shares = {setting: 1 / len(self.of) for setting in self.of}
        return shares | {setting: -1 / len(self.than) for setting in self.than}

    def __str__(self) -> str:
        """Such as `v1-trsf-relu - v1-relu`."""
        sides = [_mean(side) for side in (self.of, self.than) if side]
        return " - ".join(sides)


def _mean(settings: list[str]) -> str:
    return settings[0] if len(settings) == 1 else f"mean of {', '.join(settings)}"


@dataclass(frozen=True)
class Contrast:
    """Each mean, or difference of means, over seeds lies above, below or between bounds.

    Of `v1-trsf-relu` than `v1-relu` above 0 says that TRSF gains in v1; of `v1-trsf-relu` alone compares its
    mean with the bounds themselves.

    Attributes:
        quantity: what is measured in a run, such as `tar`.
        contrasts: the claim holds when it holds for all of them; `of` is what it speaks for.
        above: lower bound, or None.
        below: upper bound, or None.
        published: name of the paper's own value among `paper_quantities`, or None.
    """

    quantity: str
    contrasts: list[Means]
    above: float | None = None
    below: float | None = None
    published: str | None = None


@dataclass(frozen=True)
class Cells:
    """Our runs have the values of the paper's tables or figures, within `tolerance`: on its own data only.

    Attributes:
        quantity: what is measured in a run.
        tolerance: how far a value may be from the published one, in the unit of the quantity.
        tables: numbers of tables.
        figures: numbers of figures, whose negative slopes are counted.
    """

    quantity: str
    tolerance: float
    tables: tuple[int, ...] = ()
    figures: tuple[int, ...] = ()


@dataclass(frozen=True)
class CollapseRate:
    """Runs of each setting `of` collapse less often than those `than`; without `than`, hardly ever."""

    of: list[str]
    than: list[str] | None = None


@dataclass(frozen=True)
class Spread:
    """The means of the settings differ: the largest from the smallest."""

    quantity: str
    settings: list[str]


@dataclass(frozen=True)
class Count:
    """The network has as many parameters, scales or slopes as the paper says.

    Attributes:
        count: `parameters`, `scales` or `slopes`.
        quantities: name of the paper's number, by architecture.
        unit: what the paper's number counts in; ours is rounded to it.
    """

    count: str
    quantities: dict[str, str]
    unit: int = 1


@dataclass(frozen=True)
class Untested:
    """Nothing that runs record can decide it, and why."""

    reason: str


Rule = Contrast | Cells | CollapseRate | Spread | Count | Untested

_RULES: dict[str, type] = {
    "contrast": Contrast,
    "cells": Cells,
    "collapse": CollapseRate,
    "spread": Spread,
    "count": Count,
    "untested": Untested,
}


@dataclass(frozen=True)
class Quote:
    """The paper's literal words, and the section, table or figure where they stand."""

    text: str
    place: str


@dataclass(frozen=True)
class Claim:
    """One thing that the paper says and runs could decide.

    Attributes:
        id: a short name, unique.
        kind: what sort of claim it is, such as `absolute`, `difference`, `signs` or `stability`.
        statement: what is taken to be claimed, in one sentence, as the rule tests it.
        quotes: where the paper says so; it repeats itself.
        rule: how runs decide it.
    """

    id: str
    kind: str
    statement: str
    quotes: tuple[Quote, ...]
    rule: Rule


@cache
def paper_claims() -> tuple[Claim, ...]:
    """Every claim of the paper."""
    text = (resources.files("trsfnet.paper") / "claims.json").read_text(encoding="utf-8")
    return tuple(_claim(entry) for entry in json.loads(text))


@cache
def claims_by_id() -> dict[str, Claim]:
    """The same by id."""
    return {claim.id: claim for claim in paper_claims()}


def _claim(entry: dict[str, Any]) -> Claim:
    rule = dict(entry["rule"])
    if "contrasts" in rule:
        rule["contrasts"] = [Means(**sides) for sides in rule["contrasts"]]
    made = _RULES[rule.pop("rule")](**rule)
    quotes = tuple(Quote(**quote) for quote in entry["quotes"])
    return Claim(entry["id"], entry["kind"], entry["statement"], quotes, made)
