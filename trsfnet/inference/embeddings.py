"""Embeddings of any number of images in a parquet file; only what is new or has changed is computed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from trsfnet.data import source as faces
from trsfnet.data.files import check_name
from trsfnet.data.folder import left_out
from trsfnet.data.input_crops import input_crops
from trsfnet.data.lazy import LazyImages
from trsfnet.data.locking import locked_folder
from trsfnet.errors import ConfigError, DataError
from trsfnet.experiments.record import write_atomically
from trsfnet.inference.embedder import Embedder, checked
from trsfnet.inference.kept_rows import (
    ImageState,
    KeptRows,
    Row,
    foreign_name,
    rows_of,
    state_of,
    still_holds,
)
from trsfnet.paths import user_path

# Images in a part: a kill loses no more. A batch is decoded and embedded at once.
PART = 512
_BATCH = 32
_KEY = b"trsfnet"


@dataclass(frozen=True)
class Embedded:
    """What is in a file of embeddings.

    Attributes:
        images: how many rows it has.
        failed: images and identities that are not in it by name, and why.
    """

    images: int
    failed: dict[str, str]


def write_embeddings(embedder: Embedder, images: faces.Source, target: Path) -> Embedded:
    """Embed all images of a source and write them to a parquet file, which appears when it is whole.

    It has a row for each image, in the order of the source: `name`, `identity`, `embedding`, float32 of unit
    length, and `stamp` and `content`, by which the next call finds out which images have changed. Images that
    cannot be decoded, or that the source leaves out, are listed in its header. Until the end, parts lie in a
    hidden folder next to the file; the same call resumes from them.

    Called again when images were added, changed or repaired, it embeds these, tries again what failed, and
    keeps the rest.

    Args:
        embedder: see `trsfnet.load`.
        images: face crops; see `input_crops` for what becomes of LFW's and IJB's.
        target: the file.

    Raises:
        ConfigError: the file's suffix is another.
        DataError: the file or its parts are of another network, or of images that the source does not have;
            it cannot be written; or the network gives embeddings that are not finite.
    """
    target = user_path(target)
    check_target(target)
    owner = _owner(embedder)
    if target.exists() and _unchanged(target, owner, images):
        return _finished(target, owner)
    parts = target.with_name(f".{target.name}.parts")
    try:
        with locked_folder(parts):
            _claim(parts / "owner.json", owner, target)
            kept = KeptRows(target, left_out(images)) if target.exists() else None
            files = _complete(embedder, images, parts, kept)
            _join(files, owner | {"images": images.version}, left_out(images), target)
        shutil.rmtree(parts)
    except OSError as error:
        raise DataError(f"Cannot write to {parts}: {error.strerror or error}.") from error
    return _finished(target, owner)


def _unchanged(target: Path, owner: dict[str, str], images: faces.Source) -> bool:
    """Whether a file holds what it would hold if it were written now.

    Raises:
        DataError: it is of another network, or of images that the source does not have.
    """
    done = _finished(target, owner)
    foreign = foreign_name(target, images, left_out(images))
    if foreign is not None:
        raise DataError(
            f"{target} exists and holds embeddings of other images: {foreign} is gone or in "
            "another place. Remove the file, or choose another name."
        )
    if any(images.name(row) in done.failed for row in range(len(images))):
        return False  # tried again
    states = pq.read_table(target, columns=["stamp"])["stamp"].to_pylist()
    return len(states) == len(images) and all(
        stamp and stamp == images.stamp(row) for row, stamp in enumerate(states)
    )


def check_target(target: Path) -> None:
    """Refuse a file that embeddings cannot be written to, before any work.

    Raises:
        ConfigError: its suffix is another.
        DataError: its folder is not there, or its name is not UTF-8.
    """
    if target.suffix != ".parquet":
        raise ConfigError(f"The file of embeddings must end in .parquet, got {target}.")
    if not target.absolute().parent.is_dir():
        raise DataError(f"There is no folder {target.absolute().parent} to write to.")
    check_name(target)


def _owner(embedder: Embedder) -> dict[str, str]:
    """Whose embeddings a file holds: of the same images, two with the same one hold the same."""
    return {
        "network": embedder.description.name,
        "weights": embedder.fingerprint,
        "engine": embedder.engine.name,
        "precision": embedder.engine.precision,
    }


def _claim(note: Path, owner: dict[str, str], target: Path) -> None:
    """Note whose parts these are; refuse those of others."""
    if not note.exists():
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


def _complete(embedder: Embedder, images: faces.Source, folder: Path, kept: KeptRows | None) -> list[Path]:
    """All parts, with the rows that still hold out of `folder` and `kept`, and the others computed."""
    parts = np.split(np.arange(len(images)), range(PART, len(images), PART))
    files = [folder / f"{rows[0]:09d}.parquet" for rows in parts]
    crops = input_crops(images, embedder.size)
    with (
        tqdm(total=len(images), desc="embedding", unit="image", disable=None) as progress,
        ThreadPoolExecutor(os.cpu_count()) as threads,
    ):
        for file, rows in zip(files, parts, strict=True):
            known = kept.take(map(images.name, rows.tolist())) if kept else {}
            known |= rows_of(file)
            done = {name: row for name, row in known.items() if row.get("problem") is None}
            holds = [
                images.name(row) in done and still_holds(_state(done[images.name(row)]), images, row)
                for row in rows.tolist()
            ]
            fresh = dict(_computed(embedder, images, crops, rows[~np.array(holds)].tolist(), threads))
            found = [fresh.get(row) or _row(done[images.name(row)]) for row in rows.tolist()]
            _write(_table(found, embedder.width), file)
            progress.update(len(rows))
    return files


def _computed(
    embedder: Embedder, images: faces.Source, crops: LazyImages, rows: list[int], threads: ThreadPoolExecutor
) -> Iterator[tuple[int, Row]]:
    """The rows of some images by their numbers, computed now."""

    def decoded(row: int) -> tuple[np.ndarray | str, ImageState]:
        state = ImageState("", "")
        try:
            state = state_of(images, row)
            return checked(crops[np.array([row])][0], images.name(row)), state
        except DataError as error:
            return str(error), state

    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        found = list(threads.map(decoded, batch))
        embeddings = iter(embedder.embed([face for face, _ in found if not isinstance(face, str)]))
        for row, (face, state) in zip(batch, found, strict=True):
            problem = face if isinstance(face, str) else None
            embedding = None if problem else next(embeddings)
            identity = images.identities[images.labels[row]]
            yield row, Row(images.name(row), identity, embedding, problem, state)


def _state(row: dict[str, Any]) -> ImageState:
    return ImageState(row["stamp"], row["content"])


def _row(kept: dict[str, Any]) -> Row:
    return Row(kept["name"], kept["identity"], kept["embedding"], None, _state(kept))


def _table(rows: list[Row], width: int) -> pa.Table:
    """A part: name, identity, embedding, the image's state, and what is wrong with it."""
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
    """One file of all parts; what was missed before and what failed in them goes into its header."""
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
    """Write aside, then rename: a file that exists is whole."""
    aside = path.with_name(f".{path.name}.partial")
    pq.write_table(table, aside, compression="zstd")
    os.replace(aside, path)
