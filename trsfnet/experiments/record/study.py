"""The runs of a study in a few shared files, the form in which results are committed.

`<root>/<study>/` contains

- `runs.jsonl`: one line per run with the contents of its `run.json`; a run is in the study if and only if it
  has a line here.
- `runs.csv`: one row per run with the most important columns, generated from `runs.jsonl`.
- `history.parquet` and `parameters.parquet`: the tables of all runs, one run after the other; the column
  `run` names the run of each row.
- `scores/<run id>.parquet`: the scores of the final evaluation, for some runs.

`trsfnet.experiments.merge` writes these files. It first puts a complete new set into `.incoming`, and readers
prefer a file there to the one in the study's folder. They therefore see either all of a merge or none of it.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from trsfnet.data.arrow import arrow_file
from trsfnet.errors import RecordError
from trsfnet.experiments.record.base import Record, Table, checked_info

INDEX = "runs.jsonl"
OVERVIEW = "runs.csv"
INCOMING = ".incoming"
RUN = "run"
"""The column of the tables that names a row's run."""


def table_file(table: Table, run_id: str = "") -> str:
    """Return the file name of a table within a study's folder; scores have one file per run."""
    return f"scores/{run_id}.parquet" if table == "scores" else f"{table}.parquet"


def current_file(folder: Path, name: str) -> Path:
    """Return the current version of a study's file: the one in `.incoming` if it exists there."""
    incoming = folder / INCOMING / name
    return incoming if incoming.exists() else folder / name


def is_study(folder: Path) -> bool:
    """Return whether `folder` contains a study."""
    return current_file(folder, INDEX).is_file()


class RunsTable:
    """A table of many runs, one run after the other, with an index of each run's rows.

    Attributes:
        rows: the rows of all runs, with the column `run`.
    """

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows.unify_dictionaries().combine_chunks()
        self._places = _places(self.rows.column(RUN).combine_chunks())

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._places

    def of(self, run_id: str) -> pa.Table:
        """Return the rows of one run without copying them."""
        return self.rows.slice(*self._places[run_id])


def _places(runs: pa.DictionaryArray) -> dict[str, tuple[int, int]]:
    """Return the first row and the number of rows of each run.

    Raises:
        ValueError: the rows of a run are not contiguous.
    """
    codes = runs.indices.to_numpy()
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    lengths = np.diff(starts, append=len(codes))
    names = runs.dictionary.take(pa.array(codes[starts])).to_pylist()
    places = {
        name: (int(start), int(length)) for name, start, length in zip(names, starts, lengths, strict=True)
    }
    if len(places) < len(names):
        raise ValueError("the rows of a run are not contiguous")
    return places


@dataclass(frozen=True, eq=False)
class Study:
    """The runs of a study at a particular version of its files.

    Attributes:
        path: the study's folder.
        files: its files with their modification times in nanoseconds.
        problems: one sentence for each run that cannot be read.
    """

    path: Path
    files: tuple[tuple[Path, int], ...]
    problems: list[str] = field(default_factory=list)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the tables, which are large and can be read again."""
        return {each: value for each, value in vars(self).items() if each not in ("history", "parameters")}

    @cached_property
    def runs(self) -> dict[str, StudyRun]:
        """The runs by id, in the order of their lines in `runs.jsonl`."""
        return {run.run_id: run for run in self._read_index()}

    def _read_index(self) -> Iterator[StudyRun]:
        file = current_file(self.path, INDEX)
        # Not `splitlines`, which also splits at characters that may stand within a line, such as U+2028.
        lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        for number, line in enumerate(lines, start=1):
            where = f"{self.path / INDEX}, line {number},"
            try:
                info = checked_info(json.loads(line), where)
            except RecordError as error:
                self.problems.append(str(error))
            except (ValueError, RecursionError) as error:
                self.problems.append(f"The run record {where} is damaged: {error}.")
            else:
                yield StudyRun(self.path / str(info["run_id"]), info, self)

    @cached_property
    def history(self) -> RunsTable:
        """The histories of all runs; columns that a run does not have are null in its rows.

        Raises:
            RecordError: the file is missing or damaged.
        """
        return self._runs_table("history")

    @cached_property
    def parameters(self) -> RunsTable:
        """The scales and slopes of all runs.

        Raises:
            RecordError: the file is missing or damaged.
        """
        return self._runs_table("parameters")

    def table(self, table: Table) -> RunsTable:
        """Return `history` or `parameters` by name."""
        return self.history if table == "history" else self.parameters

    def _runs_table(self, table: Table) -> RunsTable:
        file = current_file(self.path, table_file(table))
        try:
            return RunsTable(pq.read_table(arrow_file(file)))
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise RecordError(f"{file} is damaged: {error}.") from error


@dataclass(frozen=True)
class StudyRun(Record):
    """A read-only run stored in the files of a study.

    Attributes:
        study: the study that contains the run.
    """

    study: Study = field(repr=False, compare=False)

    @property
    def files(self) -> dict[str, Path]:
        """The study's files that contain data of this run."""
        tables: tuple[Table, ...] = ("history", "parameters", "scores")
        names = [OVERVIEW, INDEX, *(table_file(table, self.run_id) for table in tables if self.has(table))]
        return {name: self.study.path / name for name in names}

    def has(self, table: Table) -> bool:
        """Return whether the study has the table for this run."""
        if table == "scores":
            # An empty file means that a merge is about to remove the scores.
            return self._scores.is_file() and self._scores.stat().st_size > 0
        return self.run_id in self.study.table(table)

    def version(self, table: Table) -> Hashable:
        """Return the run id and the study's files with their modification times."""
        return self.run_id, self.study.files

    @property
    def _scores(self) -> Path:
        return current_file(self.study.path, table_file("scores", self.run_id))

    def _table(self, table: Table) -> pd.DataFrame:
        if table == "scores":
            return pd.read_parquet(arrow_file(self._scores))
        return _to_pandas(self.study.table(table).of(self.run_id).drop_columns(RUN))


def _to_pandas(rows: pa.Table) -> pd.DataFrame:
    """Convert the rows of one run to the table that its own folder would contain."""
    columns: dict[str, Any] = {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if column.null_count == len(column):
            continue  # a column of other runs only
        # Converting numbers through NumPy is many times faster, and there are hundreds of runs.
        text = pa.types.is_dictionary(column.type)
        columns[name] = column.cast(pa.string()).to_pandas() if text else column.to_numpy()
    return pd.DataFrame(columns)


def read_study(path: Path) -> Study:
    """Read the study in the folder `path`; the same object is returned while its files do not change.

    Raises:
        RecordError: the folder contains no study.
    """
    names = (INDEX, table_file("history"), table_file("parameters"))
    try:
        files = tuple(
            (file, file.stat().st_mtime_ns) for name in names if (file := current_file(path, name)).exists()
        )
        study = _study(path.absolute(), path, files)
        _ = study.runs
    except OSError as error:
        raise RecordError(f"{path} holds no study: cannot read {INDEX}, {error.strerror}.") from error
    return study


@lru_cache(maxsize=32)
def _study(absolute: Path, path: Path, files: tuple[tuple[Path, int], ...]) -> Study:
    """Create a study; cached, since reports need the same runs repeatedly."""
    return Study(path, files)
