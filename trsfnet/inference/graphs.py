"""ONNX graphs for onnxruntime, cached next to the models that they are built from.

Building a graph takes seconds, reading it a fraction of a second. A graph is cached under the hash of
everything that determines it, and is read only if a note in this user's cache confirms that this user built
exactly that file: anyone who passes a model on could include a different graph.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from trsfnet.data.cache import cache_root
from trsfnet.data.files import replacing
from trsfnet.interop.embedding_network import folded
from trsfnet.interop.onnx_graph import build_graph
from trsfnet.interop.weights import Weights

Loaded = TypeVar("Loaded")

# Part of a graph's file name; increase it whenever the way graphs are built changes.
_VERSION = 2


def loaded_graph(weights: Weights, load: Callable[[bytes], Loaded]) -> Loaded:
    """Load the graph from pixels to unnormalised embeddings, from the cache or newly built and then cached.

    Args:
        weights: weights of a network with a bottleneck.
        load: loads a graph, or raises an error. Only a graph that was loaded is cached.

    Raises:
        ConfigError: if the onnx package is missing.
        DataError: if the weights are not those of a complete network.
    """
    name = f"{weights.fingerprint}-{_VERSION}"
    folders = [folder for folder in (weights.folder, _own_folder()) if folder is not None]
    for folder in folders:
        kept = _trusted(folder / _file(name), name)
        if kept is not None:
            return load(kept)
    graph = build_graph(folded(weights), weights.description.preprocessing, unit=False).SerializeToString()
    loaded = load(graph)
    for folder in folders if weights.folder else ():  # graphs of in-memory weights are not cached
        if _keep(folder / _file(name), graph, name):
            if weights.record is not None and folder == weights.folder:  # others share the cache
                _remove_others(folder, _file(name))
            break
    return loaded


def _remove_others(folder: Path, kept: str) -> None:
    """Remove the graphs of a run's earlier weights, from before further training."""
    for file in folder.glob(_file("*")):
        if file.name != kept:
            with suppress(OSError):
                file.unlink()


def _file(name: str) -> str:
    return f".trsfnet-{name}.onnx"


def _own_folder() -> Path:
    return cache_root() / "graphs"


def _note(name: str) -> Path:
    """Return the path of the note that records the graph built by this user."""
    return _own_folder() / f"{name}.sha256"


def _trusted(file: Path, name: str) -> bytes | None:
    """Return the content of `file` if this user created it, else None."""
    try:
        if not _private(_note(name)):
            return None
        content = file.read_bytes()
        noted = _note(name).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return content if hashlib.sha256(content).hexdigest() == noted else None


def _private(file: Path) -> bool:
    """Return whether only this user can have written `file`."""
    found = file.lstat()
    mine = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return stat.S_ISREG(found.st_mode) and mine and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _keep(file: Path, graph: bytes, name: str) -> bool:
    """Write the graph and the note that this user built it; return False if that is not possible."""
    try:
        _write(_note(name), hashlib.sha256(graph).hexdigest().encode())
        _write(file, graph)
    except OSError:
        return False
    return True


def _write(file: Path, content: bytes) -> None:
    """Write to a temporary file, then rename it; others can read the result but not write to it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as aside:
        aside.write_bytes(content)
        aside.chmod(aside.stat().st_mode & ~(stat.S_IWGRP | stat.S_IWOTH))
