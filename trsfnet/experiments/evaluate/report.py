"""The outcome of an evaluation: as a table, as JSON, and its scores as a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.errors import DataError
from trsfnet.evaluation.estimates import PEOPLE, WILSON, Estimate
from trsfnet.experiments.evaluate.network import TrainedNetwork

_METHODS = {
    PEOPLE: "by resampling people",
    WILSON: "Wilson's, as if all were independent, which those of one person are not",
}


@dataclass(frozen=True)
class Results:
    """What a protocol gives.

    Attributes:
        estimates: its numbers.
        details: its full results.
        options: what was chosen, or followed from the source.
        notes: sentences that a reader of the numbers should know.
        scores: columns of `to_columns`; None where there are none.
    """

    estimates: list[Estimate]
    details: list[dict[str, Any]]
    options: dict[str, Any]
    notes: list[str]
    scores: dict[str, np.ndarray] | None = None


@dataclass(frozen=True)
class EvaluationReport:
    """Results, and what they are of.

    Attributes:
        network: the network that was evaluated.
        source: version of the images.
        protocol: `ten-fold`, `all-pairs`, `1:1` or `1:N`.
        results: what it gave.
    """

    network: TrainedNetwork
    source: str
    protocol: str
    results: Results

    @property
    def notes(self) -> list[str]:
        """What a reader of the numbers should know."""
        status = self.network.record.status
        unfinished = [] if status == "done" else [f"The run is {status}: this is its network as last saved."]
        return [*unfinished, *self.results.notes]

    def to_dict(self) -> dict[str, Any]:
        """Everything but the scores, of JSON types."""
        return {
            "run": self.network.record.run_id,
            "trained": self.network.age,
            "network": self.network.fingerprint,
            "source": self.source,
            "protocol": self.protocol,
            "options": self.results.options,
            "numbers": [estimate.to_dict() for estimate in self.results.estimates],
            "details": self.results.details,
            "notes": self.notes,
        }

    def table(self) -> str:
        """The numbers for a terminal."""
        chosen = ", ".join(f"{name} {_word(value)}" for name, value in self.results.options.items())
        lines = [
            f"{self.network.record.run_id} ({self.network.age})",
            f"on {self.source}: {self.protocol}, {chosen}",
            "",
        ]
        width = max(len(estimate.name) for estimate in self.results.estimates)
        for e in self.results.estimates:
            interval = "" if e.low is None else f"  {e.low:.4f} to {e.high:.4f}"
            lines.append(f"{e.name:{width}}  {e.value:.4f}{interval}")
        methods = dict.fromkeys(e.method for e in self.results.estimates if e.method)
        lines += ["", *(f"Intervals at 95 %, {_METHODS[method]}." for method in methods), *self.notes]
        return "\n".join(lines)

    def write_scores(self, path: Path) -> None:
        """Write the scores of the pairs as parquet, for `trsfnet.evaluation.read_scores`.

        Raises:
            DataError: the file cannot be written.
        """
        aside = _aside(path)
        try:
            pd.DataFrame(self.results.scores).to_parquet(aside, index=False, compression="zstd")
            os.replace(aside, path)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise DataError(f"Cannot write {path}: {error.strerror or error}.") from error


def check_target(path: Path) -> None:
    """Refuse a file for scores that cannot be written, before hours of computing.

    Raises:
        DataError: it cannot.
    """
    if path.is_dir():
        raise DataError(
            f"Cannot write scores to {path}: it is a folder, expected a file such as scores.parquet."
        )
    aside = _aside(path)
    try:
        aside.touch()
        aside.unlink()
    except OSError as error:
        raise DataError(f"Cannot write scores to {path}: {error.strerror or error}.") from error


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
