"""Nothing that runs record can decide the claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trsfnet.analysis.findings import Finding, Outcome
from trsfnet.analysis.rules.rule import Rule

if TYPE_CHECKING:
    from trsfnet.analysis.campaign import Campaign


@dataclass(frozen=True)
class Untested(Rule):
    """Nothing that runs record can decide it, and why.

    Attributes:
        reason: in one sentence.
    """

    kind: ClassVar[str] = "untested"
    subject: ClassVar[str] = "What these runs cannot decide"

    reason: str

    def find(self, campaign: Campaign) -> Finding:
        """The reason."""
        return Finding(Outcome.NOT_RUN, self.reason)

    def describe(self) -> str:
        """Nothing is measured."""
        return ""
