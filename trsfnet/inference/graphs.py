"""Graphs for onnxruntime, kept next to the models that they are made of.

To make a graph takes seconds, to read it a fraction of one. A graph is kept under the hash of all that
determines it, and is read only if this user's cache notes that this user made exactly that file: whoever
passes a model on could pass another graph on with it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from trsfnet.data.cache import cache_root
from trsfnet.interop.embedding_network import folded
from trsfnet.interop.onnx_graph import build_graph
from trsfnet.interop.weights import Weights

# Part of a graph's name: raise it with whatever changes in how graphs are made.
_VERSION = 1


def graph_of(weights: Weights) -> bytes:
    """The graph from pixels to embeddings that are not normalised: from its cache, or made and kept there.

    Raises:
        ConfigError: the package onnx is missing.
        DataError: the weights are no whole network.
    """
    name = f"{weights.fingerprint}-{_VERSION}"
    folders = [folder for folder in (weights.folder, _own_folder()) if folder is not None]
    for folder in folders:
        kept = _trusted(folder / _file(name), name)
        if kept is not None:
            return kept
    graph = build_graph(folded(weights), weights.description.preprocessing, unit=False).SerializeToString()
    for folder in folders if weights.folder else ():  # what is from memory is not kept
        if _keep(folder / _file(name), graph, name):
            if weights.record is not None:
                _remove_others(folder, _file(name))
            break
    return graph


def _remove_others(folder: Path, kept: str) -> None:
    """Remove the graphs of what a run's network was before, since it was trained on."""
    for file in folder.glob(_file("*")):
        if file.name != kept:
            with suppress(OSError):
                file.unlink()


def _file(name: str) -> str:
    return f".trsfnet-{name}.onnx"


def _own_folder() -> Path:
    return cache_root() / "graphs"


def _note(name: str) -> Path:
    """Where it is noted which graph this user made."""
    return _own_folder() / f"{name}.sha256"


def _trusted(file: Path, name: str) -> bytes | None:
    """The content of `file`, if this user made it."""
    try:
        if not _private(_note(name)):
            return None
        content = file.read_bytes()
        noted = _note(name).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return content if hashlib.sha256(content).hexdigest() == noted else None


def _private(file: Path) -> bool:
    """Whether nobody but this user can have written `file`."""
    found = file.lstat()
    mine = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return stat.S_ISREG(found.st_mode) and mine and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _keep(file: Path, graph: bytes, name: str) -> bool:
    """Write the graph, and note that it is this user's; False where that is not possible."""
    try:
        _write(_note(name), hashlib.sha256(graph).hexdigest().encode())
        _write(file, graph)
    except OSError:
        return False
    return True


def _write(file: Path, content: bytes) -> None:
    """Write aside, then rename: a file that exists is whole. Others may read it, and not write to it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{secrets.token_hex(4)}.partial")
    try:
        aside.write_bytes(content)
        aside.chmod(aside.stat().st_mode & ~(stat.S_IWGRP | stat.S_IWOTH))
        os.replace(aside, file)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
