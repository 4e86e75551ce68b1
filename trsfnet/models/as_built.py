"""Finds modules that were replaced, so that a network no longer computes what its settings say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from trsfnet.models.inception_resnet import InceptionResnet, ResidualBlock

# Attributes that do not change what a module computes in evaluation.
_WITHOUT_EFFECT = ("training", "momentum", "affine", "inplace", "init", "p")


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
        if our_name is None or (like is not None and next(like.children(), None) is None):
            difference = _difference(module, like)
        else:
            difference = _scale_difference(module, like)
        if difference is not None:
            return f"{name} {difference}"
    return None


def _difference(module: nn.Module, like: nn.Module | None) -> str | None:
    if like is None:
        return f"was added ({type(module).__name__})"
    kind = _BatchNorm if isinstance(like, _BatchNorm) else type(like)
    if not isinstance(module, kind):
        return f"is {type(module).__name__} instead of {type(like).__name__}"
    for name, value in vars(like).items():
        found = getattr(module, name, None)
        if not name.startswith("_") and name not in _WITHOUT_EFFECT and found != value:
            return f"has {name} {found} instead of {value}"
    return None


def _scale_difference(module: nn.Module, like: nn.Module | None) -> str | None:
    """Compare the constant scale of another project's residual module with ours."""
    scale = getattr(module, "scale", None)
    if isinstance(like, ResidualBlock) and isinstance(scale, int | float) and scale != like.up.value:
        return f"has scale {scale} instead of {like.up.value}"
    return None
