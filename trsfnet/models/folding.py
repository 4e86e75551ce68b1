"""A trained network as plain convolutions: batch norms and residual scales folded into their weights.

In evaluation, a batch norm multiplies and shifts each channel by constants, and a residual scale multiplies
its projection by a constant. Both can be merged into the kernel and bias of their convolution. Learned
slopes cannot be merged; they stay, as constants.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trsfnet.errors import ConfigError
from trsfnet.models.inception_resnet import InceptionResnet, Mixed5b, Reduction, ResidualBlock
from trsfnet.models.layers import ConvNormAct, ScaledProjection
from trsfnet.models.wrappers import unwrapped


class FoldedConv(nn.Module):
    """Convolution with bias, then an activation of constant slope (0: ReLU), or none."""

    def __init__(self, conv: nn.Conv2d, slope: float | None) -> None:
        super().__init__()
        self.conv = conv
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] -> [N, out_channels, H', W']."""
        return activate(self.conv(x), self.slope)

    def extra_repr(self) -> str:
        """Show the slope in `print(model)`."""
        return "no activation" if self.slope is None else f"slope={self.slope:.4g}"


def activate(x: Tensor, slope: float | None) -> Tensor:
    """ReLU or Leaky ReLU of `x`. It may overwrite `x`, so nothing else may use that tensor."""
    if slope is None:
        return x
    inplace = not torch.compiler.is_compiling()  # compilers reuse memory on their own
    return F.leaky_relu(x, slope, inplace) if slope else F.relu(x, inplace)


class FoldedBranches(nn.Module):
    """Parallel branches over one input, concatenated: Mixed 5b, and the reductions."""

    def __init__(self, branches: list[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] -> [N, sum of out_channels, H', W']."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class FoldedResidual(nn.Module):
    """Inception-ResNet module: y = act(x + up(branches(x))), the scale within `up`."""

    def __init__(self, branches: FoldedBranches, up: nn.Conv2d, slope: float | None) -> None:
        super().__init__()
        self.branches = branches
        self.up = up
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, H, W] -> the same shape."""
        return activate(x + self.up(self.branches(x)), self.slope)


class FoldedInceptionResnet(nn.Module):
    """The result of `fold`: a sequence of stages, then a linear layer. It cannot be trained.

    Input and output are the same as for `InceptionResnet`.
    """

    def __init__(self, features: nn.Sequential, last: nn.Linear) -> None:
        super().__init__()
        self.features = features
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        """[N, 3, H, W] -> the embedding before L2 normalisation [N, embedding_size]."""
        return self.last(self.features(x).mean(dim=(2, 3)))


def fold(model: InceptionResnet) -> FoldedInceptionResnet:
    """A network that computes what `model` computes in evaluation, without batch norms and scales.

    Args:
        model: with any settings, on its own or within `DataParallel` or `torch.compile`. It is not changed,
            and later changes to it do not affect the result.

    Returns:
        The network in evaluation mode, without gradients, on the device of `model`. Equal up to rounding.

    Raises:
        ConfigError: a convolution, norm, activation or linear layer was replaced by one that cannot be
            folded.
    """
    model = cast(InceptionResnet, unwrapped(model))
    with torch.no_grad():
        stages = OrderedDict(
            (name, _folded(child))
            for name, child in model.named_children()
            if not isinstance(child, nn.Identity) and name not in ("dropout", "last_linear", "last_bn")
        )
        if not isinstance(model.last_linear, nn.Linear):
            raise ConfigError(
                f"Only a linear layer can be folded as last_linear, got {type(model.last_linear).__name__}."
            )
        outputs, inputs = model.last_linear.weight.shape
        last = nn.Linear(inputs, outputs, device=model.last_linear.weight.device)
        factor, shift = _affine(model.last_bn)
        last.weight.copy_(model.last_linear.weight * factor[:, None])
        last.bias.copy_(_offset(model.last_linear, factor, shift))
    folded = FoldedInceptionResnet(nn.Sequential(stages), last)
    return folded.to(memory_format=torch.channels_last).eval().requires_grad_(False)


def _folded(module: nn.Module) -> nn.Module:
    """The folded counterpart of any part of the network."""
    if isinstance(module, ConvNormAct):
        factor, shift = _affine(module.bn)
        return FoldedConv(_conv(module.conv, factor, shift), _slope(module.act))
    if isinstance(module, ResidualBlock):
        return FoldedResidual(FoldedBranches(_branches(module)), _up(module.up), _slope(module.act))
    if isinstance(module, Reduction):
        return FoldedBranches([*_branches(module), module.pool])
    if isinstance(module, Mixed5b):
        return FoldedBranches(_branches(module))
    if isinstance(module, nn.Sequential):
        return nn.Sequential(*map(_folded, module))
    return module  # a pool


def _branches(module: Mixed5b | Reduction | ResidualBlock) -> list[nn.Module]:
    return [_folded(getattr(module, name)) for name in module.branch_names]


def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """The factor and the offset that a norm applies to each channel in evaluation: [C] each."""
    if not isinstance(norm, _BatchNorm) or norm.running_mean is None or norm.running_var is None:
        raise ConfigError(
            f"Only batch norms with running statistics can be folded, got {type(norm).__name__}."
        )
    factor = torch.rsqrt(norm.running_var + norm.eps)
    factor = factor if norm.weight is None else norm.weight * factor
    shift = -norm.running_mean * factor
    return factor, shift if norm.bias is None else norm.bias + shift


def _offset(layer: nn.Conv2d | nn.Linear, factor: Tensor, shift: Tensor) -> Tensor:
    """The bias of `layer`, if it has one, multiplied by `factor`, plus `shift`."""
    return shift if layer.bias is None else layer.bias * factor + shift


def _conv(conv: nn.Conv2d, factor: Tensor, shift: Tensor) -> nn.Conv2d:
    """`conv` with each output channel, its bias included, multiplied by `factor`, plus `shift`."""
    if not isinstance(conv, nn.Conv2d):
        raise ConfigError(f"Only convolutions can be folded, got {type(conv).__name__}.")
    plain = (conv.groups, *conv.dilation, conv.padding_mode) == (1, 1, 1, "zeros")
    if not plain or isinstance(conv.padding, str):
        raise ConfigError(
            f"Only convolutions without groups and dilation, padded with zeros, can be folded, got {conv}."
        )
    folded = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        conv.stride,  # type: ignore[arg-type]
        conv.padding,  # type: ignore[arg-type]
        device=conv.weight.device,
    )
    folded.weight.copy_(conv.weight * factor.view(-1, 1, 1, 1))
    folded.get_parameter("bias").copy_(_offset(conv, factor, shift))
    return folded


def _up(up: ScaledProjection) -> nn.Conv2d:
    """The projection with its scale in its kernel and bias."""
    scale = torch.as_tensor(up.value if up.scale is None else up.scale, device=up.conv.weight.device)
    factor = scale.expand(up.conv.out_channels)
    return _conv(up.conv, factor, torch.zeros_like(factor))


def _slope(act: nn.Module) -> float | None:
    """The slope of an activation's negative half; None if there is no activation."""
    if isinstance(act, nn.Identity):
        return None
    if isinstance(act, nn.ReLU):
        return 0.0
    if isinstance(act, nn.LeakyReLU):
        return act.negative_slope
    if isinstance(act, nn.PReLU) and act.weight.numel() == 1:
        return act.weight.item()
    raise ConfigError(
        f"Only ReLU, Leaky ReLU and PReLU with one slope can be folded, got {type(act).__name__}."
    )
