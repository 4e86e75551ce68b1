"""The protocol files of IJB-B and IJB-C as distributed by insightface: `<root>/meta/ijbb_*`, `ijbc_*`.

A template is a set of images of one person, and a medium is one photo or video among them. 1:1 verification
compares pairs of templates; 1:N identification searches two galleries of enrolled templates for probe
templates. In this module a template is represented by its row: an index into `Templates.ids`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from trsfnet.data.arrow import arrow_file
from trsfnet.errors import DataError, choice, excerpt

# The names of the two galleries of each dataset.
GALLERIES = {"ijbb": ("S1", "S2"), "ijbc": ("G1", "G2")}

# Template ids index a table; those of IJB-C are below a million.
_ID_LIMIT = 10_000_000
_BLOCK = 2**20  # bytes; smaller files are not worth several threads

_NAME, _ID, _MEDIUM, _LABEL, _NUMBER = pa.string(), pa.int32(), pa.int64(), pa.int8(), pa.float32()
_Column: TypeAlias = np.ndarray | pa.ChunkedArray
_Kinds = Mapping[str, pa.DataType | None]
_COORDINATES = [f"{axis}{point}" for point in range(1, 6) for axis in "xy"]
_ESCAPES = r"^/|^[A-Za-z]:|\\|(^|/)\.\.(/|$)|\x00"


@dataclass(frozen=True)
class Templates:
    """The images of a dataset and the templates they form.

    Attributes:
        names: name of each image, relative to `<root>/loose_crop`.
        landmarks: float32 [N, 5, 2], x and y in pixels of eyes, nose tip and corners of the mouth.
        detector_scores: float32 [N], the detector's confidence in each face.
        ids: int32 [T], the template ids in ascending order.
        rows: int32 [N], template of each image.
        media: int64 [N], medium of each image; ids are unique only within a template.
    """

    names: list[str]
    landmarks: np.ndarray
    detector_scores: np.ndarray
    ids: np.ndarray
    rows: np.ndarray
    media: np.ndarray


@dataclass(frozen=True)
class TemplatePairs:
    """The pairs of 1:1 verification.

    Attributes:
        left: int32 [P], first template.
        right: int32 [P], second template.
        same: bool [P], True if both show the same person.
    """

    left: np.ndarray
    right: np.ndarray
    same: np.ndarray


@dataclass(frozen=True)
class People:
    """Templates with the people they show: a gallery, or the probes.

    Attributes:
        rows: int32 [R], distinct templates in ascending order.
        subjects: int64 [R], id of the person in each template.
    """

    rows: np.ndarray
    subjects: np.ndarray


@dataclass(frozen=True)
class Searches:
    """The searches of 1:N identification: every probe in every gallery.

    Attributes:
        galleries: the two galleries; each person is enrolled at most once, in one of them.
        probes: the templates searched for.
    """

    galleries: tuple[People, People]
    probes: People


def read_templates(root: Path, dataset: str) -> Templates:
    """Read images and templates from `*_face_tid_mid.txt` and `*_name_5pts_score.txt`.

    Args:
        root: the folder that contains `meta/` and `loose_crop/`.
        dataset: `ijbb` or `ijbc`.

    Raises:
        DataError: if a file is missing or malformed, the two files name different images, or a name leads out
            of the folder of images; the message states file and line.
    """
    belongs = _meta(root, dataset, "face_tid_mid.txt")
    faces = _meta(root, dataset, "name_5pts_score.txt")
    owners = _read(belongs, {"name": _NAME, "template": _ID, "medium": _MEDIUM})
    found = _read(faces, {"name": _NAME} | dict.fromkeys([*_COORDINATES, "score"], _NUMBER))

    names = found["name"]
    _refuse(faces, pc.match_substring_regex(names, _ESCAPES), names, "a name inside loose_crop")
    if pc.count_distinct(names).as_py() < len(names):
        again = names.to_pandas().duplicated().to_numpy()
        _refuse(faces, again, names, "a name that no line above has")
    shared = min(len(names), len(owners))
    unlike = pc.not_equal(owners["name"][:shared], names[:shared])
    _refuse(belongs, unlike, owners["name"], f"the image that this line of {faces.name} names")
    if len(owners) != len(names):
        raise DataError(
            f"{belongs} has {len(owners)} lines and {faces.name} has {len(names)}: expected the same images."
        )

    numbers = np.stack([found[column].to_numpy() for column in [*_COORDINATES, "score"]], axis=1)
    _refuse(faces, ~np.isfinite(numbers).all(axis=1), names, "an image with finite landmarks and score")
    template = owners["template"].to_numpy()
    _refuse(belongs, (template < 0) | (template >= _ID_LIMIT), template, f"a template id below {_ID_LIMIT}")
    ids, rows = np.unique(template, return_inverse=True)
    return Templates(
        names=names.to_pylist(),
        landmarks=numbers[:, :10].copy().reshape(-1, 5, 2),
        detector_scores=numbers[:, 10].copy(),
        ids=ids,
        rows=rows.astype(np.int32),
        media=owners["medium"].to_numpy(),
    )


def read_pairs(root: Path, dataset: str, templates: Templates) -> TemplatePairs:
    """Read the pairs of 1:1 verification from `*_template_pair_label.txt`.

    Raises:
        DataError: if the file is missing or malformed, a template has no image, or a label is neither 0 nor
            1; the message states file and line.
    """
    path = _meta(root, dataset, "template_pair_label.txt")
    table = _read(path, {"template 1": _ID, "template 2": _ID, "label": _LABEL})
    label = table["label"].to_numpy()
    _refuse(path, (label != 0) & (label != 1), label, "a label of 0 or 1")
    left, right = (_rows(path, table[side], templates.ids) for side in ("template 1", "template 2"))
    return TemplatePairs(left, right, label == 1)


def read_searches(root: Path, dataset: str, templates: Templates) -> Searches:
    """Read the searches of 1:N identification from `*_1N_gallery_*.csv` and `*_1N_probe_mixed.csv`.

    Raises:
        DataError: if a file is missing or malformed, a template has no image or several people, or a person
            is enrolled twice.
    """
    paths = [_meta(root, dataset, f"1N_gallery_{name}.csv") for name in GALLERIES[dataset]]
    first, second = (_people(path, templates.ids) for path in paths)
    for path, gallery in zip(paths, (first, second), strict=True):
        subjects, counts = np.unique(gallery.subjects, return_counts=True)
        if (counts > 1).any():
            raise DataError(f"{path} enrols subject {subjects[counts > 1][0]} with more than one template.")
    both = np.intersect1d(first.subjects, second.subjects)
    if both.size:
        raise DataError(f"Subject {both[0]} is enrolled in {paths[0]} and in {paths[1].name}.")
    return Searches((first, second), _people(_meta(root, dataset, "1N_probe_mixed.csv"), templates.ids))


def _meta(root: Path, dataset: str, name: str) -> Path:
    choice("dataset", dataset, tuple(GALLERIES))
    return root / "meta" / f"{dataset}_{name}"


def _people(path: Path, ids: np.ndarray) -> People:
    """Read templates and subjects from a file with one line per image; further columns are ignored."""
    header = _header(path)
    words = [word in name.lower() for word, name in zip(("template", "subject"), header, strict=False)]
    if words != [True, True]:
        raise DataError(
            f"{path}, line 1: expected TEMPLATE_ID,SUBJECT_ID,..., got {excerpt(','.join(header))}."
        )
    others = dict.fromkeys((f"column {number}" for number in range(3, len(header) + 1)), None)
    table = _read(path, {"template": _ID, "subject": _MEDIUM} | others, delimiter=",", first_line=2)
    template, subjects = table["template"].to_numpy(), table["subject"].to_numpy()
    rows, first, inverse = np.unique(
        _rows(path, table["template"], ids, 2), return_index=True, return_inverse=True
    )
    _refuse(path, subjects != subjects[first][inverse], template, "a template of one subject alone", 2)
    return People(rows, subjects[first])


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.readline().rstrip("\r\n").split(",")
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error


def _rows(path: Path, template: pa.ChunkedArray, ids: np.ndarray, first_line: int = 1) -> np.ndarray:
    """Return the index into `ids` of each template id: int32."""
    table = np.full(ids[-1] + 2, -1, np.int32)
    table[ids] = np.arange(len(ids))
    rows, start = np.empty(len(template), np.int32), 0
    for chunk in template.chunks:
        # Ids out of range, including negative ones, are mapped to the last entry, which is -1.
        place = np.minimum(chunk.to_numpy().view(np.uint32), len(table) - 1)
        rows[start : start + len(chunk)] = table[place]
        start += len(chunk)
    _refuse(path, rows < 0, template, "a template that has images", first_line)
    return rows


def _refuse(path: Path, wrong: _Column, values: _Column, expected: str, first_line: int = 1) -> None:
    """Raise `DataError` for the first line where `wrong` is true."""
    wrong = np.asarray(wrong)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(f"{path}, line {row + first_line}: expected {expected}, got {excerpt(values[row])}.")


def _read(path: Path, kinds: _Kinds, delimiter: str = " ", first_line: int = 1) -> pa.Table:
    """Read a file's columns from `first_line` on, with exactly these names and types (None: not wanted)."""
    try:
        try:
            return _parse(path, kinds, delimiter, first_line, threads=path.stat().st_size > _BLOCK)
        except pa.ArrowInvalid:
            # With a single thread, Arrow's message states the row of the error.
            return _parse(path, kinds, delimiter, first_line, threads=False)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except pa.ArrowInvalid as error:
        names = ", ".join(name for name, kind in kinds.items() if kind is not None)
        row = re.match(r".*?Row #(\d+): ", str(error), flags=re.S)
        place = f", line {int(row[1]) + first_line - 1}" if row else ""
        reason = " ".join(str(error)[row.end() if row else 0 :][:200].split()).rstrip(".")
        raise DataError(f"{path}{place}: expected {names} ({reason}).") from error


def _parse(path: Path, kinds: _Kinds, delimiter: str, first_line: int, threads: bool) -> pa.Table:
    wanted = {name: kind for name, kind in kinds.items() if kind is not None}
    quote = '"' if delimiter == "," else False
    with path.open("rb") as file:
        for _ in range(1, first_line):
            file.readline()
        start = file.tell()
    with arrow_file(path) as file:
        file.seek(start)
        return csv.read_csv(
            file,
            csv.ReadOptions(column_names=list(kinds), use_threads=threads),
            csv.ParseOptions(delimiter=delimiter, quote_char=quote, ignore_empty_lines=False),
            csv.ConvertOptions(column_types=wanted, include_columns=list(wanted), null_values=[]),
        )
