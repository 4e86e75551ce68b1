"""Embeddings of any number of images in a parquet file; what is interrupted goes on where it was."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from trsfnet.data import source as faces
from trsfnet.data.exclusive import exclusive
from trsfnet.data.files import check_name
from trsfnet.data.folder import left_out
from trsfnet.data.input_crops import input_crops
from trsfnet.errors import ConfigError, DataError
from trsfnet.experiments.record import write_atomically
from trsfnet.inference.embedder import Embedder, checked
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

    It has a row for each image, in the order of the source: `name`, `identity`, and `embedding`, float32 of
    unit length. Images that cannot be decoded, or that a folder's source leaves out, are listed in its
    header. Until the end, parts lie in a hidden folder beside the file; the same call goes on from them.

    Args:
        embedder: see `trsfnet.load`.
        images: face crops; see `input_crops` for what becomes of LFW's and IJB's.
        target: the file; one that the same call has made is left as it is.

    Raises:
        ConfigError: the file's suffix is another.
        DataError: the file or its parts are of other weights or images, or cannot be written; the network
            gives embeddings that are not finite.
    """
    target = user_path(target)
    check_target(target)
    owner = _owner(embedder, images)
    if not target.exists():
        parts = target.with_name(f".{target.name}.parts")
        try:
            with exclusive(parts):
                _claim(parts / "owner.json", owner, target)
                _join(_complete(embedder, images, parts), owner, left_out(images), target)
            shutil.rmtree(parts)
        except OSError as error:
            raise DataError(f"Cannot write to {parts}: {error.strerror or error}.") from error
    return _finished(target, owner)


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


def _owner(embedder: Embedder, images: faces.Source) -> dict[str, str]:
    """Whose embeddings a file holds: two with the same one hold the same."""
    return {
        "network": embedder.description.name,
        "weights": embedder.fingerprint,
        "engine": embedder.engine.name,
        "precision": embedder.engine.precision,
        "images": images.version,
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
            f"{what} embeddings by other {' and '.join(differing)}: remove it, or name another file than "
            f"{target.name}."
        )


def _complete(embedder: Embedder, images: faces.Source, folder: Path) -> list[Path]:
    """All parts, those computed that were not there yet."""
    parts = np.split(np.arange(len(images)), range(PART, len(images), PART))
    files = [folder / f"{rows[0]:09d}.parquet" for rows in parts]
    there = [len(rows) for file, rows in zip(files, parts, strict=True) if file.exists()]
    with tqdm(
        total=len(images), initial=sum(there), desc="embedding", unit="image", disable=None
    ) as progress:
        for file, rows in zip(files, parts, strict=True):
            if not file.exists():
                _write(pa.concat_tables(_embedded(embedder, images, rows, progress)), file)
    return files


def _embedded(
    embedder: Embedder, images: faces.Source, rows: np.ndarray, progress: tqdm
) -> Iterator[pa.Table]:
    """A table of each batch: name, identity, embedding, and what is wrong with the image."""
    crops = input_crops(images, embedder.size)

    def decoded(row: int) -> np.ndarray | str:
        try:
            return checked(crops[np.array([row])][0], images.name(row))
        except DataError as error:
            return str(error)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH].tolist()
            found = list(threads.map(decoded, batch))
            problems = [face if isinstance(face, str) else None for face in found]
            embeddings = iter(embedder.embed([face for face in found if not isinstance(face, str)]))
            yield pa.table(
                {
                    "name": [images.name(row) for row in batch],
                    "identity": [images.identities[images.labels[row]] for row in batch],
                    "embedding": pa.array(
                        [None if problem else next(embeddings) for problem in problems],
                        pa.list_(pa.float32(), embedder.width),
                    ),
                    "problem": pa.array(problems, pa.string()),
                }
            )
            progress.update(len(batch))


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
        raise DataError(f"{target} exists and is no parquet file: name another.") from error
    _same_owner(note, owner, f"{target} exists and holds", target)
    return Embedded(file.num_rows, note["failed"])


def _write(table: pa.Table, path: Path) -> None:
    """Write aside, then rename: a file that exists is whole."""
    aside = path.with_name(f".{path.name}.partial")
    pq.write_table(table, aside, compression="zstd")
    os.replace(aside, path)
