"""The paper's claims, each with literal quotes and the rule by which runs decide it.

Here a rule is data: its kind, the variants, the measured quantity and the direction. `trsfnet.analysis.rules`
implements the kinds. The rules are stored with the quotes because they are meant to be
fixed before the results; the page on the claims lists the exceptions. Variants are named by their key, such
as `v1-trsf-prelu`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

RULES_SINCE = "2026-11-29T02:39:34+00:00"
"""When most rules took their present form."""


@dataclass(frozen=True)
class Quote:
    """A literal quote from the paper.

    Attributes:
        text: the quoted words.
        place: the section, table or figure that contains them.
    """

    text: str
    place: str


@dataclass(frozen=True)
class Claim:
    """One claim of the paper that runs can, in principle, decide.

    Attributes:
        id: unique short name.
        title: a short title for readers, such as `TRSF raises accuracy`.
        kind: type of claim, such as `absolute`, `difference`, `signs` or `stability`.
        statement: our interpretation of the claim, as tested by the rule, in one sentence.
        quotes: all passages in which the paper makes the claim.
        rule: the rule by which runs decide it: its kind under `rule`, and the arguments of that kind.
        rule_since: when the rule, or a measurement that it uses, last changed in a way that could add a
            verdict; ISO date and time with its offset from UTC. A verdict by earlier runs is exploratory.
        reach: what a schedule must reach to decide it, and why; None if any schedule can.
    """

    id: str
    title: str
    kind: str
    statement: str
    quotes: tuple[Quote, ...]
    rule: Mapping[str, Any]
    rule_since: str
    reach: Mapping[str, Any] | None = None


@cache
def paper_claims() -> tuple[Claim, ...]:
    """Return all claims of the paper, in the order of `claims.json`."""
    text = (resources.files("trsfnet.paper") / "claims.json").read_text(encoding="utf-8")
    return tuple(_claim(entry) for entry in json.loads(text))


@cache
def claims_by_id() -> dict[str, Claim]:
    """Return all claims of the paper, by id."""
    return {claim.id: claim for claim in paper_claims()}


def _claim(entry: Mapping[str, Any]) -> Claim:
    quotes = tuple(Quote(**quote) for quote in entry["quotes"])
    return Claim(**{**entry, "quotes": quotes})
