"""The same arithmetic in fewer passes: how a network in training computes its parts on the CPU.

Results and gradients are those of the modules that the network is made of, to rounding, and so are
parameters, running statistics and their names. Three things make the difference:

- PyTorch's backward of a scalar PReLU writes a full-size tensor only to sum it up, and its forward keeps
  one tensor more than ReLU's. `NormPReLU` and `SumPReLU` do neither.
- A 1x1 convolution of a channels_last tensor is one matrix product (`pointwise`).
- Convolutions that read the same input are one wider convolution (`siblings`), on any device.

In evaluation nothing here is used, so exports and embeddings do not depend on it. Hooks on the modules
that are bypassed (norms, activations, first units of branches) fire in evaluation only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

if TYPE_CHECKING:
    from trsfnet.models.layers import ConvNormAct

aten = torch.ops.aten


def fast(x: Tensor) -> bool:
    """Whether the CPU's own paths apply to `x` [N, C, H, W]; a compiler fuses by itself."""
    return (
        not torch.compiler.is_compiling()
        and x.device.type == "cpu"
        and x.is_contiguous(memory_format=torch.channels_last)
    )


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """1x1 convolution, [N, C, H, W] -> [N, D, H, W], by `weight` [D, C, 1, 1] and `bias` [D]."""
    if not fast(x):
        return F.conv2d(x, weight, bias)
    return F.linear(x.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)


def norm_act(x: Tensor, norm: nn.BatchNorm2d, act: nn.Module) -> Tensor:
    """`act(norm(x))` in training, [N, C, H, W] -> the same shape."""
    if not (fast(x) and isinstance(act, nn.PReLU) and _is_plain(norm) and _is_one(norm.weight)):
        return act(norm(x))
    norm.num_batches_tracked.add_(1)
    statistics = (norm.running_mean, norm.running_var, norm.momentum, norm.eps)
    return NormPReLU.apply(x, norm.bias, act.weight, *statistics)


def act_of_sum(x: Tensor, act: nn.Module) -> Tensor:
    """`act(x)` in training where no norm comes first, [N, C, H, W] -> the same shape."""
    return SumPReLU.apply(x, act.weight) if fast(x) and isinstance(act, nn.PReLU) else act(x)


def siblings(x: Tensor, units: Sequence[ConvNormAct]) -> Sequence[Tensor]:
    """The outputs of 1x1 units that read the same input, computed as one unit in training.

    Args:
        x: [N, C, H, W].
        units: all with the same kind of activation.

    Returns:
        [N, width of the unit, H, W] for each unit.
    """
    norms = [unit.bn for unit in units]
    if len(units) < 2 or not all(map(_is_plain, norms)) or len({norm.momentum for norm in norms}) > 1:
        return [unit(x) for unit in units]
    widths = [norm.num_features for norm in norms]
    act, momentum, eps = units[0].act, norms[0].momentum, norms[0].eps
    gamma, beta = torch.cat([norm.weight for norm in norms]), torch.cat([norm.bias for norm in norms])
    mean = torch.cat([norm.running_mean for norm in norms])
    var = torch.cat([norm.running_var for norm in norms])
    z = pointwise(x, torch.cat([unit.conv.weight for unit in units]))
    if isinstance(act, nn.PReLU):
        slope = torch.cat([unit.act.weight.expand(width) for unit, width in zip(units, widths, strict=True)])
        if fast(z) and _is_one(gamma):
            z = NormPReLU.apply(z, beta, slope, mean, var, momentum, eps)
        else:
            z = F.prelu(F.batch_norm(z, mean, var, gamma, beta, True, momentum, eps), slope)
    else:
        z = act(F.batch_norm(z, mean, var, gamma, beta, True, momentum, eps))
    with torch.no_grad():
        torch._foreach_add_([norm.num_batches_tracked for norm in norms], 1)
        torch._foreach_copy_([norm.running_mean for norm in norms], mean.split(widths))
        torch._foreach_copy_([norm.running_var for norm in norms], var.split(widths))
    return z.split(widths, dim=1)


def _is_plain(norm: nn.Module) -> bool:
    """In training, and no subclass, such as one that gathers its statistics from several processes."""
    return norm.training and type(norm) is nn.BatchNorm2d


def _is_one(gamma: Tensor) -> bool:
    """A constant gamma is 1 unless it came with another network's weights."""
    return not gamma.requires_grad and torch.equal(gamma, torch.ones_like(gamma))


class NormPReLU(torch.autograd.Function):
    """Batch norm by the batch's own statistics, then PReLU: z = max(y, 0) + slope * min(y, 0).

    Only the normalised y is kept, not the norm's input: without gamma, y - beta is what the norm's
    backward wants to know of it. With the output z, which the next layer keeps, that makes the two
    tensors that a norm and a ReLU keep.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        beta: Tensor,
        slope: Tensor,
        mean: Tensor,
        var: Tensor,
        momentum: float,
        eps: float,
    ) -> Tensor:
        """`x` [N, C, H, W]; `slope` [1] or [C]; `beta` and running statistics [C]."""
        y, _, invstd = torch.native_batch_norm(x, None, beta, mean, var, True, momentum, eps)
        slope = slope.to(y.dtype)
        ctx.save_for_backward(y, beta, invstd, slope)
        return aten._prelu_kernel(y, slope.view(1, -1, 1, 1))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of `x`, `beta` and `slope`."""
        y, beta, invstd, slope = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        # What a gradient of the slope is summed from leaves its memory to the gradient of y.
        if slope.numel() == 1:
            spent = y.clamp(max=0)
            grad_slope = _dot(spent, grad).view_as(slope)
            grad_y = aten.leaky_relu_backward.grad_input(grad, y, slope.item(), False, grad_input=spent)
        else:
            positive = aten.threshold_backward(grad, y, 0)
            spent = (grad - positive).mul_(y)
            grad_slope = spent.sum((0, 2, 3))
            grad_y = torch.lerp(positive, grad, slope.view(1, -1, 1, 1), out=spent)
        # The norm of y itself: centred by beta, of deviation 1; invstd, as its gamma, leads on to x.
        grad_x, _, grad_beta = aten.native_batch_norm_backward(
            grad_y, y, invstd, None, None, beta, torch.ones_like(beta), True, 0.0, [True, False, True]
        )
        return grad_x, grad_beta, grad_slope, None, None, None, None


class SumPReLU(torch.autograd.Function):
    """PReLU of one slope where no norm comes first, as after a residual sum.

    The next layer keeps the output z. It tells what the backward has to know of the input y, which is
    therefore not kept: min(y, 0) is min(z, 0) / slope, or, if the slope is negative, z / slope where a
    mask of a byte per element says so. Only a slope of (nearly) nothing leaves no trace of y in z.
    """

    @staticmethod
    def forward(ctx: Any, y: Tensor, slope: Tensor) -> Tensor:
        """`y` [N, C, H, W], `slope` [1]."""
        slope = slope.to(y.dtype)
        z = aten._prelu_kernel(y, slope)
        ctx.slope = slope.item()
        ctx.divisor = ctx.slope if abs(ctx.slope) > 1e-6 else 1.0
        if ctx.divisor > 0:
            ctx.save_for_backward(y if ctx.divisor == 1 else z)
        else:
            ctx.save_for_backward(z, y > 0)
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of `y` and `slope`."""
        kept, *positive = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        if positive:
            spent = kept.masked_fill(positive[0], 0)
            grad_slope = _dot(spent, grad) / ctx.divisor
            grad_y = torch.where(positive[0], grad, torch.mul(grad, ctx.slope, out=spent), out=spent)
        else:
            spent = kept.clamp(max=0)
            grad_slope = _dot(spent, grad) / ctx.divisor
            grad_y = aten.leaky_relu_backward.grad_input(grad, kept, ctx.slope, False, grad_input=spent)
        return grad_y, grad_slope.view(1)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Sum of the products of two channels_last [N, C, H, W], of which it overwrites `a`.

    In bfloat16 not by `torch.dot`: that is left to a matrix product of one row and one column.
    """
    if a.dtype == torch.bfloat16:
        return a.mul_(b).sum()
    return torch.dot(a.permute(0, 2, 3, 1).reshape(-1), b.permute(0, 2, 3, 1).reshape(-1))
