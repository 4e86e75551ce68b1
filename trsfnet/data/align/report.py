"""What became of every image of an alignment: a table that grows while it runs, and from which it goes on."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from trsfnet.data.align.detect import Face
from trsfnet.errors import DataError

# One face was found, one was chosen among several, there was none, decoding, finding or cropping failed; or
# the image, or all that is in an identity's folder, is no part of the source.
STATUSES = ("found", "chosen", "none", "failed", "left out")
PASSED_OVER = "passed over"

_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
COLUMNS = (
    *("name", "status", "done", "file", "faces", "probability", "left", "top", "right", "bottom"),
    *(f"{point}_{axis}" for point in _POINTS for axis in "xy"),
    "note",
)


class Report:
    """The rows of `report.csv`, in the order in which images were finished.

    `status` is one of `STATUSES`; `done` says what became of the image: the `face` or the `centre` was
    cropped, or it was `skipped`; `file` is the crop, `faces` how many were found; probability, box and points
    are those of the chosen one; `note` says why the image failed or was left out.

    Of each kind of file that was passed over there is a row as well, with that kind as its name and
    `PASSED_OVER` as its status.

    Attributes:
        counts: how many images have each status.
    """

    def __init__(self, path: Path, keep: Callable[[dict[str, str]], bool]) -> None:
        """Begin the report at `path`, or continue it.

        Args:
            path: the file.
            keep: whether a whole row that is there still holds.

        Raises:
            DataError: the file there is no such report.
        """
        self.path = path
        self.counts: Counter[str] = Counter(dict.fromkeys(STATUSES, 0))
        aside = path.with_name(f".{path.name}.partial")
        self._write(aside, "w", (row for row in _read(path) if keep(row)))
        os.replace(aside, path)

    def add(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Append `rows`, whose crops are on disk by now."""
        self._write(self.path, "a", rows)

    def _write(self, path: Path, mode: str, rows: Iterable[Mapping[str, object]]) -> None:
        with path.open(mode, encoding="utf-8", errors="backslashreplace", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if mode == "w":
                writer.writeheader()
            for row in rows:
                writer.writerow(row)
                if row["status"] in STATUSES:
                    self.counts[str(row["status"])] += 1


def face_columns(face: Face) -> dict[str, object]:
    """Probability, box and points of the chosen face, to a thousandth of a pixel."""
    values = [*face.box, *face.points.ravel()]
    start = COLUMNS.index("left")
    columns = COLUMNS[start : start + len(values)]
    return {
        "probability": f"{face.probability:.6f}",
        **{column: f"{value:.3f}" for column, value in zip(columns, values, strict=True)},
    }


def _read(path: Path) -> Iterator[dict[str, str]]:
    """The whole rows at `path`, if it exists; the last may have been cut off by the death of the process."""
    if not path.exists():
        return
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = csv.reader(file)
            head = next(rows, None)
            if head is not None and tuple(head) != COLUMNS:
                raise DataError(f"{path} is not the report of an alignment: choose another target.")
            for fields in rows:
                if len(fields) == len(COLUMNS) and fields[1] in (*STATUSES, PASSED_OVER):
                    yield dict(zip(COLUMNS, fields, strict=True))
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as the report of an alignment: {error}.") from error
