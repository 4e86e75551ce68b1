"""The paper's claims, each with its literal words and the rule by which runs are to decide it.

A rule is data here: its kind, which variants, what is measured, in which direction. What each kind of rule
does with runs is in `trsfnet.analysis.rules`. The rules stand here, with the quotes, because they were fixed
before the results. Variants are named as run ids begin, such as `v1-trsf-prelu`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


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
        title: a few words for readers, such as `TRSF gains 1.24`.
        kind: what sort of claim it is, such as `absolute`, `difference`, `signs` or `stability`.
        statement: what is taken to be claimed, in one sentence, as the rule tests it.
        quotes: where the paper says so; it repeats itself.
        rule: how runs decide it: its kind under `rule`, and what that kind needs.
        reach: what a schedule must reach to decide it, and why; None where any can.
    """

    id: str
    title: str
    kind: str
    statement: str
    quotes: tuple[Quote, ...]
    rule: Mapping[str, Any]
    reach: Mapping[str, Any] | None = None


@cache
def paper_claims() -> tuple[Claim, ...]:
    """Every claim of the paper."""
    text = (resources.files("trsfnet.paper") / "claims.json").read_text(encoding="utf-8")
    return tuple(_claim(entry) for entry in json.loads(text))


@cache
def claims_by_id() -> dict[str, Claim]:
    """The same by id."""
    return {claim.id: claim for claim in paper_claims()}


def _claim(entry: Mapping[str, Any]) -> Claim:
    quotes = tuple(Quote(**quote) for quote in entry["quotes"])
    return Claim(**{**entry, "quotes": quotes})
