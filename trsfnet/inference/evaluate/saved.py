"""Embeddings of any model, read from a file and looked up by image name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trsfnet.data.arrow import arrow_file
from trsfnet.data.decode import suffixes
from trsfnet.data.source import Source
from trsfnet.errors import ConfigError, DataError
from trsfnet.interop.files import is_npz_of_weights

_UNDERSTOOD = (
    "a .parquet with the columns name and embedding, an .npz with the arrays names and embeddings, or an "
    ".npy with a .txt of the same name next to it that has the name of an image on each line"
)
# Keys that describe the network in the header of a file written by this package.
_MADE_BY = ("network", "weights", "engine", "precision")


@dataclass(frozen=True)
class SavedEmbeddings:
    """Contents of a file of embeddings.

    Attributes:
        file: path of the file.
        names: names of the images; None if the embeddings are in the order of the source.
        plain: float32 [N, D], finite, no row zero.
        mirrored: float32 [N, D], embeddings of the mirror images; None if the file has none.
        made_by: the header's entries on the network that computed the embeddings.
    """

    file: Path
    names: tuple[str, ...] | None
    plain: np.ndarray
    mirrored: np.ndarray | None = None
    made_by: dict[str, Any] = field(default_factory=dict)

    def of_images(self, source: Source, rows: np.ndarray, *, mirror: bool) -> np.ndarray:
        """Return the embeddings of some images of `source`.

        Images are matched by the ends of their names, without suffixes: `Ann/Ann_0001.jpg`,
        `data/Ann/Ann_0001.png` and `Ann_0001` denote the same image, provided that no other image matches.

        Args:
            source: the images.
            rows: int [R], indices of the images.
            mirror: also return the embeddings of the mirror images.

        Returns:
            float32 [1 or 2, R, D].

        Raises:
            ConfigError: if the mirror images are requested and the file has no embeddings of them.
            DataError: if an image has no embedding, or its name matches several.
        """
        if mirror and self.mirrored is None:
            raise ConfigError(
                f"{self.file} has no embeddings of the mirror images (mirrored), which this way of comparing "
                "needs: add them, or choose a convention without (facenet-training; for IJB --no-flip)."
            )
        places = self._places(source, rows)
        parts = [self.plain[places]]
        if mirror and self.mirrored is not None:
            parts.append(self.mirrored[places])
        return np.stack(parts)

    def _places(self, source: Source, rows: np.ndarray) -> np.ndarray:
        """Return the row of the file that holds each image's embedding: int [R]."""
        if self.names is None:
            if len(self.plain) != len(source):
                raise DataError(
                    f"{self.file} has {len(self.plain):,} embeddings without names for {len(source):,} "
                    f"images: expected {_UNDERSTOOD}."
                )
            return rows
        wanted = [source.name(int(row)) for row in rows]
        for parts in (None, 2, 1):
            found = _by_end(self.names, parts)
            places = np.array([found.get(_end(name, parts), -1) for name in wanted], dtype=np.int64)
            if places.min(initial=0) >= 0:
                self._refuse_shared(places, wanted)
                return places
        missing = [name for name, place in zip(wanted, places, strict=True) if place < 0]
        raise DataError(
            f"{self.file} has no embedding, or several, for {len(missing):,} of the {len(wanted):,} images "
            f"to compare, such as {missing[0]}; the names in it look like {self.names[0]}."
        )

    def _refuse_shared(self, places: np.ndarray, wanted: list[str]) -> None:
        """Reject names whose ends match two images, of which the file has only one embedding."""
        assert self.names is not None  # without names, every image has its own row
        first: dict[int, str] = {}
        for name, place in zip(wanted, places.tolist(), strict=True):
            if place in first:
                raise DataError(
                    f"{self.file} has one embedding, {self.names[place]}, for both {first[place]} and "
                    f"{name}: it needs longer names, which tell them apart."
                )
            first[place] = name


def _end(name: str, parts: int | None) -> str:
    """Return the last `parts` components of a path, or all of them, without the suffix of an image."""
    path = PurePosixPath(name.replace("\\", "/"))
    path = path.with_suffix("") if path.suffix.lower() in suffixes() else path
    return "/".join(path.parts[-parts:] if parts else path.parts)


def _by_end(names: Iterable[str], parts: int | None) -> dict[str, int]:
    """Map the end of each name to its index, or to -1 if several names share it."""
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        end = _end(name, parts)
        found[end] = -1 if end in found else place
    return found


def is_embeddings(path: Path) -> bool:
    """Return whether a file is one of embeddings rather than weights, judging by its suffix and content."""
    return path.suffix in (".parquet", ".npy") or (path.suffix == ".npz" and not is_npz_of_weights(path))


def read_embeddings(path: Path) -> SavedEmbeddings:
    """Read embeddings of any model and length from a file.

    Args:
        path: a `.parquet` with the columns `name` and `embedding`, as written by `trsfnet embed`; an `.npz`
            with the arrays `names` and `embeddings`; or an `.npy` of the embeddings, with one name per line
            in a `.txt` next to it, or in the order of the images without one. In a `.parquet` or `.npz`, a
            column or array `mirrored` holds the embeddings of the mirror images.

    Raises:
        DataError: if the file is missing, damaged or of another kind, or an embedding is zero or not finite.
    """
    readers = {".parquet": _read_parquet, ".npz": _read_npz, ".npy": _read_npy}
    try:
        saved = readers[path.suffix](path)
    except FileNotFoundError as error:
        raise DataError(f"There is no {path}: expected {_UNDERSTOOD}.") from error
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}.") from error
    if saved.names is not None and len(saved.names) != len(saved.plain):
        raise DataError(f"{path} has {len(saved.plain):,} embeddings but {len(saved.names):,} names.")
    if saved.mirrored is not None and saved.mirrored.shape != saved.plain.shape:
        raise DataError(
            f"{path} has mirrored embeddings of shape {saved.mirrored.shape} "
            f"for embeddings of shape {saved.plain.shape}."
        )
    for part in (saved.plain, saved.mirrored):
        if part is not None:
            _check(part, saved)
    return saved


def _check(embeddings: np.ndarray, saved: SavedEmbeddings) -> None:
    """Reject embeddings that are zero or not finite, for which no similarity is defined."""
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(embeddings, axis=1)
    wrong = ~np.isfinite(norms) | (norms == 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        name = f"row {row}" if saved.names is None else saved.names[row]
        kind = "zero" if norms[row] == 0 else "not finite"
        raise DataError(f"{saved.file}: the embedding of {name} is {kind} (unusable rows: {wrong.sum():,}).")


def _read_parquet(path: Path) -> SavedEmbeddings:
    try:
        with pq.ParquetFile(arrow_file(path)) as file:
            schema = file.schema_arrow
            columns = [name for name in ("name", "embedding", "mirrored") if name in schema.names]
            if twice := [name for name in columns if schema.names.count(name) > 1]:
                raise DataError(f"{path} has more than one column {twice[0]}: expected {_UNDERSTOOD}.")
            table = file.read(columns=columns)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"{path} is damaged or is not a parquet file: expected {_UNDERSTOOD}.") from error
    if columns[:2] != ["name", "embedding"]:
        raise DataError(f"{path} has the columns {', '.join(schema.names[:9])}: expected {_UNDERSTOOD}.")
    names = table["name"]
    if not (pa.types.is_string(names.type) or pa.types.is_large_string(names.type)) or names.null_count:
        raise DataError(f"{path}: every name must be text, got {names.type}.")
    try:
        listed = tuple(names.to_pylist())
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: every name must be UTF-8.") from error
    plain, *mirrored = (_matrix(table[name], f"{path}: {name}") for name in columns[1:])
    made_by = _header(schema)
    return SavedEmbeddings(path, listed, plain, mirrored[0] if mirrored else None, made_by)


def _matrix(column: pa.ChunkedArray, what: str) -> np.ndarray:
    """Convert a column of lists of numbers to float32 [N, D]."""
    kind = column.type
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not lists or not pa.types.is_floating(kind.value_type):
        raise DataError(f"{what} must be a list of floating-point numbers, got {kind}.")
    lengths = column.combine_chunks().value_lengths()
    if not len(column) or column.null_count or len(lengths.unique()) != 1:
        raise DataError(f"{what} must have the same length in every row, and at least one row.")
    return _numbers(column.combine_chunks().flatten().to_numpy(zero_copy_only=False), what).reshape(
        len(column), -1
    )


def _header(schema: pa.Schema) -> dict[str, Any]:
    try:
        header = json.loads((schema.metadata or {}).get(b"trsfnet", b"{}"))
        return {name: header[name] for name in _MADE_BY if name in header}
    except (ValueError, TypeError):
        return {}


def _read_npz(path: Path) -> SavedEmbeddings:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {
                name: arrays[name] for name in ("names", "embeddings", "mirrored") if name in arrays.files
            }
    except OSError:
        raise
    except Exception as error:  # numpy and zipfile raise many types of exceptions on damaged bytes
        raise DataError(f"{path} is damaged or contains Python objects: expected {_UNDERSTOOD}.") from error
    names = found.get("names", np.empty(0))
    if names.dtype.kind not in "US" or names.ndim != 1 or "embeddings" not in found:
        raise DataError(f"{path} must hold the arrays names, of text, and embeddings.")
    try:
        names = np.char.decode(names, "utf-8") if names.dtype.kind == "S" else names
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: every name must be UTF-8.") from error
    mirrored = found.get("mirrored")
    return SavedEmbeddings(
        path,
        tuple(names.tolist()),
        _rows(found["embeddings"], f"{path}: embeddings"),
        None if mirrored is None else _rows(mirrored, f"{path}: mirrored"),
    )


def _read_npy(path: Path) -> SavedEmbeddings:
    try:
        rows = np.load(path, allow_pickle=False)
    except OSError:
        raise
    except Exception as error:
        raise DataError(f"{path} is damaged or contains Python objects: expected {_UNDERSTOOD}.") from error
    if not isinstance(rows, np.ndarray):
        raise DataError(f"{path} is an .npz file by its content: give it that suffix.")
    names_file = path.with_suffix(".txt")
    if not names_file.is_file():
        return SavedEmbeddings(path, None, _rows(rows, str(path)))
    try:
        names = tuple(names_file.read_text(encoding="utf-8-sig").splitlines())
    except UnicodeDecodeError as error:
        raise DataError(f"{names_file} is not UTF-8: expected the name of an image on each line.") from error
    return SavedEmbeddings(path, names, _rows(rows, str(path)))


def _rows(array: np.ndarray, what: str) -> np.ndarray:
    if array.ndim != 2 or not array.size:
        raise DataError(f"{what} must be [images, length], got {list(array.shape)}.")
    return _numbers(array, what)


def _numbers(array: np.ndarray, what: str) -> np.ndarray:
    if array.dtype.kind != "f":
        raise DataError(f"{what} must be floating-point numbers, got {array.dtype}.")
    with np.errstate(over="ignore"):
        return np.asarray(array, dtype=np.float32)
