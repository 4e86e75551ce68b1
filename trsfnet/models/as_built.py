"""Finds modules that were replaced, so that a network no longer computes what its settings say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from trsfnet.models.inception_resnet import InceptionResnet, ResidualBlock

SAME_FUNCTION = "same_function"
"""Attribute of a class, or of a module's own forward, that computes the replaced forward in another way."""

# Another forward than that of our norms, but the same function in evaluation. The activation within timm's
# norms is compared as a module of its own.
_NORMS = ("SyncBatchNorm", "BatchNormAct2d")

# The pools of the ports that have another name in our networks, or no counterpart there.
_POOLS_OF_PORTS = {
    "mixed_6a.branch2": nn.MaxPool2d(3, stride=2),
    "mixed_7a.branch3": nn.MaxPool2d(3, stride=2),
    "avgpool_1a": nn.AdaptiveAvgPool2d(1),
}

# Attributes that do not change what a module computes in evaluation.
_WITHOUT_EFFECT = ("training", "momentum", "affine", "inplace", "init", "p", "settings")


def replaced_module(
    model: nn.Module, settings: Mapping[str, Any], our_name: Callable[[str], str] | None = None
) -> str | None:
    """Describe the first module that differs from those of the `InceptionResnet` with these settings.

    Args:
        model: the network; hooks are not considered.
        settings: arguments of `InceptionResnet`.
        our_name: for a network of facenet-pytorch or timm, maps the name of a module to ours. Only its scales
            and the modules without children are compared.

    Returns:
        What differs, such as `block17.0.act is Identity instead of ReLU`; None if nothing does. A module
        that was removed is not noticed.
    """
    with torch.device("meta"):
        expected = dict(InceptionResnet(**settings).named_modules())
    for name, module in model.named_modules():
        like = expected.get(name if our_name is None else our_name(name))
        if our_name is not None:
            like = _POOLS_OF_PORTS.get(name, like)
        if our_name is None or (like is not None and next(like.children(), None) is None):
            difference = _difference(module, like)
        else:
            difference = _overridden(module) or _scale_difference(module, like)
        if difference is not None:
            return f"{name or 'the network'} {difference}"
    return None


def computes_as(module: nn.Module, kind: type[nn.Module]) -> bool:
    """Return whether a module of a kind computes what this kind does, and not something that replaced it."""
    if not _keeps_forward(module):
        return False
    methods = [name for name in ("forward", "_conv_forward") if hasattr(kind, name)]
    same = all(getattr(type(module), name) is getattr(kind, name) for name in methods)
    return same or getattr(type(module), SAME_FUNCTION, False)


def _keeps_forward(module: nn.Module) -> bool:
    """Return whether a module computes by the forward of its class."""
    own = vars(module).get("forward")
    return own is None or getattr(own, SAME_FUNCTION, False)


def _difference(module: nn.Module, like: nn.Module | None) -> str | None:
    if like is None:
        return f"was added ({type(module).__name__})"
    kind = _BatchNorm if isinstance(like, _BatchNorm) else type(like)
    if not isinstance(module, kind):
        return f"is {type(module).__name__} instead of {type(like).__name__}"
    same_norm = isinstance(like, _BatchNorm) and type(module).__name__ in _NORMS
    if not computes_as(module, type(like)) and not (same_norm and _keeps_forward(module)):
        return f"is {type(module).__name__} with another forward than {type(like).__name__}"
    for name, value in vars(like).items():
        found = getattr(module, name, None)
        if not name.startswith("_") and name not in _WITHOUT_EFFECT and found != value:
            return f"has {name} {found} instead of {value}"
    return None


def _overridden(module: nn.Module) -> str | None:
    """Describe a forward that replaced that of the module's class or of one of its base classes.

    Ports are often copied, so their classes are not known.
    """
    defining = [kind for kind in type(module).__mro__ if "forward" in vars(kind) and kind is not nn.Module]
    if not _keeps_forward(module) or len(defining) > 1:
        return f"is {type(module).__name__} with another forward than {defining[-1].__name__}"
    return None


def _scale_difference(module: nn.Module, like: nn.Module | None) -> str | None:
    """Compare the constant scale of another project's residual module with ours."""
    scale = getattr(module, "scale", None)
    if isinstance(like, ResidualBlock) and isinstance(scale, int | float) and scale != like.up.value:
        return f"has scale {scale} instead of {like.up.value}"
    return None
