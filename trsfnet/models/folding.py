"""A trained network as plain convolutions: batch norms and residual scales folded into their weights.

In evaluation, a batch norm multiplies and shifts each channel by constants, and a residual scale multiplies
its projection by a constant. Both can be merged into the kernel and bias of their convolution. Learned
slopes cannot be merged; they stay, as constants.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import TypeGuard, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrize import is_parametrized

from trsfnet.errors import ConfigError
from trsfnet.models.as_built import computes_as
from trsfnet.models.inception_resnet import InceptionResnet, Mixed5b, Reduction, ResidualBlock
from trsfnet.models.layers import ConvNormAct, ScaledProjection
from trsfnet.models.wrappers import unwrapped

# The parts before the pooling over the whole feature map, in the order in which the network computes them.
_FEATURES = (
    *("conv2d_1a", "conv2d_2a", "conv2d_2b", "maxpool_3a", "conv2d_3b", "conv2d_4a", "conv2d_4b"),
    *("maxpool_5a", "mixed_5b", "block35", "mixed_6a", "block17", "mixed_7a", "block8", "block8_last"),
    "conv2d_7b",
)

Module = TypeVar("Module", bound=nn.Module)


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
        ConfigError: the network is another one, or a layer was replaced by one that cannot be folded.
    """
    model = cast(InceptionResnet, unwrapped(model))
    if not _is(model, InceptionResnet):
        raise ConfigError(f"Only an InceptionResnet can be folded, got {_kind(model)}.")
    linear = model.last_linear
    if not _is(linear, nn.Linear):
        raise ConfigError(f"Only a linear layer can be folded as last_linear, got {_kind(linear)}.")
    if not (_is(model.dropout, nn.Dropout) or _is(model.dropout, nn.Identity)):
        raise ConfigError(f"Only a dropout can be folded as dropout, got {_kind(model.dropout)}.")
    with torch.no_grad():
        parts = ((name, getattr(model, name)) for name in _FEATURES)
        stages = OrderedDict(
            (name, _folded(part)) for name, part in parts if part is not None and not _is(part, nn.Identity)
        )
        outputs, inputs = linear.weight.shape
        last = nn.Linear(inputs, outputs, device=linear.weight.device, dtype=linear.weight.dtype)
        factor, shift = _affine(model.last_bn)
        last.weight.copy_(_weight(linear) * factor[:, None])
        last.bias.copy_(_offset(linear, factor, shift))
    folded = FoldedInceptionResnet(nn.Sequential(stages), last)
    return folded.to(memory_format=torch.channels_last).eval().requires_grad_(False)


def _folded(module: nn.Module) -> nn.Module:
    """The folded counterpart of any part of the network."""
    for kind in (ConvNormAct, ResidualBlock, Reduction, Mixed5b, nn.Sequential):
        if isinstance(module, kind) and not computes_as(module, kind):
            raise ConfigError(f"Only {kind.__name__} itself can be folded, got {_kind(module)}.")
    if isinstance(module, ConvNormAct):
        factor, shift = _affine(module.bn)
        return FoldedConv(_conv(module.conv, factor, shift), _slope(module.act))
    if isinstance(module, ResidualBlock):
        return FoldedResidual(FoldedBranches(_branches(module)), _up(module.up), _slope(module.act))
    if isinstance(module, Reduction):
        return FoldedBranches([*_branches(module), copy.deepcopy(module.pool)])
    if isinstance(module, Mixed5b):
        return FoldedBranches(_branches(module))
    if isinstance(module, nn.Sequential):
        return nn.Sequential(*map(_folded, module))
    return copy.deepcopy(module)  # a pool


def _is(module: nn.Module, kind: type[Module]) -> TypeGuard[Module]:
    """Return whether a module is of a kind and computes what this kind does."""
    return isinstance(module, kind) and computes_as(module, kind)


def _kind(module: nn.Module) -> str:
    """A module's type, for error messages."""
    return type(module).__name__ + ("" if computes_as(module, type(module)) else " with another forward")


def _branches(module: Mixed5b | Reduction | ResidualBlock) -> list[nn.Module]:
    return [_folded(getattr(module, name)) for name in module.branch_names]


def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """The factor and the offset that a norm applies to each channel in evaluation: [C] each."""
    same = isinstance(norm, nn.SyncBatchNorm) or computes_as(norm, _BatchNorm)
    if not isinstance(norm, _BatchNorm) or not same or norm.running_mean is None or norm.running_var is None:
        raise ConfigError(f"Only batch norms with running statistics can be folded, got {_kind(norm)}.")
    factor = torch.rsqrt(norm.running_var + norm.eps)
    gamma, beta = _used(norm, "weight"), _used(norm, "bias")
    factor = factor if gamma is None else gamma * factor
    shift = -norm.running_mean * factor
    return factor, shift if beta is None else beta + shift


def _offset(layer: nn.Conv2d | nn.Linear, factor: Tensor, shift: Tensor) -> Tensor:
    """The bias of `layer`, if it has one, multiplied by `factor`, plus `shift`."""
    bias = _used(layer, "bias")
    return shift if bias is None else bias * factor + shift


def _weight(layer: nn.Conv2d | nn.Linear | nn.PReLU) -> Tensor:
    """The weight with which `layer` would compute; see `_used`."""
    return cast(Tensor, _used(layer, "weight"))


def _used(module: nn.Module, name: str) -> Tensor | None:
    """The tensor `name` with which `module` would compute; None if it has none.

    Raises:
        ConfigError: if a hook, such as that of pruning or of the earlier `weight_norm`, computes it in the
            forward pass, so that the module holds the one of its last forward pass.
    """
    value: Tensor | None = getattr(module, name)
    stored = name in module._parameters or name in module._buffers or is_parametrized(module, name)
    if value is not None and not stored:
        raise ConfigError(
            f"A hook computes the {name} of a {_kind(module)}, which cannot be folded: make it a parameter "
            "again, for example with torch.nn.utils.prune.remove or torch.nn.utils.remove_weight_norm."
        )
    return value


def _conv(conv: nn.Conv2d, factor: Tensor, shift: Tensor) -> nn.Conv2d:
    """`conv` with each output channel, its bias included, multiplied by `factor`, plus `shift`."""
    if not _is(conv, nn.Conv2d):
        raise ConfigError(f"Only convolutions can be folded, got {_kind(conv)}.")
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
        dtype=conv.weight.dtype,
    )
    folded.weight.copy_(_weight(conv) * factor.view(-1, 1, 1, 1))
    folded.get_parameter("bias").copy_(_offset(conv, factor, shift))
    return folded


def _up(up: ScaledProjection) -> nn.Conv2d:
    """The projection with its scale in its kernel and bias."""
    if not _is(up, ScaledProjection):
        raise ConfigError(f"Only a ScaledProjection can be folded as a block's projection, got {_kind(up)}.")
    weight, trained = up.conv.weight, _used(up, "scale")
    scale = torch.as_tensor(
        up.value if trained is None else trained, dtype=weight.dtype, device=weight.device
    )
    factor = scale.expand(up.conv.out_channels)
    return _conv(up.conv, factor, torch.zeros_like(factor))


def _slope(act: nn.Module) -> float | None:
    """The slope of an activation's negative half; None if there is no activation."""
    if _is(act, nn.Identity):
        return None
    if _is(act, nn.ReLU):
        return 0.0
    if _is(act, nn.LeakyReLU):
        return act.negative_slope
    if _is(act, nn.PReLU) and act.weight.numel() == 1:
        return _weight(act).item()
    raise ConfigError(f"Only ReLU, Leaky ReLU and PReLU with one slope can be folded, got {_kind(act)}.")
