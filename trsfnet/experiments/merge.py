"""Merges runs from folders into the files of their studies, the form in which results are committed.

Concurrent merges into one study wait for each other. Each writes a complete new set of files to a separate
folder and activates it with a single rename (see `trsfnet.experiments.record.study`). A merge that is killed
before the rename changes nothing; one that is killed afterwards is completed by the next merge.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from trsfnet.data.files import writing
from trsfnet.data.locking import locked_folder
from trsfnet.errors import RecordError
from trsfnet.experiments.budgets import study_of
from trsfnet.experiments.overview import overview
from trsfnet.experiments.record import Record, StudyRun, Table, read_study
from trsfnet.experiments.record.study import INCOMING, INDEX, OVERVIEW, RUN, table_file
from trsfnet.experiments.scores_kept import ScoresKept
from trsfnet.experiments.stale import results_version
from trsfnet.experiments.variants import variant_key

_STAGING = ".staging"
_TEXT = pa.dictionary(pa.int32(), pa.string())
_PARAMETERS = pa.schema(
    {
        RUN: _TEXT,
        "epoch": pa.int32(),
        "kind": _TEXT,
        "name": _TEXT,
        "channel": pa.int32(),
        "value": pa.float32(),
    }
)
_WIDE = (pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64())
_HISTORY = pa.schema({RUN: _TEXT, "epoch": pa.int64(), "step": pa.int64()})


@dataclass(frozen=True)
class Merged:
    """The result of merging runs into one study.

    Attributes:
        study: name of the study.
        added: ids of the runs that are new in the study.
        replaced: ids of the runs whose existing record was replaced.
        older: ids of the runs that were not merged, because newer code made the run that the study has.
        runs: number of runs in the study after the merge.
    """

    study: str
    added: tuple[str, ...]
    replaced: tuple[str, ...]
    older: tuple[str, ...]
    runs: int


def merge(records: Iterable[Record], results: Path, *, scores: ScoresKept = "first") -> list[Merged]:
    """Merge runs that have ended into the studies under `results`, according to their budget and track.

    Args:
        records: records of the runs; those that have not ended are skipped.
        results: the folder of the studies.
        scores: which scores to keep; see `ScoresKept`.

    Returns:
        The result for each study, sorted by name.

    Raises:
        RecordError: a record or a study is damaged. The study is left unchanged.
        DataError: the study's folder is not writable.
    """
    studies: dict[str, dict[str, Record]] = {}
    for record in records:
        if record.ended:
            studies.setdefault(study_of(record.config), {})[record.run_id] = record
    return [_merge_study(runs, results / name, scores) for name, runs in sorted(studies.items())]


def _merge_study(runs: Mapping[str, Record], folder: Path, scores: ScoresKept) -> Merged:
    with locked_folder(folder, wait=True):
        _complete(folder)
        present = _present(folder)
        changed = {n: run for n, run in runs.items() if n not in present or _line(present[n]) != _line(run)}
        older = {n for n, run in changed.items() if n in present and _is_older(run, present[n])}
        new = {name: run for name, run in changed.items() if name not in older}
        every = sorted(
            [*(run for name, run in present.items() if name not in new), *new.values()], key=_order
        )
        if new:
            with writing(folder):
                _stage(folder / _STAGING, every, new.keys(), scores)
                os.rename(folder / _STAGING, folder / INCOMING)
                _complete(folder)
    return Merged(
        folder.name,
        tuple(name for name in new if name not in present),
        tuple(name for name in new if name in present),
        tuple(sorted(older)),
        len(every),
    )


def _present(folder: Path) -> Mapping[str, StudyRun]:
    """Return the runs of a study, none of which may be damaged, because writing would drop it."""
    if not (folder / INDEX).is_file():
        return {}
    study = read_study(folder)
    if study.problems:
        raise RecordError(f"{study.problems[0]} Nothing was merged into {folder.name}.")
    return study.runs


def _is_older(run: Record, than: Record) -> bool:
    """Return whether an earlier version of the arithmetic made a run than the one that the study has."""
    return results_version(run) < results_version(than)


def _order(run: Record) -> tuple[Any, ...]:
    """Return the sort key: variant, learning rate, seed. It does not depend on the order of merges."""
    with run.naming("entries"):
        return variant_key(run.config), run.config.get("learning_rate", 0.0), run.seed, run.run_id


def _line(run: Record) -> str:
    """Return the run's line in `runs.jsonl`."""
    with run.naming("entries"):  # JSON has no NaN
        return json.dumps(run.info, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _stage(folder: Path, runs: Sequence[Record], new: Collection[str], scores: ScoresKept) -> None:
    """Write the files of a study with `runs` to `folder`, including the scores of the runs in `new`."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "scores").mkdir(parents=True)
    kept = _keeping_scores(runs, new, scores)
    for run in runs:
        if run.run_id in new:
            # An empty file marks the scores of an earlier run with these settings for removal.
            content = _scores(run) if run.run_id in kept else b""
            (folder / table_file("scores", run.run_id)).write_bytes(content)
    _write(folder / table_file("parameters"), _PARAMETERS, [_rows(run, "parameters") for run in runs])
    _write(folder / table_file("history"), _HISTORY, [_rows(run, "history") for run in runs])
    (folder / INDEX).write_text("".join(f"{_line(run)}\n" for run in runs), encoding="utf-8")
    overview(runs).to_csv(folder / OVERVIEW, index=False)


def _keeping_scores(runs: Sequence[Record], new: Collection[str], scores: ScoresKept) -> set[str]:
    """Return the ids of the runs in `new` that keep their scores."""
    scored = [run for run in runs if run.has("scores")] if scores != "none" else []
    found = {run.run_id for run in scored if run.run_id in new}
    if scores == "all":
        return found
    # Runs already in the study take precedence, then the smallest seed.
    scored.sort(key=lambda run: (run.run_id in new, run.seed))
    first = {_cell(run): run.run_id for run in reversed(scored)}
    return found & set(first.values())


def _cell(run: Record) -> str:
    """Return a key shared by runs that differ only in the seed."""
    return json.dumps({name: value for name, value in run.config.items() if name != "seed"}, sort_keys=True)


def _scores(run: Record) -> bytes:
    """Return the scores of a run as the contents of a Parquet file."""
    with run.naming("scores"):
        table = pa.Table.from_pandas(run.scores(), preserve_index=False)
        return _parquet(table, [field.name for field in table.schema if field.type in _WIDE])


def _rows(run: Record, table: Table) -> pa.Table | None:
    """Return a run's rows in its study's table; None if it has none."""
    with run.naming(table):
        if not run.has(table):
            return None
        if isinstance(run, StudyRun):
            return run.study.table(table).of(run.run_id)
        frame = getattr(run, table)()
        schema = _PARAMETERS if table == "parameters" else _history_schema(frame)
        if set(frame) != set(schema.names) - {RUN}:
            raise ValueError(f"its columns are {', '.join(frame)}")
        columns = {RUN: pa.array([run.run_id] * len(frame), _TEXT)}
        # Keep NaN distinct from null (missing).
        columns |= {name: pa.array(frame[name].to_numpy(), from_pandas=False) for name in frame}
        return pa.table({name: columns[name].cast(schema.field(name).type) for name in schema.names})


def _history_schema(frame: pd.DataFrame) -> pa.Schema:
    """Return the schema of a history: the columns of every history, then those of its track."""
    others = [pa.field(name, pa.float64()) for name in frame if name not in _HISTORY.names]
    return pa.schema([*_HISTORY, *others])


def _write(file: Path, schema: pa.Schema, parts: Iterable[pa.Table | None]) -> None:
    """Write the rows of all runs, one run after the other; columns that a run lacks are null."""
    found = [part for part in parts if part is not None]
    rows = pa.concat_tables([schema.empty_table(), *found], promote_options="default")
    for i, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            # Encode in order of appearance, so that equal rows give identical files.
            text = rows.column(i).cast(pa.string()).combine_chunks()
            rows = rows.set_column(i, field, text.dictionary_encode())
    floats = [field.name for field in rows.schema if pa.types.is_floating(field.type)]
    file.write_bytes(_parquet(rows, floats))


def _parquet(table: pa.Table, split: Sequence[str]) -> bytes:
    """Return a compact Parquet file: byte-stream split for columns in `split`, dictionaries for others."""
    out = pa.BufferOutputStream()
    pq.write_table(
        table,
        out,
        compression="zstd",
        compression_level=12,
        use_dictionary=[name for name in table.column_names if name not in split],
        use_byte_stream_split=list(split),
    )
    return out.getvalue().to_pybytes()


def _complete(folder: Path) -> None:
    """Move the files of an activated merge, if any, to their final places."""
    incoming = folder / INCOMING
    if not incoming.is_dir():
        return
    for file in sorted(file for file in incoming.rglob("*") if file.is_file()):
        place = folder / file.relative_to(incoming)
        place.parent.mkdir(exist_ok=True)
        if file.stat().st_size:
            os.replace(file, place)
        else:
            place.unlink(missing_ok=True)
            file.unlink()
    shutil.rmtree(incoming)
    with suppress(OSError):  # not empty
        (folder / "scores").rmdir()
