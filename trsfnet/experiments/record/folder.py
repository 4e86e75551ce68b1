"""A run in its own folder, as written by training.

`<root>/<track>/<run id>/` contains `run.json`, `history.csv`, `parameters.parquet` and `scores.parquet`, as
well as the executed notebook, TensorBoard events and checkpoints. Every file of the record is written to a
temporary file and then renamed, so a reader never sees a partial file.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.data.arrow import arrow_file
from trsfnet.data.files import replacing, write_atomically, writing
from trsfnet.errors import RecordError
from trsfnet.experiments.record.base import Record, Table, checked_info

RECORD = "run.json"
NOTEBOOK = "train.ipynb"
CHECKPOINT = Path("checkpoints", "last.pt")
FILES: dict[Table, str] = {
    "history": "history.csv",
    "parameters": "parameters.parquet",
    "scores": "scores.parquet",
}
"""The file of each table."""


@dataclass(frozen=True)
class RunFolder(Record):
    """A run in its own folder, which can be written to.

    The methods that write raise a `DataError` if they cannot, for example because the disk is full.
    """

    @property
    def files(self) -> dict[str, Path]:
        """The existing files of the record, including the executed notebook."""
        names = (RECORD, *FILES.values(), NOTEBOOK)
        return {name: self.path / name for name in names if (self.path / name).is_file()}

    def has(self, table: Table) -> bool:
        """Return whether the folder contains the table's file."""
        return (self.path / FILES[table]).is_file()

    def version(self, table: Table) -> Hashable:
        """Return the table's file and its modification time."""
        file = self.path / FILES[table]
        return file.resolve(), file.stat().st_mtime_ns

    def _table(self, table: Table) -> pd.DataFrame:
        file = self.path / FILES[table]
        if table == "history":
            return _history(file.resolve(), file.stat().st_mtime_ns).copy()
        return pd.read_parquet(arrow_file(file))

    def write_info(self, **changes: Any) -> None:
        """Update entries of `run.json` and write it."""
        self.info.update(changes)
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path / RECORD, json.dumps(self.info, indent=1, allow_nan=False) + "\n")

    def write_history(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Write `history.csv`."""
        # Seven significant digits correspond to the precision of float32.
        write_atomically(
            self.path / "history.csv", pd.DataFrame(rows).to_csv(index=False, float_format="%.7g")
        )

    def write_parameters(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write `parameters.parquet`; do nothing if there are no rows."""
        if rows:
            table = pd.DataFrame(rows).astype({"epoch": "int32", "channel": "int32", "value": "float32"})
            self._write_table("parameters", table)

    def write_scores(self, columns: Mapping[str, np.ndarray]) -> None:
        """Write `scores.parquet`."""
        self._write_table("scores", pd.DataFrame(columns))

    def _write_table(self, table: Table, content: pd.DataFrame) -> None:
        file = self.path / FILES[table]
        with writing(file), replacing(file) as aside:
            content.to_parquet(aside, index=False, compression="zstd")


@cache
def _history(file: Path, modified: int) -> pd.DataFrame:
    """Return the rows of `file` as of `modified`; cached, since reports need them repeatedly."""
    with file.open(encoding="utf-8", newline="") as text:
        table = pd.read_csv(text)
    whole = [name for name in table if name in ("epoch", "step")]
    return table.astype({name: "int64" if name in whole else "float64" for name in table})


def read_folder(path: Path) -> RunFolder:
    """Read the record in the folder `path`.

    Raises:
        RecordError: the record is missing or damaged.
        UnknownFormat: another version of trsfnet wrote it.
    """
    file = path / RECORD
    try:
        info = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(
            f"{path} holds no run record: cannot read {file.name}, {error.strerror}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"The run record {file} is damaged: {str(error)[:200]}.") from error
    return RunFolder(path, checked_info(info, str(file)))
