"""Report of an alignment: the outcome for every image, extended as it runs and used to resume it."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from trsfnet.data.align.detect import Face
from trsfnet.errors import DataError

# One face was found; one was chosen among several; none was found; decoding, detection or cropping failed; or
# the image, or an entire identity's folder, is excluded from the source.
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

    `status` is one of `STATUSES`. `done` is what was cropped, the `face` or the `centre`, or `skipped`.
    `file` is the crop, and `faces` the number of faces found; probability, box and points are those of the
    chosen face. `note` explains why the image failed or was left out.

    There is also a row for each kind of file that was passed over, with the kind as its name and
    `PASSED_OVER` as its status.

    Attributes:
        counts: number of images with each status.
    """

    def __init__(self, path: Path, keep: Callable[[dict[str, str]], bool]) -> None:
        """Begin the report at `path`, or continue it.

        Args:
            path: the file.
            keep: tells whether an existing complete row is still valid.

        Raises:
            DataError: if the existing file is not such a report.
        """
        self.path = path
        self.counts: Counter[str] = Counter(dict.fromkeys(STATUSES, 0))
        aside = path.with_name(f".{path.name}.partial")
        self._write(aside, "w", (row for row in _read(path) if keep(row)))
        os.replace(aside, path)

    def add(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Append `rows`, whose crops must already be on disk."""
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
    """Return probability, box and points of the chosen face, to a thousandth of a pixel."""
    values = [*face.box, *face.points.ravel()]
    start = COLUMNS.index("left")
    columns = COLUMNS[start : start + len(values)]
    return {
        "probability": f"{face.probability:.6f}",
        **{column: f"{value:.3f}" for column, value in zip(columns, values, strict=True)},
    }


def _read(path: Path) -> Iterator[dict[str, str]]:
    """Yield the complete rows at `path`, if it exists; a killed process may have cut off the last row."""
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
