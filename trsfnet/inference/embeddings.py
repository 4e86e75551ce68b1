"""Embeddings of any number of images in a parquet file; only new and changed images are computed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from trsfnet.data import source as faces
from trsfnet.data.files import check_name, write_atomically
from trsfnet.data.folder import left_out
from trsfnet.data.input_crops import input_crops
from trsfnet.data.lazy import LazyImages
from trsfnet.data.locking import locked_folder
from trsfnet.data.output import check_output
from trsfnet.errors import ConfigError, DataError
from trsfnet.inference.embedder import Embedder, checked
from trsfnet.inference.kept_rows import (
    ImageState,
    KeptRows,
    Row,
    content_and_state,
    foreign_name,
    rows_of,
    stamp_of_crop,
    still_holds,
)
from trsfnet.paths import user_path

# Number of images per part: at most this many are lost if the process is killed. Images are decoded and
# embedded in batches of `_BATCH`.
PART = 512
_BATCH = 32
_KEY = b"trsfnet"


@dataclass(frozen=True)
class Embedded:
    """Contents of a file of embeddings.

    Attributes:
        images: number of rows.
        failed: images and identities that are missing from the file, by name, with the reason.
    """

    images: int
    failed: dict[str, str]


def write_embeddings(embedder: Embedder, images: faces.Source, target: Path) -> Embedded:
    """Embed all images of a source and write them to a parquet file, which appears only once it is complete.

    The file has one row per image, in the order of the source: `name`, `identity`, `embedding` (float32, unit
    length), and `stamp` and `content`, which the next call uses to detect images that were changed or are
    cropped in another way. Images that cannot be decoded, or that the source leaves out, are listed in its
    header. Until the file is complete, parts are kept in a hidden folder next to it, from which the same call
    resumes.

    If called again after images were added, changed, repaired or given other landmarks, it embeds these,
    retries those that failed, and keeps all other embeddings. Identities are always those of the source.

    Args:
        embedder: see `trsfnet.load`.
        images: face crops; see `input_crops` for the treatment of LFW and IJB images.
        target: path of the parquet file.

    Raises:
        ConfigError: if the file's suffix is not `.parquet`.
        DataError: if the file or its parts belong to another network or to images that the source does not
            have, the file cannot be written, or the network's embeddings are not finite.
    """
    target = user_path(target)
    check_target(target)
    owner = _owner(embedder)
    crops = input_crops(images, embedder.size)
    if target.exists() and _unchanged(target, owner, images, crops):
        return _finished(target, owner)
    parts = target.with_name(f".{target.name}.parts")
    try:
        with locked_folder(parts):
            _claim(parts / "owner.json", owner, target)
            kept = KeptRows(target, left_out(images)) if target.exists() else None
            files = _complete(embedder, images, crops, parts, kept)
            _join(files, owner | {"images": images.version}, left_out(images), target)
        shutil.rmtree(parts)
    except OSError as error:
        raise DataError(f"Cannot write to {parts}: {error.strerror or error}.") from error
    return _finished(target, owner)


def _unchanged(target: Path, owner: dict[str, str], images: faces.Source, crops: LazyImages) -> bool:
    """Return whether writing the file now would leave its content unchanged.

    Raises:
        DataError: if it belongs to another network, or to images that the source does not have.
    """
    done = _finished(target, owner)
    foreign = foreign_name(target, images, left_out(images))
    if foreign is not None:
        raise DataError(
            f"{target} exists and holds embeddings of other images: {foreign} was removed or "
            "moved. Remove the file, or choose another name."
        )
    if done.failed != left_out(images):
        return False  # the list is out of date, or images failed, which are tried again
    found = pq.read_table(target, columns=["identity", "stamp"]).to_pydict()
    return len(found["stamp"]) == len(images) and all(
        identity == _identity(images, row) and stamp and stamp == stamp_of_crop(images, crops, row)
        for row, (identity, stamp) in enumerate(zip(found["identity"], found["stamp"], strict=True))
    )


def _identity(images: faces.Source, row: int) -> str:
    return images.identities[images.labels[row]]


def check_target(target: Path, read: Iterable[Path] = ()) -> None:
    """Reject a target that embeddings cannot be written to, before any work is done.

    Args:
        target: path of the parquet file.
        read: the files and folders that are read.

    Raises:
        ConfigError: if the suffix is not `.parquet`.
        DataError: if the name is not valid UTF-8, or the file cannot be written, see `check_output`.
    """
    if target.suffix != ".parquet":
        raise ConfigError(f"The file of embeddings must end in .parquet, got {target}.")
    check_name(target)
    check_output(target, read)


def _owner(embedder: Embedder) -> dict[str, str]:
    """Return what identifies the embeddings in a file: equal values and images imply equal embeddings."""
    return {
        "network": embedder.description.name,
        "weights": embedder.fingerprint,
        "engine": embedder.engine.name,
        "precision": embedder.engine.precision,
    }


def _claim(note: Path, owner: dict[str, str], target: Path) -> None:
    """Record the owner of the parts, or reject parts of a different owner."""
    if not note.exists() or not any(note.parent.glob("*.parquet")):
        write_atomically(note, json.dumps(owner))
        return
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{note} is damaged: remove {note.parent}.") from error
    _same_owner(found, owner, f"{note.parent} holds a part of", target)


def _same_owner(found: dict[str, str], owner: dict[str, str], what: str, target: Path) -> None:
    differing = [name for name, value in owner.items() if found.get(name) != value]
    if differing:
        raise DataError(
            f"{what} embeddings from other {' and '.join(differing)}: remove it, or choose another file than "
            f"{target.name}."
        )


def _complete(
    embedder: Embedder, images: faces.Source, crops: LazyImages, folder: Path, kept: KeptRows | None
) -> list[Path]:
    """Return all parts, keeping rows of `folder` and `kept` that are still valid and computing the others."""
    parts = np.split(np.arange(len(images)), range(PART, len(images), PART))
    files = [folder / f"{rows[0]:09d}.parquet" for rows in parts]
    with (
        tqdm(total=len(images), desc="embedding", unit="image", disable=None) as progress,
        ThreadPoolExecutor(os.cpu_count()) as threads,
    ):
        for file, rows in zip(files, parts, strict=True):
            known = kept.take(map(images.name, rows.tolist())) if kept else {}
            known |= rows_of(file)
            done = {name: row for name, row in known.items() if row.get("problem") is None}
            holds = [
                images.name(row) in done and still_holds(_state(done[images.name(row)]), images, crops, row)
                for row in rows.tolist()
            ]
            fresh = dict(_computed(embedder, images, crops, rows[~np.array(holds)].tolist(), threads))
            found = [
                fresh.get(row) or _kept_row(images, row, done[images.name(row)]) for row in rows.tolist()
            ]
            _write(_table(found, embedder.width), file)
            progress.update(len(rows))
    return files


def _computed(
    embedder: Embedder, images: faces.Source, crops: LazyImages, rows: list[int], threads: ThreadPoolExecutor
) -> Iterator[tuple[int, Row]]:
    """Compute the rows of some images, given by number."""

    def decoded(row: int) -> tuple[np.ndarray | str, ImageState]:
        state = ImageState("", "")
        try:
            encoded, state = content_and_state(images, crops, row)
            return checked(crops.crop(row, encoded), images.name(row)), state
        except DataError as error:
            return str(error), state

    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        found = list(threads.map(decoded, batch))
        embeddings = iter(embedder.embed([face for face, _ in found if not isinstance(face, str)]))
        for row, (face, state) in zip(batch, found, strict=True):
            problem = face if isinstance(face, str) else None
            embedding = None if problem else next(embeddings)
            yield row, Row(images.name(row), _identity(images, row), embedding, problem, state)


def _state(row: dict[str, Any]) -> ImageState:
    return ImageState(row["stamp"], row["content"])


def _kept_row(images: faces.Source, row: int, kept: dict[str, Any]) -> Row:
    """Return a kept row with the identity that the source now states, which an image's bytes do not show."""
    return Row(kept["name"], _identity(images, row), kept["embedding"], None, _state(kept))


def _table(rows: list[Row], width: int) -> pa.Table:
    """Build a part's table: name, identity, embedding, image state and problem."""
    return pa.table(
        {
            "name": [row.name for row in rows],
            "identity": [row.identity for row in rows],
            "embedding": pa.array([row.embedding for row in rows], pa.list_(pa.float32(), width)),
            "stamp": [row.state.stamp for row in rows],
            "content": [row.state.content for row in rows],
            "problem": pa.array([row.problem for row in rows], pa.string()),
        }
    )


def _join(parts: list[Path], owner: dict[str, str], missed: dict[str, str], target: Path) -> None:
    """Join the parts into one file; its header lists the images that are missing from it."""
    problems = pa.concat_tables(pq.read_table(part, columns=["name", "problem"]) for part in parts)
    failed = {row["name"]: row["problem"] for row in problems.to_pylist() if row["problem"] is not None}
    note = json.dumps(owner | {"failed": missed | failed})
    schema = pq.read_schema(parts[0])
    schema = schema.remove(schema.get_field_index("problem")).with_metadata({_KEY: note})
    aside = target.with_name(f".{target.name}.partial")
    with pq.ParquetWriter(aside, schema, compression="zstd") as writer:
        for part in parts:
            table = pq.read_table(part)
            writer.write_table(table.filter(table["problem"].is_null()).drop_columns("problem"))
    os.replace(aside, target)


def _finished(target: Path, owner: dict[str, str]) -> Embedded:
    try:
        file = pq.read_metadata(target)
        note = json.loads((file.metadata or {}).get(_KEY, b"{}"))
    except (OSError, pa.ArrowException, ValueError) as error:
        raise DataError(f"{target} exists and is not a parquet file: choose another name.") from error
    _same_owner(note, owner, f"{target} exists and holds", target)
    return Embedded(file.num_rows, note["failed"])


def _write(table: pa.Table, path: Path) -> None:
    """Write to a temporary file, then rename it, so that an existing file is always complete."""
    aside = path.with_name(f".{path.name}.partial")
    pq.write_table(table, aside, compression="zstd")
    os.replace(aside, path)
