"""The contents of a run record, independent of the form in which it is stored."""

from __future__ import annotations

import reprlib
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from trsfnet.errors import ConfigError, RecordError
from trsfnet.training.collapsed import Collapsed

SCHEMA = 1
STATUSES = ("running", "done", "collapsed", "failed")
# Statuses of runs that have ended with a complete record.
ENDED = ("done", "collapsed")
_REQUIRED = {
    **{"schema": object, "status": str, "run_id": str, "track": str, "seed": int},
    **{"config": dict, "metrics": dict},
}

Table = Literal["history", "parameters", "scores"]


class UnknownFormat(RecordError):
    """The record was written by another version of trsfnet; it is not damaged."""


@dataclass(frozen=True)
class Record(ABC):
    """One run on disk; its tables are read on demand.

    Attributes:
        path: location of the run, accepted by `read_record`: its folder, or the study's folder followed by
            the run id.
        info: the contents of `run.json`: everything about the run except its tables.
    """

    path: Path
    info: dict[str, Any]

    @property
    def run_id(self) -> str:
        """Unique name of the run, determined by its settings."""
        return self.info["run_id"]

    @property
    def track(self) -> str:
        """Name of the track, such as `lfw`."""
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
    def ended(self) -> bool:
        """True if training was completed or collapsed, so that the record is complete."""
        return self.status in ENDED

    @property
    def collapse(self) -> Collapsed | None:
        """The kind and step of the collapse; None if the run did not collapse.

        Raises:
            RecordError: the entry in the record is invalid.
        """
        if self.status != "collapsed":
            return None
        kept = self.info.get("collapse")
        with self.naming("entries"):
            return Collapsed.from_dict(kept) if kept else Collapsed("unknown")

    @property
    def config(self) -> dict[str, Any]:
        """Every setting of the run."""
        return self.info["config"]

    @property
    def metrics(self) -> dict[str, float]:
        """Final metrics by name, such as `tar@1e-3`; empty before training ends."""
        return self.info["metrics"]

    def history(self) -> pd.DataFrame:
        """Return a table with one row per epoch.

        Columns: epoch and step (int64), and learning rate, loss, training accuracy, metrics and images per
        second (float64).

        Raises:
            RecordError: the table is missing or damaged.
        """
        return self._read("history")

    def parameters(self) -> pd.DataFrame:
        """Return the table of scales, slopes and other recorded parameters.

        Columns: epoch (0 is before training), kind, name, channel, value.

        Raises:
            RecordError: the table is missing or damaged.
        """
        return self._read("parameters")

    def scores(self) -> pd.DataFrame:
        """Return the pair scores and labels of the final evaluation.

        Raises:
            RecordError: the scores are missing or damaged.
        """
        return self._read("scores")

    def _read(self, table: Table) -> pd.DataFrame:
        if not self.has(table):
            raise RecordError(f"The record {self.path} has no {table}; its status is {self.status}.")
        with self.naming(table):
            return self._table(table)

    @contextmanager
    def naming(self, part: str) -> Iterator[None]:
        """A context that converts errors caused by damaged contents to one that names the record and `part`.

        Raises:
            RecordError: there was such an error.
        """
        try:
            yield
        # Those of pandas are among them.
        except (ConfigError, OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
            what = str(error).removesuffix(".")
            raise RecordError(f"The {part} of the run record {self.path} are damaged: {what}.") from error

    @property
    @abstractmethod
    def files(self) -> dict[str, Path]:
        """The files that contain the run, by name within their folder; the first is the most readable."""

    @abstractmethod
    def has(self, table: Table) -> bool:
        """Return whether the record has a table."""

    @abstractmethod
    def version(self, table: Table) -> Hashable:
        """Return a cache key for a table that the record has; it changes when the table's files change."""

    @abstractmethod
    def _table(self, table: Table) -> pd.DataFrame:
        """Return a table that the record has; the caller may modify it."""


def checked_info(info: Any, where: str) -> dict[str, Any]:
    """Check that `info` is the contents of a record, and return it.

    Args:
        info: the decoded JSON.
        where: name of the record in error messages.

    Raises:
        RecordError: an entry is missing or invalid.
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
    for name in ("track", "seed"):
        if info["config"].get(name) != info[name]:
            raise RecordError(
                f"The run record {where} is damaged: the {name} in its config must be "
                f"{reprlib.repr(info[name])}, got {reprlib.repr(info['config'].get(name))}."
            )
    return info
