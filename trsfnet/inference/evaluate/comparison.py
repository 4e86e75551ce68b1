"""Test whether two models, or two files of scores, differ on the same pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trsfnet.errors import ConfigError
from trsfnet.evaluation.bootstrap import PairedTest, Scores, people_known
from trsfnet.evaluation.bootstrap import compare as compare_scores
from trsfnet.evaluation.statistics import Interval
from trsfnet.inference.evaluate import EvaluationOptions, evaluate
from trsfnet.inference.evaluate.report import TOO_FEW_PEOPLE
from trsfnet.inference.evaluate.scores import read_scored
from trsfnet.inference.evaluate.subject import FileSubject, NetworkSubject

_NOT_INDEPENDENT = (
    "The 95 % intervals resample people, the same for both models. McNemar's test assumes independent pairs, "
    "but pairs that share a person are not independent: its p value is too small."
)
_NOBODY_KNOWN = "The people in the pairs are unknown and cannot be resampled: only McNemar's test is given."


@dataclass(frozen=True)
class Scored:
    """A model, represented by its scores.

    Attributes:
        name: name of the model.
        scores: its scores of the pairs.
    """

    name: str
    scores: Scores


@dataclass(frozen=True)
class Comparison:
    """Differences between two models on the same pairs: the first minus the second.

    Attributes:
        first: the first model.
        second: the second model.
        tests: a test for each metric, by metric name.
    """

    first: Scored
    second: Scored
    tests: dict[str, PairedTest]

    @property
    def notes(self) -> list[str]:
        """Sentences that explain the limits of the results."""
        if not people_known(self.first.scores):
            return [_NOBODY_KNOWN]
        missing = any(test.difference is None for test in self.tests.values())
        return [_NOT_INDEPENDENT, *([TOO_FEW_PEOPLE] if missing else [])]

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return the header and rows of a table for people, one row per metric."""
        header = ("", "A", "B", "A - B", "95 %", "only A", "only B", "p (McNemar)")
        ours, theirs = self.first.scores.metrics(), self.second.scores.metrics()
        return header, [_row(name, ours[name], theirs[name], test) for name, test in self.tests.items()]

    def to_dict(self) -> dict[str, Any]:
        """Return all results as JSON-compatible values."""
        ours, theirs = self.first.scores.metrics(), self.second.scores.metrics()
        return {
            "a": self.first.name,
            "b": self.second.name,
            "numbers": [
                {"name": name, "a": ours[name], "b": theirs[name], **test.to_dict()}
                for name, test in self.tests.items()
            ],
            "notes": self.notes,
        }


def _row(name: str, ours: float, theirs: float, test: PairedTest) -> tuple[str, ...]:
    counts = test.mcnemar
    split = ("", "", "") if counts is None else (counts.only_first, counts.only_second, _p(counts.p_value))
    return (
        name,
        f"{ours:.4f}",
        f"{theirs:.4f}",
        f"{ours - theirs:+.4f}",
        _bounds(test.difference),
        *map(str, split),
    )


def _p(value: float) -> str:
    """Format a p value; one too small for a float is given as an upper bound, never as 0."""
    return f"{value:.2g}" if value > 0 else "< 1e-300"


def _bounds(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.low:+.4f} to {interval.high:+.4f}"


def told_apart(first: Scored, second: Scored, a: str, b: str) -> tuple[Scored, Scored]:
    """Name two models by `a` and `b`, as they were given, if their names are the same."""
    if first.name != second.name:
        return first, second
    return replace(first, name=a), replace(second, name=b)


def compare(first: Scored, second: Scored) -> Comparison:
    """Test whether two models differ.

    Raises:
        ConfigError: if their pairs differ.
    """
    return Comparison(first, second, compare_scores(first.scores, second.scores))


def scored_on(
    subject: NetworkSubject | FileSubject,
    path: Path,
    options: EvaluationOptions = EvaluationOptions(),  # noqa: B008
) -> Scored:
    """Score a model on the pairs at `path`; see `evaluate` for arguments and errors.

    Raises:
        ConfigError: if the protocol has no pairs; this is checked before computing.
    """
    if options.protocol == "1:N":
        raise ConfigError(
            "The protocol 1:N searches galleries and has no pairs, on which models are compared: omit it "
            "to compare by 1:1 on the same set, or evaluate each model by 1:N."
        )
    report = evaluate(subject, path, options)
    assert report.results.scores is not None  # every other protocol has scores
    return Scored(subject.name, report.results.scores)


def saved(path: Path) -> Scored:
    """Read a model's saved scores: a run's record, or a file written by `evaluate --scores`.

    Raises:
        DataError: if it is neither.
        RecordError: if the run has no scores.
    """
    return Scored(path.name, read_scored(path))
