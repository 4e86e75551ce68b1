"""The parts of Inception-ResNet: activation, norm, convolution unit, scaled projection.

The paper changes two of them: the constant that scales each residual branch becomes trainable (TRSF,
section 3.1, equations 1-4), and Leaky ReLU or PReLU replaces ReLU (section 3.2, equation 5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeVar

import torch
from torch import Tensor, nn

from trsfnet.errors import choice

ACTIVATIONS = ("relu", "leaky_relu", "prelu")
RESIDUAL_SCALES = ("fixed", "trainable", "channel")

# facenet (TF-slim): `decay` 0.995 equals PyTorch's momentum 0.005, and slim's batch norm has no gamma.
BN_EPS = 1e-3
BN_MOMENTUM = 0.005

N = TypeVar("N", nn.BatchNorm1d, nn.BatchNorm2d)


def make_activation(kind: str, slope: float) -> nn.Module:
    """Create an activation; each call returns a new module, so that each PReLU learns its own slope.

    Args:
        kind: `relu`, `leaky_relu` (constant slope) or `prelu` (one trainable scalar slope).
        slope: slope of the negative half for `leaky_relu`, initial slope for `prelu`; unused by `relu`.

    Raises:
        ConfigError: unknown `kind`.
    """
    choice("activation", kind, ACTIVATIONS)
    if kind == "relu":
        return nn.ReLU()
    if kind == "leaky_relu":
        return nn.LeakyReLU(slope)
    return nn.PReLU(num_parameters=1, init=slope)


def freeze_gamma(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
    """Turn the gamma of a batch norm into a constant: a buffer of ones instead of a parameter.

    It stays in the state dict under its name, because ports of facenet keep it there. It still belongs to the
    class `nn.Parameter`, because tools that copy affine pairs between norms require it, such as
    `nn.SyncBatchNorm.convert_sync_batchnorm`; it needs no gradient.
    """
    gamma: Tensor | None = norm._parameters.pop("weight", None)
    gamma = norm._buffers.get("weight") if gamma is None else gamma
    if gamma is not None and not (isinstance(gamma, nn.Parameter) and not gamma.requires_grad):
        gamma = nn.Parameter(gamma.detach(), requires_grad=False)
    norm._buffers["weight"] = gamma


def has_constant_gamma(norm: nn.Module) -> bool:
    """Return whether `freeze_gamma` was applied to a module."""
    return norm._buffers.get("weight") is not None


def _freeze_again(norm: Any, *_: object) -> None:
    """Freeze gamma after loading with `assign=True`, which turns it into a parameter again."""
    freeze_gamma(norm)


def batch_norm2d(channels: int, *, gamma: bool, momentum: float) -> nn.BatchNorm2d:
    """Batch norm of a feature map [N, channels, H, W] with facenet's epsilon; `gamma` as in the ports."""
    norm = nn.BatchNorm2d(channels, eps=BN_EPS, momentum=momentum)
    return norm if gamma else _without_gamma(norm)


def batch_norm1d(features: int, *, gamma: bool, momentum: float) -> nn.BatchNorm1d:
    """Batch norm of the embedding [N, features]; see `batch_norm2d`."""
    norm = nn.BatchNorm1d(features, eps=BN_EPS, momentum=momentum)
    return norm if gamma else _without_gamma(norm)


def _without_gamma(norm: N) -> N:
    freeze_gamma(norm)
    norm.register_load_state_dict_post_hook(_freeze_again)
    return norm


class KeepsGammaFrozen(nn.Module):
    """Base class of modules that contain norms; restores frozen gammas, which `to` makes plain tensors.

    The norms themselves keep PyTorch's own class, which tools such as `torch.fx` recognise.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        for child in self.children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d) and has_constant_gamma(child):
                freeze_gamma(child)
        return self


class ConvNormAct(KeepsGammaFrozen):
    """Convolution without bias, batch norm, activation: the unit of all branch and stem layers."""

    def __init__(self, conv: nn.Conv2d, bn: nn.BatchNorm2d, act: nn.Module) -> None:
        super().__init__()
        self.conv = conv
        self.bn = bn
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] -> [N, out_channels, H', W']."""
        return self.act(self.bn(self.conv(x)))


class Conv(NamedTuple):
    """One convolution in the tables of widths.

    Attributes:
        channels: number of output channels.
        kernel: side of the kernel, or its height and width.
        stride: 1 pads the input so that the size is preserved; 2 does not pad.
    """

    channels: int
    kernel: int | tuple[int, int]
    stride: int = 1


@dataclass(frozen=True)
class Units:
    """Makes the repeated parts of one network, all with the same activation and norm.

    Args:
        activation: `relu`, `leaky_relu` or `prelu`.
        slope: see `make_activation`.
        bn_gamma: give batch norms a trainable gamma.
        bn_momentum: momentum of the batch norms' running statistics.
    """

    activation: str
    slope: float
    bn_gamma: bool
    bn_momentum: float

    def act(self) -> nn.Module:
        """Create an activation."""
        return make_activation(self.activation, self.slope)

    def conv(self, in_channels: int, shape: Conv, *, padded: bool = True) -> ConvNormAct:
        """Create a `ConvNormAct`; `padded` preserves the size at stride 1.

        All layers of stride 2 are unpadded, so facenet's SAME and VALID strings reduce to symmetric
        padding or none.
        """
        channels, kernel, stride = shape
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if padded and stride == 1 else (0, 0)
        conv = nn.Conv2d(in_channels, channels, (height, width), stride, padding, bias=False)
        norm = batch_norm2d(channels, gamma=self.bn_gamma, momentum=self.bn_momentum)
        return ConvNormAct(conv, norm, self.act())


class ScaledProjection(nn.Module):
    """The "up" projection of a residual branch, scaled: y = s * (W z + b) (equation 1).

    Args:
        in_channels: width of the concatenated branches.
        out_channels: width of the trunk.
        scale: `fixed` (a constant), `trainable` (the paper's TRSF: one number) or `channel` (one per
            output channel, as in LayerScale).
        value: the constant, or the initial value.

    Attributes:
        scale: [1] or [out_channels]; None if it is the constant `value`.
    """

    def __init__(self, in_channels: int, out_channels: int, *, scale: str, value: float) -> None:
        super().__init__()
        choice("residual_scale", scale, RESIDUAL_SCALES)
        self.conv = nn.Conv2d(in_channels, out_channels, 1)
        self.value = value
        self.scale: nn.Parameter | None = None
        if scale != "fixed":
            # A single number has shape [1] instead of [], which tools that shard parameters refuse.
            self.scale = nn.Parameter(torch.empty(1 if scale == "trainable" else out_channels))
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set a trainable scale to its initial value."""
        if self.scale is not None:
            nn.init.constant_(self.scale, self.value)

    def forward(self, z: Tensor) -> Tensor:
        """[N, in_channels, H, W] -> [N, out_channels, H, W]."""
        y, scale = self.conv(z), self.scale
        if scale is None:
            return y * self.value
        # Under autocast the scale is float32, and the trunk must not take that type.
        return (y * scale.view(1, -1, 1, 1)).to(y.dtype)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        """Accept a scalar [] for a single scale, as stored in earlier files."""
        scale = state_dict.get(f"{prefix}scale")
        if scale is not None and scale.ndim == 0:
            state_dict[f"{prefix}scale"] = scale.view(1)
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def extra_repr(self) -> str:
        """Show the scale in `print(model)`."""
        return f"scale={self.value}" if self.scale is None else f"scale={tuple(self.scale.shape)}, trainable"
