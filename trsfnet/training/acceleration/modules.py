"""Network parts with a faster forward pass, used only where the result is provably the same.

Each class here replaces one of `trsfnet.models` and has the same children, parameters and names. Before it
uses its own computation, it checks that the modules that it bypasses are exactly PyTorch's and have no hooks;
otherwise it computes like the plain class and warns once.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from trsfnet.models.inception_resnet import Branched, Mixed5b, Reduction, ResidualBlock
from trsfnet.models.layers import ConvNormAct, ScaledProjection
from trsfnet.training.acceleration.kernels import NormPReLU, SumPReLU, applicable, pointwise

_ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.PReLU)


class Accelerated(nn.Module, ABC):
    """Base class of all accelerated modules."""

    same_function = True  # see `SAME_FUNCTION` in `trsfnet.models.as_built`

    @abstractmethod
    def obstacle(self) -> str | None:
        """Why this part must compute like the plain class; None if it need not."""

    def engaged(self) -> bool:
        """Return whether the fast computation applies; warn if an obstacle appeared after `accelerate`."""
        return _clear(self.obstacle())

    def __prepare_scriptable__(self) -> nn.Module:
        """Let `torch.jit.script` compile the plain class with the same parameters instead of this module."""
        plain = object.__new__(PLAIN[type(self)])
        plain.__dict__ = self.__dict__
        return plain


class FastConvNormAct(Accelerated, ConvNormAct):
    """A unit whose 1x1 convolution is a matrix product, and whose norm and PReLU are one operation."""

    def obstacle(self) -> str | None:
        """The obstacle: a layer that is not PyTorch's own or has hooks, or a norm without statistics."""
        reason = (
            _touched("a convolution", self.conv, (nn.Conv2d,))
            or _touched("a norm", self.bn, (nn.BatchNorm2d,))
            or _touched("an activation", self.act, _ACTIVATIONS)
        )
        if reason is None and not self.bn.track_running_stats:
            reason = "a norm keeps no running statistics"
        return reason

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] -> [N, out_channels, H', W']."""
        if not (self.training and self.engaged()):
            return super().forward(x)
        conv = self.conv
        y = pointwise(x, conv.weight, conv.bias) if is_pointwise(conv) and applicable(x) else conv(x)
        kept = _statistics(self.bn)
        if kept is None or type(self.act) is not nn.PReLU or not _fusible(self.bn, y):
            return self.act(self.bn(y))
        kept.batches.add_(1)
        slope = self.act.weight
        return NormPReLU.apply(y, self.bn.bias, slope, kept.mean, kept.var, kept.momentum, self.bn.eps)


class FastScaledProjection(Accelerated, ScaledProjection):
    """The scale multiplies the 1x1 kernel and bias instead of the feature map.

    The result and all three gradients are the same, because the projection is linear, but no additional
    tensor of the feature map's size is computed or kept for the backward pass.
    """

    def obstacle(self) -> str | None:
        """The obstacle: a projection that is not a plain 1x1 convolution with a bias, or has hooks."""
        reason = _touched("a projection", self.conv, (nn.Conv2d,))
        if reason is None and not (is_pointwise(self.conv) and self.conv.bias is not None):
            reason = "a projection is not a 1x1 convolution with a bias"
        return reason

    def forward(self, z: Tensor) -> Tensor:
        """[N, in_channels, H, W] -> [N, out_channels, H, W]."""
        if not (isinstance(z, Tensor) and self.engaged()):  # symbolic tracers pass something else
            return super().forward(z)
        kernel, bias = self.conv.weight, self.conv.bias
        assert bias is not None  # checked by `engaged`
        if self.scale is None:
            kernel, bias = kernel * self.value, bias * self.value
        else:
            kernel, bias = kernel * self.scale.view(-1, 1, 1, 1), bias * self.scale
        project = pointwise if self.training and applicable(z) else F.conv2d
        return project(z, kernel, bias)


class _FastBranched(Accelerated, Branched):
    """Computes all 1x1 units that read the module's input as one wider unit."""

    def obstacle(self) -> str | None:
        """The obstacle: first units that were modified, or whose norms or activations differ."""
        return self._first_units()[1]

    def outputs(self, x: Tensor) -> list[Tensor]:
        """The output of each branch."""
        if not (self.training and isinstance(x, Tensor)):  # symbolic tracers pass something else
            return super().outputs(x)
        units, reason = self._first_units()
        started = dict(zip(units, siblings(x, list(units.values())), strict=True)) if _clear(reason) else {}
        outputs = []
        for name in self.branch_names:
            branch = getattr(self, name)
            if name not in started:
                outputs.append(branch(x))
                continue
            y = started[name]
            for module in list(branch)[1:] if isinstance(branch, nn.Sequential) else ():
                y = module(y)
            outputs.append(y)
        return outputs

    def _first_units(self) -> tuple[dict[str, FastConvNormAct], str | None]:
        """The 1x1 units that can be computed as one, by branch, and the reason if they cannot be."""
        units: dict[str, FastConvNormAct] = {}
        reason = None
        for name in self.branch_names:
            branch = getattr(self, name)
            first: Any = branch[0] if type(branch) is nn.Sequential and len(branch) else branch
            if isinstance(first, nn.AvgPool2d):
                continue
            kinds = (nn.Sequential, FastConvNormAct)
            touched = _touched("a branch", branch, kinds) or _touched("a unit", first, kinds[1:])
            touched = touched or first.obstacle()
            if touched is None and is_pointwise(first.conv):
                units[name] = first
            reason = reason or touched
        if reason is None and len(units) > 1:
            reason = _differing(list(units.values()))
        return units, reason


class FastResidualBlock(_FastBranched, ResidualBlock):
    """Residual block whose PReLU after the sum keeps only a tensor that the next layer keeps anyway."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, H, W] -> the same shape."""
        y = x + self.branch(x)
        # `SumPReLU` keeps its output for the backward pass; a hook may change this output in place.
        kept = not (self._forward_hooks or _has_any_global_hook())
        if kept and self.training and applicable(y) and _is_scalar_prelu(self.act):
            return SumPReLU.apply(y, self.act.weight)
        return self.act(y)


class FastReduction(_FastBranched, Reduction):
    """Reduction whose 1x1 first units are computed as one."""


class FastMixed5b(_FastBranched, Mixed5b):
    """Mixed 5b whose 1x1 first units are computed as one, except in the branch that pools first."""


FAST: dict[type[nn.Module], type[nn.Module]] = {
    ConvNormAct: FastConvNormAct,
    ScaledProjection: FastScaledProjection,
    ResidualBlock: FastResidualBlock,
    Reduction: FastReduction,
    Mixed5b: FastMixed5b,
}
PLAIN = {fast: plain for plain, fast in FAST.items()}


def is_pointwise(conv: nn.Conv2d) -> bool:
    """Return whether a convolution is 1x1: it mixes only the channels of each pixel."""
    return (
        conv.kernel_size == conv.stride == (1, 1) and conv.padding in ((0, 0), "valid") and conv.groups == 1
    )


def siblings(x: Tensor, units: Sequence[ConvNormAct]) -> Sequence[Tensor]:
    """The outputs of 1x1 units that read the same input, computed as one unit in training.

    Args:
        x: [N, C, H, W].
        units: compatible units, for which `_differing` returns None.

    Returns:
        [N, width of the unit, H, W] for each unit.
    """
    norms = [unit.bn for unit in units]
    kept = [each for each in map(_statistics, norms) if each is not None]
    if len(units) < 2 or len(kept) < len(units):
        return [unit(x) for unit in units]
    widths = [norm.num_features for norm in norms]
    act, momentum, eps = units[0].act, kept[0].momentum, norms[0].eps
    gamma, beta = torch.cat([norm.weight for norm in norms]), torch.cat([norm.bias for norm in norms])
    mean, var = torch.cat([each.mean for each in kept]), torch.cat([each.var for each in kept])
    project = pointwise if applicable(x) else F.conv2d
    z = project(x, torch.cat([unit.conv.weight for unit in units]))
    if isinstance(act, nn.PReLU):
        slopes = [cast(Tensor, unit.act.weight) for unit in units]
        slope = torch.cat([slope.expand(width) for slope, width in zip(slopes, widths, strict=True)])
        if applicable(z) and _is_one(gamma) and _has_spread(z):
            z = NormPReLU.apply(z, beta, slope, mean, var, momentum, eps)
        else:
            z = F.prelu(F.batch_norm(z, mean, var, gamma, beta, True, momentum, eps), slope)
    else:
        z = act(F.batch_norm(z, mean, var, gamma, beta, True, momentum, eps))
    with torch.no_grad():
        torch._foreach_add_([each.batches for each in kept], 1)
        torch._foreach_copy_([each.mean for each in kept], mean.split(widths))
        torch._foreach_copy_([each.var for each in kept], var.split(widths))
    return z.split(widths, dim=1)


def _clear(reason: str | None) -> bool:
    """Return whether there is no obstacle; warn about it once if there is one."""
    if reason is not None and not torch.compiler.is_compiling():
        warnings.warn(f"A part of the network is not accelerated: {reason}.", stacklevel=4)
    return reason is None


def _touched(role: str, module: nn.Module, kinds: tuple[type[nn.Module], ...]) -> str | None:
    """Why bypassing `module` might differ from calling it; None if it cannot."""
    if type(module) not in kinds:
        return f"{role} is of the type {type(module).__name__}"
    if (
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        or _has_any_global_hook()
    ):
        return f"{role} has hooks"
    if "forward" in vars(module) or module._compiled_call_impl is not None:
        return f"{role} has a forward pass of its own"
    return None


def _differing(units: Sequence[ConvNormAct]) -> str | None:
    """Why these units cannot be computed as one; None if they can."""
    first = units[0]
    for unit in units:
        if unit.conv.bias is not None:
            return "a convolution at the start of a branch has a bias"
        if type(unit.act) is not type(first.act):
            return "activations at the starts of a module's branches are of several types"
        if getattr(unit.act, "negative_slope", 0) != getattr(first.act, "negative_slope", 0):
            return "activations at the starts of a module's branches have several slopes"
        if (unit.bn.eps, unit.bn.momentum) != (first.bn.eps, first.bn.momentum):
            return "norms at the starts of a module's branches have several settings"
        if unit.bn.weight is None or unit.bn.bias is None or unit.bn.weight.dtype != first.bn.weight.dtype:
            return "norms at the starts of a module's branches lack gamma and beta, or differ in precision"
    return None


def _is_scalar_prelu(act: nn.Module) -> bool:
    """Return whether an activation is PyTorch's PReLU with one slope and without hooks."""
    return (
        isinstance(act, nn.PReLU)
        and _touched("an activation", act, (nn.PReLU,)) is None
        and act.weight.numel() == 1
    )


class _Statistics(NamedTuple):
    """A norm's running mean and variance [C], its number of batches, and its momentum."""

    mean: Tensor
    var: Tensor
    batches: Tensor
    momentum: float


def _statistics(norm: nn.BatchNorm2d) -> _Statistics | None:
    """The running statistics of a norm in training mode with constant momentum; None for any other norm."""
    mean, var, batches = norm.running_mean, norm.running_var, norm.num_batches_tracked
    if not (norm.training and norm.track_running_stats):
        return None
    if mean is None or var is None or batches is None or norm.momentum is None:
        return None
    return _Statistics(mean, var, batches, norm.momentum)


def _fusible(norm: nn.BatchNorm2d, y: Tensor) -> bool:
    """Return whether `NormPReLU` can replace `norm`, which keeps statistics, for its input `y`."""
    return applicable(y) and _is_one(norm.weight) and _has_spread(y)


def _is_one(gamma: Tensor | None) -> bool:
    """Return whether gamma is the constant 1. It is not if it came with another network's weights."""
    return gamma is not None and not gamma.requires_grad and torch.equal(gamma, torch.ones_like(gamma))


def _has_spread(y: Tensor) -> bool:
    """Return whether each channel has more than one value; PyTorch's norm rejects a single one."""
    return y.numel() > y.shape[1]
