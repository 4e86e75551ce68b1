"""Results of an evaluation: as a table, as JSON, and with the scores that are written to a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trsfnet.evaluation.bootstrap import Scores
from trsfnet.evaluation.curves import similarities
from trsfnet.evaluation.estimates import PEOPLE, WILSON, Estimate
from trsfnet.inference.evaluate.mistakes import NamedPair
from trsfnet.inference.evaluate.subject import FileSubject, NetworkSubject

_METHODS = {
    PEOPLE: "by resampling people",
    WILSON: "Wilson's, which assume independence, although trials of one person are not independent",
}
TOO_FEW_PEOPLE = "Where there is no interval, there are too few people to resample."


@dataclass(frozen=True)
class Results:
    """Results of a protocol.

    Attributes:
        estimates: the metrics with their intervals.
        details: the full results.
        options: options chosen by the caller or determined by the source.
        notes: sentences that explain the results.
        scores: scores of the pairs, from which the results follow; None if the protocol has no pairs.
        worst: the worst pairs, as many as requested.
    """

    estimates: list[Estimate]
    details: list[dict[str, Any]]
    options: dict[str, Any]
    notes: list[str]
    scores: Scores | None = None
    worst: list[NamedPair] = field(default_factory=list)


@dataclass(frozen=True)
class EvaluationReport:
    """Results together with what was evaluated and how.

    Attributes:
        subject: the network or embeddings evaluated.
        source: version of the images.
        protocol: `ten-fold`, `all-pairs`, `1:1` or `1:N`.
        results: results of the protocol.
    """

    subject: NetworkSubject | FileSubject
    source: str
    protocol: str
    results: Results

    @property
    def notes(self) -> list[str]:
        """Sentences that explain the results."""
        return [*self.subject.notes, *self.results.notes]

    def to_dict(self) -> dict[str, Any]:
        """Return everything except the scores as JSON-compatible values."""
        return {
            **self.subject.to_dict(),
            "source": self.source,
            "protocol": self.protocol,
            "options": self.results.options,
            "numbers": [estimate.to_dict() for estimate in self.results.estimates],
            "details": self.results.details,
            "worst": [pair.to_dict() for pair in self.results.worst],
            "notes": self.notes,
        }

    def table(self) -> str:
        """Return the results as text for a terminal."""
        chosen = ", ".join(f"{name} {_word(value)}" for name, value in self.results.options.items())
        lines = [
            str(self.subject),
            f"on {self.source}: {self.protocol}, {chosen}",
            "",
        ]
        width = max(len(estimate.name) for estimate in self.results.estimates)
        for e in self.results.estimates:
            interval = "" if e.low is None else f"  {e.low:.4f} to {e.high:.4f}"
            lines.append(f"{e.name:{width}}  {e.value:.4f}{interval}")
        methods = dict.fromkeys(e.method for e in self.results.estimates if e.method)
        lines += ["", *(f"Intervals at 95 %, {_METHODS[method]}." for method in methods)]
        if any(e.low is None and e.method == PEOPLE for e in self.results.estimates):
            lines.append(TOO_FEW_PEOPLE)
        lines += self.notes
        return "\n".join([*lines, *_worst_lines(self.results)])


def _worst_lines(results: Results) -> list[str]:
    """Return the worst pairs as lines for a terminal."""
    if not results.worst or results.scores is None:
        return []
    lines = []
    measure = similarities(results.scores).measure
    for same, title in (
        (True, "Least similar pairs of one person"),
        (False, "Most similar pairs of two people"),
    ):
        rows = [pair for pair in results.worst if pair.same == same]
        if rows:
            lines += [
                "",
                f"{title} ({measure}, images):",
                *(f"{p.similarity:9.4f}  {p.left}  {p.right}" for p in rows),
            ]
    return lines


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
