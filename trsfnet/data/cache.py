"""Decoded or rendered crops kept on disk, so that only the first run pays for making them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trsfnet.data.faces import FaceSet


def cache_root() -> Path:
    """`TRSFNET_CACHE`, or `trsfnet` in the user's cache folder."""
    given = os.environ.get("TRSFNET_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trsfnet"


def cached_faces(key: dict[str, object], build: Callable[[], FaceSet]) -> FaceSet:
    """The `FaceSet` that `build` makes, from disk if it was made before with the same `key`.

    Args:
        key: everything that determines the crops, of JSON types; `name` opens the folder's name.
        build: makes the faces; called at most once.

    Returns:
        The faces, their pixels memory-mapped read-only.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    folder = cache_root() / f"{key['name']}-{digest}"
    if not (folder / "faces.json").is_file():
        _store(folder, key, build())
    meta = json.loads((folder / "faces.json").read_text(encoding="utf-8"))
    return FaceSet(
        images=np.load(folder / "images.npy", mmap_mode="r"),
        labels=np.load(folder / "labels.npy"),
        identities=tuple(meta["identities"]),
    )


def _store(folder: Path, key: dict[str, object], faces: FaceSet) -> None:
    """Write aside, then rename: a folder that exists is complete, whoever else writes it meanwhile."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        np.save(aside / "images.npy", faces.images)
        np.save(aside / "labels.npy", faces.labels)
        meta = {"key": key, "identities": faces.identities}
        (aside / "faces.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
        try:
            aside.rename(folder)
        except OSError:
            if not (folder / "faces.json").is_file():
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
