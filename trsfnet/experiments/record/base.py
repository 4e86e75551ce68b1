"""What every run record says, in whichever form it is stored."""

from __future__ import annotations

import reprlib
from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from trsfnet.errors import RecordError
from trsfnet.training.collapsed import Collapsed

SCHEMA = 1
STATUSES = ("running", "done", "collapsed", "failed")
# The run is over, and its record is whole.
ENDED = ("done", "collapsed")
_REQUIRED = {
    **{"schema": object, "status": str, "run_id": str, "track": str, "seed": int},
    **{"config": dict, "metrics": dict},
}

Table = Literal["history", "parameters", "scores"]


class UnknownFormat(RecordError):
    """Another version of trsfnet wrote the record; it is not damaged."""


@dataclass(frozen=True)
class Record(ABC):
    """One run on disk. `info` is what `run.json` says; the tables are read when asked for.

    Attributes:
        path: where the run is: its folder, or its study's folder and its id. `read_record` takes either, and
            the last part is the run's name.
        info: everything about the run but its tables.
    """

    path: Path
    info: dict[str, Any]

    @property
    def run_id(self) -> str:
        """Name of the run, unique to its settings."""
        return self.info["run_id"]

    @property
    def track(self) -> str:
        """Such as `lfw`."""
        return self.info["track"]

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.info["seed"]

    @property
    def status(self) -> str:
        """One of `running`, `done`, `collapsed`, `failed`."""
        return self.info["status"]

    @property
    def collapse(self) -> Collapsed | None:
        """How the run collapsed; None if it did not.

        Raises:
            ValueError: the record has nonsense there.
        """
        if self.status != "collapsed":
            return None
        kept = self.info.get("collapse")
        return Collapsed.from_dict(kept) if kept else Collapsed("unknown")

    @property
    def config(self) -> dict[str, Any]:
        """Every setting of the run."""
        return self.info["config"]

    @property
    def metrics(self) -> dict[str, float]:
        """Final numbers by name, such as `tar@1e-3`; empty before the end."""
        return self.info["metrics"]

    def history(self) -> pd.DataFrame:
        """A row per epoch: step, learning rate, loss, training accuracy, metrics, images per second.

        Epoch and step are int64, all other columns float64.

        Raises:
            RecordError: there is none, or it is damaged.
        """
        return self._read("history")

    def parameters(self) -> pd.DataFrame:
        """Trainable scales and slopes: epoch (0 is the start), kind, name, channel, value.

        Raises:
            RecordError: there are none, or they are damaged.
        """
        return self._read("parameters")

    def scores(self) -> pd.DataFrame:
        """The final evaluation's pair scores and labels.

        Raises:
            RecordError: there are none, or they are damaged.
        """
        return self._read("scores")

    def _read(self, table: Table) -> pd.DataFrame:
        if not self.has(table):
            raise RecordError(f"The record {self.path} has no {table}; its status is {self.status}.")
        return self._table(table)

    @property
    @abstractmethod
    def files(self) -> dict[str, Path]:
        """The files that have the run, by name within their folder; the first is the best to look at."""

    @abstractmethod
    def has(self, table: Table) -> bool:
        """Whether the record has a table."""

    @abstractmethod
    def version(self, table: Table) -> Hashable:
        """Equal for equal contents of a table that the record has: a key for what is computed from it."""

    @abstractmethod
    def _table(self, table: Table) -> pd.DataFrame:
        """A table that the record has, for the caller to keep."""


def checked_info(info: Any, where: str) -> dict[str, Any]:
    """`info`, if it is what a record says.

    Args:
        info: what was read.
        where: names the record in errors.

    Raises:
        RecordError: something is missing.
        UnknownFormat: another version of trsfnet wrote it.
    """
    missing = [key for key in _REQUIRED if not isinstance(info, dict) or key not in info]
    if missing:
        raise RecordError(f"The run record {where} is damaged: it lacks {', '.join(missing)}.")
    if info["schema"] != SCHEMA:
        raise UnknownFormat(
            f"The run record {where} has format {reprlib.repr(info['schema'])}, "
            f"but this version of trsfnet reads {SCHEMA}."
        )
    for name, kind in _REQUIRED.items():
        if not isinstance(info[name], kind) or (name == "status" and info[name] not in STATUSES):
            raise RecordError(
                f"The run record {where} is damaged: its {name} cannot be {reprlib.repr(info[name])}."
            )
    return info
