"""The parts Inception-ResNet is made of: activation, norm, convolution unit, scaled projection.

The paper changes two of them: the constant that scales each residual branch becomes trainable (TRSF,
section 3.1, equations 1-4), and ReLU gives way to Leaky ReLU or PReLU (section 3.2, equation 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trsfnet.errors import choice
from trsfnet.models import fused

ACTIVATIONS = ("relu", "leaky_relu", "prelu")
RESIDUAL_SCALES = ("fixed", "trainable", "channel")

# facenet (TF-slim): `decay` 0.995 is PyTorch's momentum 0.005, and slim's batch norm has no gamma.
BN_EPS = 1e-3
BN_MOMENTUM = 0.005


def make_activation(kind: str, slope: float) -> nn.Module:
    """A fresh activation: every call site owns one, so that each PReLU learns a slope of its own.

    Args:
        kind: `relu`, `leaky_relu` (constant slope) or `prelu` (one trainable scalar slope).
        slope: slope of the negative half for `leaky_relu`, starting slope for `prelu`; unused by `relu`.

    Raises:
        ConfigError: unknown `kind`.
    """
    choice("activation", kind, ACTIVATIONS)
    if kind == "relu":
        return nn.ReLU()
    if kind == "leaky_relu":
        return nn.LeakyReLU(slope)
    return nn.PReLU(num_parameters=1, init=slope)


def _freeze_gamma(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
    """Turn gamma into a constant buffer of ones.

    It stays in the state dict (ports of facenet keep it there, so weights move across unchanged) and the
    fused kernels, which want a weight tensor, stay available; it gets no gradient and no update.
    """
    gamma = norm.weight
    del norm.weight
    norm.register_buffer("weight", gamma.detach().clone())


def batch_norm2d(channels: int, *, gamma: bool, momentum: float) -> nn.BatchNorm2d:
    """Batch norm of a feature map [N, channels, H, W] with facenet's epsilon; `gamma` as in the ports."""
    norm = nn.BatchNorm2d(channels, eps=BN_EPS, momentum=momentum)
    if not gamma:
        _freeze_gamma(norm)
    return norm


def batch_norm1d(features: int, *, gamma: bool, momentum: float) -> nn.BatchNorm1d:
    """Batch norm of the embedding [N, features]; see `batch_norm2d`."""
    norm = nn.BatchNorm1d(features, eps=BN_EPS, momentum=momentum)
    if not gamma:
        _freeze_gamma(norm)
    return norm


class ConvNormAct(nn.Module):
    """Convolution without bias, batch norm, activation: the unit every branch and stem layer is made of."""

    def __init__(self, conv: nn.Conv2d, bn: nn.BatchNorm2d, act: nn.Module) -> None:
        super().__init__()
        self.conv = conv
        self.bn = bn
        self.act = act
        self.pointwise = conv.kernel_size == conv.stride == (1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] -> [N, out_channels, H', W']."""
        if not self.training:
            return self.act(self.bn(self.conv(x)))
        y = fused.pointwise(x, self.conv.weight) if self.pointwise else self.conv(x)
        return fused.norm_act(y, self.bn, self.act)


@dataclass(frozen=True)
class Units:
    """Makes the repeated parts of one network, all with the same activation and norm.

    Args:
        activation: `relu`, `leaky_relu` or `prelu`.
        slope: see `make_activation`.
        bn_gamma: give batch norms a trainable gamma.
        bn_momentum: of the batch norms' running statistics.
    """

    activation: str
    slope: float
    bn_gamma: bool
    bn_momentum: float

    def act(self) -> nn.Module:
        """A fresh activation."""
        return make_activation(self.activation, self.slope)

    def conv(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padded: bool = True,
    ) -> ConvNormAct:
        """A `ConvNormAct`. `padded` keeps the size at stride 1.

        All layers of stride 2 are unpadded, so facenet's SAME and VALID strings reduce to symmetric
        padding or none.
        """
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if padded else (0, 0)
        conv = nn.Conv2d(in_channels, out_channels, (height, width), stride, padding, bias=False)
        norm = batch_norm2d(out_channels, gamma=self.bn_gamma, momentum=self.bn_momentum)
        return ConvNormAct(conv, norm, self.act())


class ScaledProjection(nn.Module):
    """The "up" projection of a residual branch, scaled: y = s * (W z + b) (equation 1).

    The scale multiplies the 1x1 kernel and bias instead of the feature map. The result and all three
    gradients are the same, because the projection is linear, but nothing of the feature map's size is
    computed or kept for the backward pass, and at export the scale folds into the weights.

    Args:
        in_channels: width of the concatenated branches.
        out_channels: width of the trunk.
        scale: `fixed` (a constant), `trainable` (the paper's TRSF: one scalar) or `channel` (one per
            output channel, as in LayerScale).
        value: the constant, or the starting value.
    """

    def __init__(self, in_channels: int, out_channels: int, *, scale: str, value: float) -> None:
        super().__init__()
        choice("residual_scale", scale, RESIDUAL_SCALES)
        self.conv = nn.Conv2d(in_channels, out_channels, 1)
        self.value = value
        self.scale: nn.Parameter | None = None
        if scale != "fixed":
            self.scale = nn.Parameter(torch.empty(() if scale == "trainable" else (out_channels,)))
            nn.init.constant_(self.scale, value)

    def forward(self, z: Tensor) -> Tensor:
        """[N, in_channels, H, W] -> [N, out_channels, H, W]."""
        scale = self.value if self.scale is None else self.scale
        kernel_scale = scale if self.scale is None else self.scale.view(-1, 1, 1, 1)
        project = fused.pointwise if self.training else F.conv2d
        return project(z, self.conv.weight * kernel_scale, self.conv.bias * scale)

    def extra_repr(self) -> str:
        """Name the scale in `print(model)`."""
        return f"scale={self.value}" if self.scale is None else f"scale={tuple(self.scale.shape)}, trainable"
