"""Write and read the scores of pairs as parquet files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trsfnet.data.arrow import arrow_file
from trsfnet.data.files import replacing
from trsfnet.errors import DataError, RecordError
from trsfnet.evaluation.bootstrap import Scores
from trsfnet.evaluation.saved import read_scores, to_columns
from trsfnet.evaluation.verification import AllPairsScores
from trsfnet.experiments.record import read_record
from trsfnet.experiments.threshold import saved_scores

_KEY = b"trsfnet"
_PAIRS = "impostor_pairs"
_UNDERSTOOD = "what evaluate --scores writes (networks and embeddings are compared --on a test set)"


def write_scores(scores: Scores, path: Path) -> None:
    """Write the scores of pairs as parquet, for `read_scored` and `trsfnet.evaluation.read_scores`.

    Raises:
        DataError: if the file cannot be written.
    """
    note = {_PAIRS: scores.impostor_pairs} if isinstance(scores, AllPairsScores) else {}
    table = pa.table(to_columns(scores)).replace_schema_metadata({_KEY: json.dumps(note)})
    try:
        with replacing(path) as aside, arrow_file(aside, "wb") as file:
            pq.write_table(table, file, compression="zstd")
    except OSError as error:
        raise DataError(f"Cannot write {path}: {error.strerror or error}.") from error


def read_scored(path: Path) -> Scores:
    """Read saved scores from the record of a run, or from a file written by `write_scores`.

    Raises:
        DataError: if there is neither a run nor a file, or the file is of another kind, or damaged.
        RecordError: if a folder holds no run, or the run has no scores.
    """
    if not path.is_file():
        try:
            record = read_record(path)  # a folder, or a run of a study, which has none
        except RecordError as error:
            if path.exists():
                raise
            raise DataError(f"There is no {path}: expected a run, or {_UNDERSTOOD}.") from error
        return saved_scores(record)
    try:
        table = pq.read_table(arrow_file(path))
        note = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
        columns = {name: np.asarray(table[name]) for name in table.column_names}
        pairs = note.get(_PAIRS)
    # The last two: a column that is there twice, and a note that is no object.
    except (OSError, pa.ArrowException, ValueError, KeyError, AttributeError) as error:
        raise DataError(f"{path} is no parquet file of scores: expected {_UNDERSTOOD}.") from error
    _check(columns, path)
    try:
        return read_scores(columns, impostor_pairs=pairs)
    except DataError as error:
        raise DataError(f"{path} is damaged. {error}") from error


def _check(columns: dict[str, np.ndarray], path: Path) -> None:
    """Reject columns that are neither numeric nor boolean, or lack `same`."""
    wrong = [name for name, column in columns.items() if column.dtype.kind not in "biuf"]
    if wrong or "same" not in columns:
        named = f"its columns {', '.join(wrong[:3])} are no numbers" if wrong else "it has no column same"
        raise DataError(f"{path} holds no scores of pairs, {named}: expected {_UNDERSTOOD}.")
