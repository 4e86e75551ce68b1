"""Disk cache of decoded or rendered crops, so that only the first run has to produce them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trsfnet.data.faces import FaceSet
from trsfnet.data.files import new_folder, reason
from trsfnet.errors import DataError, brief
from trsfnet.paths import home_path, variable_path


def cache_root() -> Path:
    """Return the cache folder: `TRSFNET_CACHE`, or `trsfnet` in the user's cache folder.

    Raises:
        ConfigError: if no home directory is known.
    """
    given = variable_path("TRSFNET_CACHE")
    if given:
        return given
    usual = variable_path("XDG_CACHE_HOME") or home_path(".cache", "the cache", "TRSFNET_CACHE")
    return usual / "trsfnet"


def cached_faces(key: dict[str, object], build: Callable[[], FaceSet]) -> FaceSet:
    """Return the `FaceSet` that `build` makes, from disk if it was made before with the same `key`.

    Args:
        key: everything that determines the crops, as JSON-compatible values; `name` is used as the prefix of
            the folder's name.
        build: makes the faces; called at most once.

    Returns:
        The faces, with pixels memory-mapped read-only.

    Raises:
        DataError: if the cache cannot be read or written, or is damaged.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    folder = cache_root() / f"{key['name']}-{digest}"
    try:
        # In this order: another process may rename its complete folder to this one at any time.
        begun = folder.is_dir() and any(folder.iterdir())
        if not (folder / "faces.json").is_file():
            if begun:
                raise _damaged(folder, "it lacks faces.json")
            _store(folder, key, build)
        return _load(folder)
    except OSError as error:
        raise DataError(
            f"The cache of crops {folder} cannot be used: {reason(error)}. Set TRSFNET_CACHE to a "
            "folder that can be written to and has room."
        ) from error


def _load(folder: Path) -> FaceSet:
    try:
        meta = json.loads((folder / "faces.json").read_text(encoding="utf-8"))
        return FaceSet(
            images=np.load(folder / "images.npy", mmap_mode="r"),
            labels=np.load(folder / "labels.npy"),
            identities=tuple(meta["identities"]),
        )
    except FileNotFoundError as error:
        raise _damaged(folder, f"it lacks {Path(error.filename).name}") from error
    except (ValueError, EOFError, TypeError, KeyError) as error:
        raise _damaged(folder, brief(error)) from error


def _damaged(folder: Path, why: str) -> DataError:
    """Return the error for a damaged cache, which is not removed: another process may be training on it."""
    return DataError(f"The cache of crops {folder} is damaged ({why}): remove it, and it will be made again.")


def _store(folder: Path, key: dict[str, object], build: Callable[[], FaceSet]) -> None:
    """Write to a temporary folder and rename it: an existing folder is complete even with several writers."""
    # Create the folder before building anything, so that an unwritable cache is reported at once.
    with new_folder(folder.parent, f".{folder.name}-") as aside:
        faces = build()
        np.save(aside / "images.npy", np.asarray(faces.images))
        np.save(aside / "labels.npy", faces.labels)
        meta = {"key": key, "identities": faces.identities}
        (aside / "faces.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
        try:
            aside.rename(folder)
        except OSError:
            if not (folder / "faces.json").is_file():
                raise
