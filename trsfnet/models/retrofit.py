"""Trainable scales and slopes for other people's networks, as they are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from trsfnet.errors import ConfigError
from trsfnet.models.weights import origin_of

# The stages of residual modules, and the last module, which adds its branch unscaled. By the paper's count
# that one has a trainable scale in v2 alone.
_SCALED = {
    "facenet-pytorch": ("repeat_1", "repeat_2", "repeat_3"),
    "timm": ("repeat", "repeat_1", "repeat_2", "block8"),
}


@dataclass(frozen=True)
class Changes:
    """What `make_trainable` changed.

    Attributes:
        scales: names of the new parameters that scale residual branches, as in `named_parameters`.
        slopes: names of the new slopes of activations.
    """

    scales: tuple[str, ...]
    slopes: tuple[str, ...]

    def __str__(self) -> str:
        """A sentence, then every name."""
        counts = f"{len(self.scales)} scales and {len(self.slopes)} slopes became trainable"
        return "\n  ".join([f"{counts}.", *self.scales, *self.slopes])


def make_trainable(model: nn.Module) -> Changes:
    """Give timm's Inception-ResNet v2 or facenet-pytorch's v1 trainable scales (TRSF) and slopes (PReLU).

    The model is changed in place and computes what it did before: scales start at its constants, slopes at
    those of its activations, 0 for ReLU. It then has parameters that an optimiser made earlier does not know.
    They should get no weight decay, which would pull them to 0.

    Args:
        model: `facenet_pytorch.InceptionResnetV1(...)` or `timm.create_model("inception_resnet_v2", ...)`.

    Returns:
        The names of the new parameters; none if the model has them already.

    Raises:
        ConfigError: the model is neither. Ours become trainable by
            `trsfnet.load_network(..., trsf=True, activation="prelu")`.
    """
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
            block.scale = nn.Parameter(like.new_tensor(block.scale))
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
