"""The runs of a study in a few files, as they are committed.

`<root>/<study>/` holds

- `runs.jsonl`: a line per run, all that its `run.json` said; a run is in the study if it has a line here.
- `runs.csv`: a row per run with what most readers look for, made from `runs.jsonl`.
- `history.parquet` and `parameters.parquet`: the tables of all runs, one run after the other, each row with
  its run in the column `run`.
- `scores/<run id>.parquet`: the final evaluation's scores of some runs.

`trsfnet.experiments.merge` writes them. It puts a whole new set of files into `.incoming` first, so a file
that lies there counts instead of the one next to it: a reader sees either all of a merge or nothing of it.
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

from trsfnet.errors import RecordError
from trsfnet.experiments.record.base import Record, Table, checked_info

INDEX = "runs.jsonl"
OVERVIEW = "runs.csv"
INCOMING = ".incoming"
RUN = "run"
"""The column of the tables that names a row's run."""


def table_file(table: Table, run_id: str = "") -> str:
    """The file of a table within a study's folder; of the scores, that of one run."""
    return f"scores/{run_id}.parquet" if table == "scores" else f"{table}.parquet"


def current_file(folder: Path, name: str) -> Path:
    """The file of a study that counts: one that a merge is about to move into its place, if there is one."""
    incoming = folder / INCOMING / name
    return incoming if incoming.exists() else folder / name


def is_study(folder: Path) -> bool:
    """Whether `folder` holds a study."""
    return current_file(folder, INDEX).is_file()


class RunsTable:
    """A table of many runs, one run after the other, and where each run's rows are.

    Attributes:
        rows: with the column `run`.
    """

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows.unify_dictionaries().combine_chunks()
        self._places = _places(self.rows.column(RUN).combine_chunks())

    @property
    def runs(self) -> list[str]:
        """The runs that have rows, in order."""
        return list(self._places)

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._places

    def of(self, run_id: str) -> pa.Table:
        """The rows of one run, without a copy."""
        return self.rows.slice(*self._places[run_id])


def _places(runs: pa.DictionaryArray) -> dict[str, tuple[int, int]]:
    """First row and number of rows of each run.

    Raises:
        ValueError: rows of a run do not follow each other.
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
    """The runs of a study as they were when their files were last written.

    Attributes:
        path: the study's folder.
        files: its files, with the times at which they were last written.
        problems: a sentence for each run that cannot be read.
    """

    path: Path
    files: tuple[tuple[Path, int], ...]
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Such as `lfw-full`."""
        return self.path.name

    @cached_property
    def runs(self) -> dict[str, StudyRun]:
        """The runs by id, in the order of their lines."""
        return {run.run_id: run for run in self._read_index()}

    def _read_index(self) -> Iterator[StudyRun]:
        file = current_file(self.path, INDEX)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
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
        """The histories of all runs: columns that a run did not have are null in its rows.

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
        """`history` or `parameters`, by name."""
        return self.history if table == "history" else self.parameters

    def _runs_table(self, table: Table) -> RunsTable:
        file = current_file(self.path, table_file(table))
        try:
            return RunsTable(pq.read_table(file))
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise RecordError(f"{file} is damaged: {error}.") from error


@dataclass(frozen=True)
class StudyRun(Record):
    """A run in its study's files; it cannot be written to.

    Attributes:
        study: that has it.
    """

    study: Study = field(repr=False, compare=False)

    @property
    def files(self) -> dict[str, Path]:
        """The study's files that have something of this run."""
        tables: tuple[Table, ...] = ("history", "parameters", "scores")
        names = [OVERVIEW, INDEX, *(table_file(table, self.run_id) for table in tables if self.has(table))]
        return {name: self.study.path / name for name in names}

    def has(self, table: Table) -> bool:
        """Whether the study has the table for this run."""
        if table == "scores":
            # A merge removes scores by an empty file.
            return self._scores.is_file() and self._scores.stat().st_size > 0
        return self.run_id in self.study.table(table)

    def version(self, table: Table) -> Hashable:
        """The run, and when its study's files were last written."""
        return self.run_id, self.study.files

    @property
    def _scores(self) -> Path:
        return current_file(self.study.path, table_file("scores", self.run_id))

    def _table(self, table: Table) -> pd.DataFrame:
        if table == "scores":
            return pd.read_parquet(self._scores)
        return _to_pandas(self.study.table(table).of(self.run_id).drop_columns(RUN))


def _to_pandas(rows: pa.Table) -> pd.DataFrame:
    """The rows of one run, as its own file has them."""
    columns: dict[str, Any] = {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if column.null_count == len(column):
            continue  # other runs have it
        # Numbers by way of numpy: many times as fast, and there are hundreds of runs.
        text = pa.types.is_dictionary(column.type)
        columns[name] = column.cast(pa.string()).to_pandas() if text else column.to_numpy()
    return pd.DataFrame(columns)


def read_study(path: Path) -> Study:
    """The study in the folder `path`; the same object while its files stay as they are.

    Raises:
        RecordError: there is none.
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
    """Kept, since a report asks for the same runs again and again."""
    return Study(path, files)
