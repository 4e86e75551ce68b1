"""Network outputs for many images, in memory or in a file that survives the process."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from trsfnet.data.files import write_atomically
from trsfnet.data.ijb import IjbImages
from trsfnet.data.input_crops import input_crops
from trsfnet.data.locking import locked_folder
from trsfnet.data.source import Source
from trsfnet.errors import DataError
from trsfnet.inference.embedder import Embedder

# Number of images between two progress notes: at most this many are lost if the process is killed.
_CHUNK = 512


def features(network: Embedder, source: Source, rows: np.ndarray, *, mirror: bool) -> np.ndarray:
    """Compute the network's outputs for some images of `source`.

    Args:
        network: the network; crops are resized to its input size and preprocessed as it states.
        source: the images.
        rows: int [R], indices of the images.
        mirror: also compute the outputs for the mirror images.

    Returns:
        float32 [1 or 2, R, D]: outputs for the images, then for their mirror images; not normalised.

    Raises:
        DataError: if an image is missing or cannot be decoded, or an output is not finite.
    """
    with _progress(len(rows)) as bar:
        parts = []
        for part in _outputs(network, source, rows, mirror):
            parts.append(part)
            bar.update(part.shape[1])
    return np.concatenate(parts, axis=1)


def kept_features(network: Embedder, source: IjbImages, path: Path) -> np.ndarray:
    """Compute `features` of all images and their mirror images, keeping or completing them in a file.

    Images whose files were replaced since by others of the same size in bytes are computed again. Files of
    other sizes are other images.

    Args:
        network: see `features`.
        source: see `features`.
        path: a `.npy` file. A file with `.json` appended to its name records the network and images that it
            belongs to, and a `.times` file (in the format of `.npy`) when each image was last modified.

    Returns:
        float32 [2, N, D], memory-mapped, read-only.

    Raises:
        DataError: as in `features`; or if the file holds other features, is damaged, or cannot be written.
    """
    if path.suffix != ".npy":
        raise DataError(f"The file of features must end in .npy, got {path}.")
    shape = (2, len(source), network.width)
    owner: dict[str, object] = {
        "network": network.fingerprint,
        "images": source.version,
        "engine": network.engine.name,
        "precision": network.engine.precision,
    }
    times = _modification_times(source)
    if _done(path, owner) < len(source) or not _are_kept(times, path):
        with locked_folder(path.parent):
            _complete(network, source, path, shape, owner, times)
    return _mapped(path, shape, "r")


def _complete(
    network: Embedder,
    source: IjbImages,
    path: Path,
    shape: tuple[int, ...],
    owner: dict[str, object],
    times: np.ndarray,
) -> None:
    """Compute the features that the file does not hold yet, and those of images that have changed."""
    done = _done(path, owner)
    if not done:
        write_atomically(_note(path), json.dumps(owner | {"done": 0}))
        _create(path, shape, np.float32)
        _create(_times_file(path), times.shape, np.int64)
    elif not _times_file(path).exists():  # features of an earlier version
        _create(_times_file(path), times.shape, np.int64)
        _mapped(_times_file(path), times.shape, "r+", np.int64)[:] = times
    kept = _mapped(path, shape, "r+")
    kept_times = _mapped(_times_file(path), times.shape, "r+", np.int64)
    rows = np.append(np.flatnonzero(kept_times[:done] != times[:done]), np.arange(done, len(source)))
    with _progress(len(source), len(source) - len(rows)) as bar:
        for part in _outputs(network, source, rows, mirror=True):
            computed, rows = np.split(rows, [part.shape[1]])
            kept[:, computed] = part
            kept.flush()
            kept_times[computed] = times[computed]
            kept_times.flush()
            done = max(done, int(computed[-1]) + 1)
            write_atomically(_note(path), json.dumps(owner | {"done": done}))
            bar.update(len(computed))


def _times_file(path: Path) -> Path:
    return path.with_suffix(".times")


def _are_kept(times: np.ndarray, path: Path) -> bool:
    """Return whether no image has changed since its features were computed."""
    file = _times_file(path)
    return file.exists() and np.array_equal(_mapped(file, times.shape, "r", np.int64), times)


def _modification_times(source: IjbImages) -> np.ndarray:
    """Return when each image's file was last modified, in ns: int64 [N]; 0 where that is unknown."""
    times = np.zeros(len(source), np.int64)
    for index in range(len(source)):
        with contextlib.suppress(OSError):  # reported when the image is read
            times[index] = source.file(index).stat().st_mtime_ns
    return times


def _outputs(network: Embedder, source: Source, rows: np.ndarray, mirror: bool) -> Iterator[np.ndarray]:
    """Yield the outputs [1 or 2, B, D] of each chunk of `rows`."""
    images = input_crops(source, network.size)
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        pixels = images[chunk]
        # Pixels are preprocessed as in the network's training, regardless of the convention used for
        # comparison.
        views = (pixels, pixels[:, :, ::-1]) if mirror else (pixels,)
        part = np.stack([network.outputs(view) for view in views])
        finite = np.isfinite(part).all(axis=(0, 2))
        if not finite.all():
            name = source.name(int(chunk[np.argmin(finite)]))
            raise DataError(f"The network's output for {name} is not finite: its training has diverged.")
        yield part


def _progress(total: int, done: int = 0) -> tqdm:
    return tqdm(total=total, initial=done, desc="computing features", unit="image", disable=None)


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _noted(path: Path) -> dict[str, Any] | None:
    """Return what the note of a file of features says; None if there is no note.

    Raises:
        DataError: if it is damaged, or no note.
    """
    note = _note(path)
    try:
        noted = json.loads(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _noted_before(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{note} is damaged: remove it and {path.name}.") from error
    if not _is_note(noted):
        raise DataError(f"{note} is not the note of {path.name}: choose another name for the features.")
    return noted


def _noted_before(path: Path) -> dict[str, Any] | None:
    """Return what a note under its earlier name says, such as ijbb.json, which may be another file's name."""
    if not path.exists():
        return None
    with contextlib.suppress(OSError, ValueError):
        noted = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return noted if _is_note(noted) else None
    return None


def _is_note(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("done"), int)


def _done(path: Path, owner: dict[str, object]) -> int:
    """Return the number of images whose features are in the file.

    Raises:
        DataError: if the file belongs to another network or other images.
    """
    noted = _noted(path)
    if noted is None:
        if path.exists():
            raise DataError(
                f"{path} exists, but {_note(path).name}, which states what its features belong to, does not."
            )
        return 0
    done: int = noted.pop("done")
    if noted != owner:
        differing = [name for name, value in owner.items() if noted.get(name) != value]
        raise DataError(f"{path} holds features of other {' and '.join(differing)}: choose another file.")
    return done


def _create(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    """Reserve the file's space on disk: a full disk would kill a process writing to the mapped file."""
    try:
        path.unlink(missing_ok=True)
        array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, array.offset + array.nbytes)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise DataError(f"Cannot write to {path}: {error.strerror}.") from error


def _mapped(
    path: Path, shape: tuple[int, ...], mode: Literal["r", "r+"], dtype: type[np.generic] = np.float32
) -> np.memmap:
    try:
        array: np.memmap = np.load(path, mmap_mode=mode, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is damaged: remove it and {_note(path).name}.") from error
    if array.shape != shape or array.dtype != dtype:
        raise DataError(f"{path} is damaged: remove it and {_note(path).name}.")
    return array
