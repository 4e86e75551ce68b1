"""Tensors from a file of weights, without running anything that is in it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trsfnet.errors import DataError

UNDERSTOOD = ".safetensors, .pt or .pth (PyTorch), or .npz (a TensorFlow checkpoint's variables)"
# Where training scripts put the weights among other things.
_NESTED = ("state_dict", "model")


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors in a file by name, and the text of its header, if it has one.

    Raises:
        DataError: the file is missing, damaged or of another kind, or it is a pickle of more than tensors.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix == ".npz":
        return _read_npz(path), {}
    if path.suffix in (".pt", ".pth", ".bin", ".ckpt"):
        return _read_torch(path), {}
    raise DataError(f"{path} is not a file of weights: expected {UNDERSTOOD}.")


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} is damaged: {str(error).rstrip('.')}.") from error


def _read_npz(path: Path) -> dict[str, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            numbers = {name: arrays[name] for name in arrays.files}
    # numpy and zipfile raise many types on damaged bytes.
    except Exception as error:
        raise DataError(f"{path} is damaged: {str(error).rstrip('.')}.") from error
    return {name: torch.from_numpy(a) for name, a in numbers.items() if a.dtype.kind == "f" and a.ndim}


def _read_torch(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{path} holds more than tensors, which could run code when it is read, and was not read: save "
            "the state dict alone, or as .safetensors."
        ) from error
    # torch.load raises almost anything on damaged bytes.
    except Exception as error:
        raise DataError(f"{path} is damaged, or not a file of PyTorch.") from error
    return tensors_in(content, str(path))


def tensors_in(content: Any, source: str) -> dict[str, Tensor]:
    """The state dict that `content` is, or that it holds under a usual name.

    Raises:
        DataError: there is none.
    """
    for name in _NESTED:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise DataError(f"{source} does not hold a state dict: expected tensors by name.")
    return dict(content)
