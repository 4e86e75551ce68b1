"""Rows of embeddings kept from an earlier call, and checks that they still match the images."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from trsfnet.data.lazy import LazyImages
from trsfnet.data.source import Source
from trsfnet.errors import DataError


class ImageState(NamedTuple):
    """State of an image when it was embedded.

    Attributes:
        stamp: see `stamp_of_crop`.
        content: 128-bit hash of its bytes and of how it is cropped, in hexadecimal.
    """

    stamp: str
    content: str


class Row(NamedTuple):
    """An image's row in a part.

    Attributes:
        name: name of the image.
        identity: person shown.
        embedding: the embedding; None if there is none.
        problem: why there is no embedding; otherwise None.
        state: state of the image.
    """

    name: str
    identity: str
    embedding: Any
    problem: str | None
    state: ImageState


def stamp_of_crop(images: Source, crops: LazyImages, row: int) -> str:
    """Return size and times of an image's file, and how the image is cropped; empty if there is no file."""
    stamp, recipe = images.stamp(row), crops.recipe(row)
    return f"{stamp}-{recipe}" if stamp and recipe else stamp


def content_and_state(images: Source, crops: LazyImages, row: int) -> tuple[bytes, ImageState]:
    """Return an image as stored, and its current state.

    Raises:
        DataError: if it cannot be read.
    """
    # Taken before the bytes, so that a change in between is noticed next time.
    stamp = stamp_of_crop(images, crops, row)
    encoded = images.encoded(row)
    digest = hashlib.blake2b(encoded, digest_size=16)
    digest.update(crops.recipe(row).encode())
    return encoded, ImageState(stamp, digest.hexdigest())


def still_holds(kept: ImageState, images: Source, crops: LazyImages, row: int) -> bool:
    """Return whether a crop is unchanged, by size and times of its file or, if these differ, by its bytes."""
    if kept.stamp and kept.stamp == stamp_of_crop(images, crops, row):
        return True
    try:
        return content_and_state(images, crops, row)[1].content == kept.content
    except DataError:
        return False


class KeptRows:
    """Rows of a file of embeddings, read sequentially along with the images, which have the same order."""

    def __init__(self, file: Path, left_out: Collection[str] = ()) -> None:
        """Open the file; its rows are read on demand.

        Args:
            file: a file of embeddings, or a part of one.
            left_out: images and identities whose rows are skipped.
        """
        self._left_out = left_out
        self._file = pq.ParquetFile(file)
        self._batches = self._file.iter_batches(1024)
        self._rows: list[dict[str, Any]] = []

    def take(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the rows of those `names` that have one; ask for each name once, in the file's order."""
        found: dict[str, dict[str, Any]] = {}
        for name in names:
            row = self._next()
            if row is not None and row["name"] == name:
                found[name] = row
                self._rows.pop()
        return found

    def _next(self) -> dict[str, Any] | None:
        while not self._rows:
            batch = next(self._batches, None)
            if batch is None:
                return None
            columns = {n: batch[n].to_pylist() for n in batch.schema.names if n != "embedding"}
            columns["embedding"] = batch["embedding"].to_numpy(zero_copy_only=False)
            rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
            self._rows = [row for row in rows[::-1] if not _is_left_out(row["name"], self._left_out)]
        return self._rows[-1]


def _is_left_out(name: str, left_out: Collection[str]) -> bool:
    """Return whether a source now leaves out an image, or its whole identity."""
    return name in left_out or name.partition("/")[0] in left_out


def foreign_name(file: Path, images: Source, left_out: Collection[str]) -> str | None:
    """Return the first name in `file` that is not among the images, in their order; None if all are.

    Names that the source now leaves out are ignored.
    """
    listed = pq.read_table(file, columns=["name"])["name"].to_pylist()
    names = iter([name for name in listed if not _is_left_out(name, left_out)])
    wanted = next(names, None)
    for row in range(len(images)):
        if wanted is None:
            return None
        if images.name(row) == wanted:
            wanted = next(names, None)
    return wanted


def rows_of(part: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of a part by name; an empty dictionary if the part is damaged."""
    try:
        kept = KeptRows(part)
        names = pq.read_table(part, columns=["name"])["name"].to_pylist()
        return kept.take(names)
    except (OSError, pa.ArrowException, ValueError, KeyError):
        return {}
