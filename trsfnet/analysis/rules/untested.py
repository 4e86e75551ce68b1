"""Claims that cannot be decided by anything that runs record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import Finding, Outcome
from trsfnet.analysis.rules.rule import Rule
from trsfnet.analysis.units import NUMBER, Unit


@dataclass(frozen=True)
class Untested(Rule):
    """A claim that cannot be decided by anything that runs record.

    Attributes:
        reason: the reason, in one sentence.
    """

    kind: ClassVar[str] = "untested"
    subject: ClassVar[str] = "What these runs cannot decide"

    reason: str

    @property
    def why_untested(self) -> str:
        """The reason."""
        return self.reason

    def find(self, campaign: ComparableRuns) -> Finding:
        """Return *not run* with the reason."""
        return Finding(Outcome.NOT_RUN, self.reason)

    def unit(self, *, difference: bool) -> Unit:
        """Return the format of a plain number, since nothing is measured."""
        return NUMBER

    def describe(self) -> str:
        """Return an empty description, since nothing is measured."""
        return ""
