"""Trainable scales and slopes for networks from other projects, and the conversion into our networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trsfnet.errors import ConfigError
from trsfnet.models.as_built import replaced_module
from trsfnet.models.inception_resnet import InceptionResnet
from trsfnet.models.weights import origin_of, our_name, rename, settings_of
from trsfnet.models.wrappers import unwrapped

# The stages of residual modules, and the last module, which adds its branch unscaled. According to the
# paper's count, that module has a trainable scale only in v2.
_SCALED = {
    "facenet-pytorch": ("repeat_1", "repeat_2", "repeat_3"),
    "timm": ("repeat", "repeat_1", "repeat_2", "block8"),
}


@dataclass(frozen=True)
class Identified:
    """The result of `identify`.

    Attributes:
        origin: the project that the network comes from: `trsfnet`, `facenet-pytorch` or `timm`.
        settings: arguments of the `InceptionResnet` that computes the same function.
        state: its state dict, with our names; without a bottleneck if the network has none.
    """

    origin: str
    settings: dict[str, Any]
    state: dict[str, Tensor]


def identify(model: nn.Module) -> Identified:
    """Express a network as settings and weights of our networks; also accepts what `make_trainable` changed.

    Args:
        model: an `InceptionResnet`, facenet-pytorch's v1 or timm's v2, on its own or within `DataParallel` or
            `torch.compile`. Hooks are not part of the result.

    Raises:
        ConfigError: the model is something else, or a module was replaced, so that settings and weights would
            give another function.
    """
    model = unwrapped(model)
    state = {name: value.detach() for name, value in model.state_dict().items()}
    if isinstance(model, InceptionResnet):
        _refuse_replaced_modules(model, model.settings)
        return Identified("trsfnet", model.settings | _changed_since(model), state)
    origin = origin_of(name for name, _ in model.named_children())
    if origin not in _SCALED:
        raise ConfigError(
            "The network must be an Inception-ResNet of trsfnet, facenet-pytorch's v1 or timm's v2, got "
            f"{type(model).__name__}."
        )
    renamed = rename(state, origin)
    settings = settings_of(renamed) | _activation(model)
    _refuse_replaced_modules(
        model, settings, lambda name: our_name(f"{name}.weight", origin).removesuffix(".weight")
    )
    return Identified(origin, settings, renamed)


def _changed_since(model: InceptionResnet) -> dict[str, Any]:
    """The settings that users change in the modules of a network: its dropout and the norms' momentum.

    Momenta that differ, or are None, cannot be expressed as a setting, which is then left as it is.
    """
    momenta = {module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    momentum = momenta.pop() if len(momenta) == 1 else None
    changed: dict[str, Any] = {"dropout": model.dropout.p}
    return changed if momentum is None else changed | {"bn_momentum": momentum}


def _refuse_replaced_modules(
    model: nn.Module, settings: dict[str, Any], our_name: Callable[[str], str] | None = None
) -> None:
    difference = replaced_module(model, settings, our_name)
    if difference is not None:
        raise ConfigError(
            f"Settings and weights do not describe this network: {difference}; only networks with their "
            "original modules can be read."
        )


def _activation(model: nn.Module) -> dict[str, Any]:
    """The settings of the activation that a port uses everywhere."""
    kinds = {type(m) for m in model.modules() if isinstance(m, nn.ReLU | nn.LeakyReLU | nn.PReLU)}
    slopes = {m.negative_slope for m in model.modules() if isinstance(m, nn.LeakyReLU)}
    if len(kinds) > 1 or len(slopes) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ConfigError(f"The network's activations must all be of one kind and slope, got {names}.")
    return {"activation": "leaky_relu", "slope_init": slopes.pop()} if slopes else {}


@dataclass(frozen=True)
class Changes:
    """The changes made by `make_trainable`.

    Attributes:
        scales: names of the new parameters that scale residual branches, as in `named_parameters`.
        slopes: names of the new slopes of activations.
    """

    scales: tuple[str, ...]
    slopes: tuple[str, ...]

    def __str__(self) -> str:
        """A sentence, followed by all names."""
        counts = f"{len(self.scales)} scales and {len(self.slopes)} slopes became trainable"
        return "\n  ".join([f"{counts}.", *self.scales, *self.slopes])


def make_trainable(model: nn.Module) -> Changes:
    """Give timm's Inception-ResNet v2 or facenet-pytorch's v1 trainable scales (TRSF) and slopes (PReLU).

    The model is changed in place and still computes the same function: scales start at its constants, slopes
    at those of its activations (0 for ReLU). It then has parameters that an existing optimiser does not know.
    They should get no weight decay, which would pull them towards 0.

    Args:
        model: `facenet_pytorch.InceptionResnetV1(...)` or `timm.create_model("inception_resnet_v2", ...)`,
            on its own or within `DataParallel` or `torch.compile`.

    Returns:
        The names of the new parameters in the unwrapped model; none if it already has them.

    Raises:
        ConfigError: the model is neither of these. For networks of this package, use
            `trsfnet.load_network(..., trsf=True, activation="prelu")`.
    """
    model = unwrapped(model)
    origin = origin_of(name for name, _ in model.named_children())
    if origin not in _SCALED:
        raise ConfigError(
            "make_trainable takes facenet-pytorch's InceptionResnetV1 or timm's inception_resnet_v2, got "
            f"{type(model).__name__}."
        )
    like = next(model.parameters())
    return Changes(_give_scales(model, _SCALED[origin], like), _give_slopes(model, like))


def _give_scales(model: nn.Module, stages: tuple[str, ...], like: torch.Tensor) -> tuple[str, ...]:
    given = []
    for name, block in model.named_modules():
        if name.partition(".")[0] in stages and isinstance(getattr(block, "scale", None), float):
            block.scale = nn.Parameter(like.new_tensor([block.scale]))
            given.append(f"{name}.scale")
    return tuple(given)


def _give_slopes(model: nn.Module, like: torch.Tensor) -> tuple[str, ...]:
    given = []
    for name, module in list(model.named_modules()):
        for child_name, child in module.named_children():
            if isinstance(child, nn.ReLU | nn.LeakyReLU):
                slope = getattr(child, "negative_slope", 0.0)
                setattr(module, child_name, nn.PReLU(init=slope).to(like))
                given.append(f"{name}.{child_name}.weight")
    return tuple(given)
