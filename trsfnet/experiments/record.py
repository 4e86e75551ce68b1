"""The run record on disk: the contract between training and report, readable without torch.

`<root>/<track>/<run id>/` holds `run.json`, `history.csv`, `parameters.parquet`, `scores.parquet`, and
beside them the executed notebook, TensorBoard events and checkpoints. Every file is written aside and then
renamed, so a reader never meets half of one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.errors import RecordError

RECORD = "run.json"
SCHEMA = 1
STATUSES = ("running", "done", "collapsed", "failed")
_REQUIRED = ("schema", "status", "run_id", "track", "seed", "config", "metrics")


class UnknownFormat(RecordError):
    """Another version of trsfnet wrote the record; it is not damaged."""


def write_atomically(path: Path, text: str) -> None:
    """Write `text` aside and rename it to `path`."""
    aside = path.with_name(f".{path.name}.partial")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, path)


@dataclass(frozen=True)
class Record:
    """One run on disk. `info` is the content of `run.json`; the tables are read when asked for."""

    path: Path
    info: dict[str, Any]

    @property
    def run_id(self) -> str:
        """Name of the run, unique to its settings."""
        return self.info["run_id"]

    @property
    def setting(self) -> str:
        """The run's setting, without seed and hash, such as `v1-trsf-prelu`."""
        return self.run_id.rpartition("-seed")[0]

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.info["seed"]

    @property
    def status(self) -> str:
        """One of `running`, `done`, `collapsed`, `failed`."""
        return self.info["status"]

    @property
    def config(self) -> dict[str, Any]:
        """Every setting of the run."""
        return self.info["config"]

    @property
    def metrics(self) -> dict[str, float]:
        """Final numbers by name, such as `tar@1e-3`; empty before the end."""
        return self.info["metrics"]

    def history(self) -> pd.DataFrame:
        """A row per epoch: step, learning rate, loss, training accuracy, metrics, images per second."""
        file = self._existing("history.csv")
        return _history(file.resolve(), file.stat().st_mtime_ns).copy()

    def parameters(self) -> pd.DataFrame:
        """Trainable scales and slopes: epoch (0 is the start), kind, name, channel, value."""
        return pd.read_parquet(self._existing("parameters.parquet"))

    def scores(self) -> pd.DataFrame:
        """The final evaluation's pair scores and labels."""
        return pd.read_parquet(self._existing("scores.parquet"))

    def _existing(self, name: str) -> Path:
        if not (self.path / name).is_file():
            raise RecordError(f"The record {self.path} has no {name}; its status is {self.status}.")
        return self.path / name

    def write_info(self, **changes: Any) -> None:
        """Change entries of `run.json` and write it."""
        self.info.update(changes)
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path / RECORD, json.dumps(self.info, indent=1, allow_nan=False) + "\n")

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Write `history.csv`."""
        # Seven digits are what float32 holds.
        write_atomically(
            self.path / "history.csv", pd.DataFrame(rows).to_csv(index=False, float_format="%.7g")
        )

    def write_parameters(self, rows: list[dict[str, Any]]) -> None:
        """Write `parameters.parquet`; nothing when the run has no trainable scale or slope."""
        if rows:
            table = pd.DataFrame(rows).astype({"epoch": "int32", "channel": "int32", "value": "float32"})
            self._write_table("parameters.parquet", table)

    def write_scores(self, columns: dict[str, np.ndarray]) -> None:
        """Write `scores.parquet`."""
        self._write_table("scores.parquet", pd.DataFrame(columns))

    def _write_table(self, name: str, table: pd.DataFrame) -> None:
        aside = self.path / f".{name}.partial"
        table.to_parquet(aside, index=False, compression="zstd")
        os.replace(aside, self.path / name)


@cache
def _history(file: Path, modified: int) -> pd.DataFrame:
    """The rows of `file` as it was at `modified`; kept, since a report asks for them again and again."""
    return pd.read_csv(file)


def read_record(path: Path) -> Record:
    """The record in the folder `path`.

    Raises:
        RecordError: there is none, or it is damaged.
        UnknownFormat: another version wrote it.
    """
    file = path / RECORD
    try:
        info = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(
            f"{path} holds no run record: cannot read {file.name}, {error.strerror}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"The run record {file} is damaged: {error}.") from error
    missing = [key for key in _REQUIRED if not isinstance(info, dict) or key not in info]
    if missing:
        raise RecordError(f"The run record {file} is damaged: it lacks {', '.join(missing)}.")
    if info["schema"] != SCHEMA:
        raise UnknownFormat(
            f"The run record {file} has format {info['schema']}, this version of trsfnet reads {SCHEMA}."
        )
    return Record(path, info)


def read_records(roots: Iterable[Path]) -> tuple[list[Record], list[str]]:
    """All records under `roots`, and a sentence for each that cannot be read.

    A run found under several roots is taken from the last one: a reader's own rerun replaces ours.
    """
    found: dict[tuple[str, str], Record] = {}
    problems = []
    for root in roots:
        for file in sorted(root.glob("*/*/run.json")):
            try:
                record = read_record(file.parent)
            except RecordError as error:
                problems.append(str(error))
                continue
            found[record.info["track"], record.run_id] = record
    return list(found.values()), problems
