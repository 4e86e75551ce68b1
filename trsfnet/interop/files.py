"""Read tensors from a weights file without executing any code in it."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from trsfnet.errors import DataError, brief, cut
from trsfnet.models.weights import origin_of

UNDERSTOOD = ".safetensors, .pt, .pth or .pth.tar (PyTorch), or .npz (a TensorFlow checkpoint's variables)"
_TORCH = (".pt", ".pth", ".bin", ".ckpt", ".tar")
# Keys under which training scripts store the weights, most likely first.
_CONTAINERS = (
    *("state_dict", "model_state_dict", "model", "net", "network", "backbone", "weights"),
    *("state_dict_ema", "model_ema", "ema"),
)
_MOST_CONTAINERS = 8
# Prefixes that wrappers add to tensor names: DataParallel, torch.compile, and modules that contain the
# network.
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "encoder.")


@dataclass(frozen=True)
class Tensors:
    """Contents of a weights file.

    Attributes:
        by_name: the tensors by name.
        header: text of the file's header; empty if it has none.
        notes: sentences on what was unwrapped, stripped or left out to obtain the tensors.
    """

    by_name: dict[str, Tensor]
    header: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_tensors(path: Path) -> Tensors:
    """Read the tensors in a file.

    Raises:
        DataError: if the file is missing, damaged or of another kind, or is a pickle of more than tensors.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix == ".npz":
        return Tensors(_read_npz(path))
    if path.suffix in _TORCH:
        return tensors_in(_read_torch(path), str(path))
    raise DataError(f"{path} is not a file of weights: expected {UNDERSTOOD}.")


def _read_safetensors(path: Path) -> Tensors:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            header = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} is damaged: {brief(error)}.") from error
    if "trsfnet" in header:
        return Tensors(tensors, header)
    return _unwrapped(tensors, str(path), ())


def is_npz_of_weights(path: Path) -> bool:
    """Return whether the names of the arrays in an `.npz` file are those of a supported network."""
    try:
        with zipfile.ZipFile(path) as archive:
            return origin_of(archive.namelist()) is not None
    except Exception:  # no zip file, or one damaged in any of many ways
        return False


def _read_npz(path: Path) -> dict[str, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            numbers = {name: arrays[name] for name in arrays.files}
    # numpy and zipfile raise many types of exceptions on damaged bytes.
    except Exception as error:
        raise DataError(f"{path} is damaged or contains Python objects.") from error
    return {
        name: torch.from_numpy(np.asarray(a, _native(a.dtype)))
        for name, a in numbers.items()
        if a.dtype.kind == "f" and a.ndim
    }


def _native(kind: np.dtype) -> np.dtype:
    """Return the type of floating-point numbers of PyTorch that holds those of an array."""
    return kind.newbyteorder("=") if kind.itemsize <= 8 else np.dtype(np.float64)


def _read_torch(path: Path) -> Any:
    if _is_torchscript(path):
        raise DataError(f"{path} is a TorchScript program: expected the state dict of the network.")
    try:
        with warnings.catch_warnings():
            # Either the file is read, or our own sentence says why not.
            warnings.filterwarnings("ignore", "Detected pickle protocol")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{path} contains more than tensors and could run code, so it was not read: save only the state "
            "dict, or save it as .safetensors."
        ) from error
    # torch.load raises almost any exception on damaged bytes.
    except Exception as error:
        raise DataError(f"{path} is damaged or not a PyTorch file.") from error


def _is_torchscript(path: Path) -> bool:
    """Return whether a file is one of `torch.jit.save`, which `torch.load` would only warn about."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except Exception:  # no zip file, or one damaged in any of many ways
        return False


def tensors_in(content: Any, source: str) -> Tensors:
    """Return the state dict that `content` is, or that it contains, also within several containers.

    Among several state dicts, those of supported networks come first, then those under usual names. Prefixes
    added by wrappers are removed from the names of the tensors. If the network is only a part of what was
    saved, such as a backbone stored with a classifier, the rest is left out.

    Raises:
        DataError: if there is no state dict, or it is unclear which of several to use.
    """
    found = list(_state_dicts(content))
    found = [place for place in found if _holds_network(place[1])] or found
    if not found:
        raise DataError(f"{source} does not hold a state dict: expected tensors by name.")
    found.sort(key=lambda place: _rank(place[0]))
    (keys, tensors), *others = found
    if others and _rank(others[0][0]) == _rank(keys):
        raise DataError(
            f"{source} holds several state dicts, such as those under {_path(keys)} and "
            f"{_path(others[0][0])}: save only one of them."
        )
    notes = (f"{source}: used the weights under {_path(keys)}.",) if keys else ()
    return _unwrapped(tensors, source, notes)


def _state_dicts(content: Any) -> Iterator[tuple[tuple[str, ...], dict[str, Tensor]]]:
    """Yield the state dicts in `content`, each with the names of its containers, from the outside inwards."""
    waiting: deque[tuple[tuple[str, ...], Any]] = deque([((), content)])
    seen = set()  # a file may refer to one container many times, or to itself
    while waiting:
        keys, value = waiting.popleft()
        if not isinstance(value, Mapping) or id(value) in seen:
            continue
        seen.add(id(value))
        if value and all(isinstance(n, str) and isinstance(t, Tensor) for n, t in value.items()):
            yield keys, dict(value)
        elif len(keys) < _MOST_CONTAINERS:
            waiting.extend(((*keys, str(name)), inner) for name, inner in value.items())


def _holds_network(tensors: dict[str, Tensor]) -> bool:
    return origin_of(_unwrapped(tensors, "", ()).by_name) is not None


def _rank(keys: tuple[str, ...]) -> list[int]:
    """Rank the place of a state dict: usual names come first, in the order of `_CONTAINERS`."""
    return [_CONTAINERS.index(key) if key in _CONTAINERS else len(_CONTAINERS) for key in keys]


def _path(keys: tuple[str, ...]) -> str:
    return cut(" / ".join(map(repr, keys)))


def _unwrapped(tensors: dict[str, Tensor], source: str, notes: tuple[str, ...]) -> Tensors:
    """Remove the prefixes of wrappers from the names of `tensors`."""
    stripped = ""
    left: list[str] = []
    while origin_of(tensors) is None:
        prefix = next((p for p in _PREFIXES if any(name.startswith(p) for name in tensors)), None)
        if prefix is None:
            break
        stripped += prefix
        left += [name for name in tensors if not name.startswith(prefix)]
        tensors = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    if stripped:
        others = f", and left out {_named(left)}" if left else ""
        notes = (*notes, f"{source}: removed the prefix {stripped!r} from the names{others}.")
    return Tensors(tensors, notes=notes)


def _named(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{len(names)} other tensors, such as {names[0]}"
