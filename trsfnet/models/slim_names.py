"""Maps the variables of a facenet checkpoint (TensorFlow, TF-slim's names) to our names.

TensorFlow is needed only once, to write the checkpoint's variables to a file that NumPy can read:

    import numpy, tensorflow
    checkpoint = tensorflow.train.load_checkpoint("20180402-114759/model-20180402-114759.ckpt-275")
    names = checkpoint.get_variable_to_shape_map()
    numpy.savez("facenet.npz", **{name: checkpoint.get_tensor(name) for name in names})
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

import torch
from torch import Tensor

from trsfnet.errors import DataError, cut

_SCOPE = re.compile(r"InceptionResnetV[12]/")
_STAGES = {"Repeat": "block35", "Repeat_1": "block17", "Repeat_2": "block8", "Block8": "block8_last"}
_KINDS = {
    "weights": "conv.weight",
    "biases": "conv.bias",
    "BatchNorm/gamma": "bn.weight",
    "BatchNorm/beta": "bn.bias",
    "BatchNorm/moving_mean": "bn.running_mean",
    "BatchNorm/moving_variance": "bn.running_var",
}
_VARIABLE = re.compile(rf"{_SCOPE.pattern}(.+)/({'|'.join(_KINDS)})")
_CLASSIFIERS = ("Logits", "AuxLogits")


def is_slim(name: str) -> bool:
    """Return whether `name` starts like a variable of TF-slim's Inception-ResNet."""
    return _SCOPE.match(name) is not None


def rename_slim(variables: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert a checkpoint's variables to the network's state dict.

    Classifiers, moving averages and optimiser slots are left out.

    Args:
        variables: by name, convolution kernels as [height, width, in, out], the bottleneck as [in, out].

    Returns:
        A state dict under our names, with convolution kernels as [out, in, height, width]. Gammas, which
        facenet does not have, are ones.

    Raises:
        DataError: if a scope that should have a number has none.
    """
    found: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for name, value in variables.items():
        match = _VARIABLE.fullmatch(name)
        if match and match[1].partition("/")[0] not in _CLASSIFIERS:
            found[match[1]][match[2]] = value
    places = _places(list(found))
    state: dict[str, Tensor] = {}
    for scope, values in found.items():
        for kind, value in values.items():
            name = f"{places[scope]}.{_KINDS[kind]}"
            if scope == "Bottleneck":
                name = name.replace(".conv.", "_linear.").replace(".bn.", "_bn.")
            state[name] = _as_torch(value) if kind == "weights" else value
            if kind == "BatchNorm/beta":
                state.setdefault(name.replace("bias", "weight"), torch.ones_like(value))
    return state


def _as_torch(weights: Tensor) -> Tensor:
    order = (3, 2, 0, 1) if weights.ndim == 4 else tuple(reversed(range(weights.ndim)))
    return weights.permute(order).contiguous()


def _places(scopes: list[str]) -> dict[str, str]:
    """Our name for each layer. Layers of one branch are numbered in slim's order, which is alphabetical."""
    layers: dict[str, list[str]] = defaultdict(list)
    for scope in sorted(scopes):
        branch, _, layer = scope.rpartition("/")
        layers[branch].append(layer)
    places = {}
    for scope in scopes:
        branch, _, layer = scope.rpartition("/")
        if "Branch_" not in branch:
            places[scope] = f"{_module(branch)}.up" if branch else _top(layer)
            continue
        position = layers[branch].index(layer)
        pooled = branch == "Mixed_5b/Branch_3"  # the pool comes first and has no variables
        alone = len(layers[branch]) == 1 and not pooled
        module, _, number = _module(branch).rpartition(".branch")
        places[scope] = f"{module}.branch{number}" + ("" if alone else f".{position + pooled}")
    return places


def _top(layer: str) -> str:
    """`Conv2d_1a_3x3` -> `conv2d_1a`, `Bottleneck` -> `last`."""
    return "last" if layer == "Bottleneck" else "_".join(layer.lower().split("_")[:2])


def _module(scope: str) -> str:
    """`Repeat_1/block17_3/Branch_1` -> `block17.2.branch1`."""
    stage, *rest = scope.split("/")
    parts = [_STAGES.get(stage, stage.lower())]
    for part in rest:
        kind, _, number = part.rpartition("_")
        if not number.isdecimal():
            raise DataError(
                f"facenet's variables have no scope {cut(scope)}: {cut(part)} must end in a number."
            )
        parts.append(f"branch{number}" if kind == "Branch" else str(int(number) - 1))
    return ".".join(parts)
