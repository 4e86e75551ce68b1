"""Verdicts on the claims by earlier rules, and why those that changed did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class VerdictsBefore:
    """What the committed runs said by the rules before they were revised.

    Attributes:
        commit: the revision whose rules and runs these are.
        verdicts: by track and budget, such as `lfw, full`, and by the claim's id: such as `supported`.
        reasons: by the claim's id, why its verdict is another now, in one sentence.
    """

    commit: str
    verdicts: Mapping[str, Mapping[str, str]]
    reasons: Mapping[str, str]

    def of(self, campaign: str, claim: str) -> str:
        """The earlier verdict; `not run` for a group of runs or a claim that was not there."""
        return self.verdicts.get(campaign, {}).get(claim, "not run")


@cache
def verdicts_before() -> VerdictsBefore:
    """The earlier verdicts."""
    text = (resources.files("trsfnet.paper") / "verdicts_before.json").read_text(encoding="utf-8")
    content = json.loads(text)
    return VerdictsBefore(content["commit"], content["verdicts"], content["reasons"])
