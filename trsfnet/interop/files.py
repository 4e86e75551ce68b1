"""Read tensors from a weights file without executing any code in it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from trsfnet.errors import DataError, brief
from trsfnet.models.weights import origin_of

UNDERSTOOD = ".safetensors, .pt, .pth or .pth.tar (PyTorch), or .npz (a TensorFlow checkpoint's variables)"
_TORCH = (".pt", ".pth", ".bin", ".ckpt", ".tar")
# Keys under which training scripts store the weights, most likely first.
_CONTAINERS = (
    *("state_dict", "model_state_dict", "model", "net", "network", "backbone", "weights"),
    *("state_dict_ema", "model_ema", "ema"),
)
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


def _read_npz(path: Path) -> dict[str, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            numbers = {name: arrays[name] for name in arrays.files}
    # numpy and zipfile raise many types of exceptions on damaged bytes.
    except Exception as error:
        raise DataError(f"{path} is damaged: {brief(error)}.") from error
    return {name: torch.from_numpy(a) for name, a in numbers.items() if a.dtype.kind == "f" and a.ndim}


def _read_torch(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{path} contains more than tensors and could run code, so it was not read: save only the state "
            "dict, or save it as .safetensors."
        ) from error
    # torch.load raises almost any exception on damaged bytes.
    except Exception as error:
        raise DataError(f"{path} is damaged or not a PyTorch file.") from error


def tensors_in(content: Any, source: str) -> Tensors:
    """Return the state dict that `content` is, or that it contains under a usual name.

    Prefixes added by wrappers are removed from the names. If the network is only a part of what was saved,
    such as a backbone stored with a classifier, the rest is left out.

    Raises:
        DataError: if there is no state dict.
    """
    opened = []
    while (name := _container(content)) is not None:
        content = content[name]
        opened.append(name)
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise DataError(f"{source} does not hold a state dict: expected tensors by name.")
    notes = (f"{source}: used the weights under {' / '.join(map(repr, opened))}.",) if opened else ()
    return _unwrapped(dict(content), source, notes)


def _container(content: Any) -> str | None:
    """Return the usual name under which `content` contains the weights; None if there is none."""
    if not isinstance(content, Mapping):
        return None
    return next((name for name in _CONTAINERS if isinstance(content.get(name), Mapping)), None)


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
