"""Converts weights of any supported origin to our names, and derives the settings of the matching network.

Our names are facenet's own layer names. facenet-pytorch and timm number the repeated stages and call the
projection of a residual branch `conv2d`; `slim_names` maps TensorFlow checkpoints.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from trsfnet.errors import DataError, choice
from trsfnet.models.inception_resnet import ARCHITECTURES, EMBEDDING_SIZE, InceptionResnet
from trsfnet.models.slim_names import is_slim, rename_slim

_STAGES = {
    "facenet-pytorch": {"repeat_1": "block35", "repeat_2": "block17", "repeat_3": "block8"},
    "timm": {"repeat": "block35", "repeat_1": "block17", "repeat_2": "block8"},
}
# Slopes as `make_trainable` names them: facenet-pytorch's activations are `relu`, timm's belong to the norms.
_SLOPE_NAMES = re.compile(r"(^|\.)(?:relu|bn\.act)\.weight$")
# The classifiers belong to heads, not to the network.
_CLASSIFIERS = ("logits.", "classif.")
_BOTTLENECK = ("last_linear.", "last_bn.")
# The image size used to train timm's weights and slim's ImageNet weights; face networks use facenet's 160.
_IMAGENET_SIZE, _FACE_SIZE = 299, 160
# Maximum number of faulty tensor names that an error shows.
_SHOWN = 6


def origin_of(names: Iterable[str]) -> str | None:
    """The project that uses these names: `trsfnet`, `facenet-pytorch`, `timm`, `facenet` or None."""
    stages = {name.partition(".")[0] for name in names}
    if any(map(is_slim, stages)):
        return "facenet"
    for origin, mark in (("facenet-pytorch", "repeat_3"), ("timm", "repeat"), ("trsfnet", "block35")):
        if mark in stages:
            return origin
    return None


def rename(source: Mapping[str, Tensor], origin: str) -> dict[str, Tensor]:
    """Convert a state dict to our names, without the classifier.

    Args:
        source: state dict of `facenet_pytorch.InceptionResnetV1` or of timm's `inception_resnet_v2`,
            unchanged or after `make_trainable`; or the variables of a facenet checkpoint by name.
        origin: the result of `origin_of`.

    Returns:
        A state dict for the `InceptionResnet` that `settings_of` describes. timm's has no bottleneck.
    """
    if origin == "facenet":
        return rename_slim(source)
    return {
        our_name(name, origin): value for name, value in source.items() if not name.startswith(_CLASSIFIERS)
    }


def our_name(name: str, origin: str) -> str:
    """Our name for a tensor of a port, such as `block35.0.up.conv.weight` for `repeat_1.0.conv2d.weight`."""
    stages = _STAGES.get(origin)
    if stages is None:
        return name
    stage, dot, rest = name.partition(".")
    stage = "block8_last" if stage == "block8" else stages.get(stage, stage)
    if stage.startswith("block"):
        rest = re.sub(r"(^|\.)conv2d\.", r"\1up.conv.", rest)
        rest = re.sub(r"(^|\.)scale$", r"\1up.scale", rest)
    rest = _SLOPE_NAMES.sub(r"\1act.weight", rest)
    return f"{stage}{dot}{rest}"


def settings_of(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Derive the arguments of `InceptionResnet` from weights of a port or of facenet, under our names.

    Batch norms get a trainable gamma only if some gamma differs from 1: facenet's networks have none, and the
    ports store ones in its place.
    """
    gammas = [value for name, value in state.items() if name.endswith("bn.weight")]
    bottleneck = state.get("last_linear.weight")
    version = "v2" if any(name.startswith("mixed_5b.") for name in state) else "v1"
    trainable: dict[str, Any] = {}
    scales = [name for name in state if name.endswith("up.scale")]
    if scales:
        single = all(state[name].numel() == 1 for name in scales)
        trainable["residual_scale"] = "trainable" if single else "channel"
        last = "block8_last.up.scale" in scales
        if last != ARCHITECTURES[version].scale_last:
            trainable["scale_last"] = last
    if any(name.endswith("act.weight") for name in state):
        trainable["activation"] = "prelu"
    return trainable | {
        "version": version,
        # A tensor without dimensions is not a valid bottleneck; loading the weights reports the error.
        "embedding_size": len(bottleneck) if bottleneck is not None and bottleneck.ndim else EMBEDDING_SIZE,
        "input_size": _FACE_SIZE if has_bottleneck(state) else _IMAGENET_SIZE,
        "bn_gamma": any(not torch.equal(gamma, torch.ones_like(gamma)) for gamma in gammas),
    }


def has_bottleneck(state: Mapping[str, Tensor]) -> bool:
    """Return whether `state` contains the linear layer to an embedding; ImageNet networks lack it."""
    return any(name.startswith(_BOTTLENECK) for name in state)


def made_trainable(
    settings: Mapping[str, Any], state: Mapping[str, Tensor], *, trsf: bool, activation: str | None
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Convert settings and weights so that scales or slopes are trainable and the function stays the same.

    Constant scales become the initial values of trainable ones. Slopes start at the slope of the activation
    that they replace: 0 for ReLU.

    Args:
        settings: arguments of `InceptionResnet`.
        state: its state dict.
        trsf: make the scales trainable, one scalar for each module in the paper's count.
        activation: `prelu` makes the slopes trainable; None keeps the activations.

    Returns:
        Settings and state dict of the trainable network.

    Raises:
        ConfigError: any other activation, because it would change the function.
    """
    with torch.device("meta"):
        source = InceptionResnet(**settings)
    present = settings.get("activation", "relu")
    if activation not in (None, present):
        choice(f"activation for weights of a {present} network", activation, (present, "prelu"))
    settings, state = dict(settings), dict(state)
    new_scales = trsf and settings.get("residual_scale", "fixed") == "fixed"
    new_slopes = activation == "prelu" != present
    if new_scales:
        settings |= {"residual_scale": "trainable", "scale_init": None, "fixed_scales": ()}
    if new_slopes:
        settings["activation"] = "prelu"
    with torch.device("meta"):
        target = InceptionResnet(**settings)
    # Only what was constant is filled in; a trainable scale or slope that `state` lacks remains missing.
    if new_scales:
        constants = {name: block.up.value for name, block in _blocks(source)}
        for name, block in _blocks(target):
            if block.up.scale is not None:
                state[f"{name}.up.scale"] = torch.tensor([constants[name]])
    if new_slopes:
        for name, module in target.named_modules():
            if isinstance(module, nn.PReLU):
                state[f"{name}.weight"] = torch.tensor([_slope(source)])
    return settings, state


def _blocks(model: InceptionResnet) -> list[tuple[str, Any]]:
    blocks = set(model.residual_blocks())
    return [(name, module) for name, module in model.named_modules() if module in blocks]


def _slope(model: InceptionResnet) -> float:
    """The constant slope of the negative half in a network of ReLU or Leaky ReLU."""
    return float(getattr(model.conv2d_1a.act, "negative_slope", 0.0))


def load_weights(
    model: InceptionResnet, state: Mapping[str, Tensor], source: str, *, bottleneck: bool = True
) -> None:
    """Load `state` into `model`; every tensor must match.

    Args:
        model: the network that receives the weights.
        state: under our names; batch counters, which nothing depends on, may be missing.
        source: where the weights come from, for the error message.
        bottleneck: False leaves the bottleneck as it is.

    Raises:
        DataError: see `check_weights`.
    """
    check_weights(model, state, source, bottleneck=bottleneck)
    model.load_state_dict(state, strict=False)


def check_weights(
    model: InceptionResnet, state: Mapping[str, Tensor], source: str, *, bottleneck: bool = True
) -> None:
    """Raise an error if `load_weights` could not load `state`; `model` may be on the meta device.

    Raises:
        DataError: tensors are missing, unknown or have the wrong shape; the message names them.
    """
    expected = model.state_dict()
    left = () if bottleneck else _BOTTLENECK
    needed = [n for n in expected if not n.endswith("num_batches_tracked") and not n.startswith(left)]
    shapes = {name: tuple(expected[name].shape) for name in expected}
    # Earlier files store a single scale with shape [] instead of [1].
    found = {name: tuple(value.shape) or (1,) * (shapes.get(name) == (1,)) for name, value in state.items()}
    wrong = {
        "lacks": [name for name in needed if name not in state],
        "has the unknown": [name for name in state if name not in expected],
        "has the misshapen": [
            f"{name} {shape} instead of {shapes[name]}"
            for name, shape in found.items()
            if name in expected and shape != shapes[name]
        ],
    }
    faults = "; ".join(f"{what} {_listed(names)}" for what, names in wrong.items() if names)
    if faults:
        raise DataError(f"{source} is not an Inception-ResNet {model.version} as described: it {faults}.")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """A hash of all tensors and their names, independent of order and memory layout."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]
