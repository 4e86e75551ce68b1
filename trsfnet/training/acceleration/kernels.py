"""Batch norm, PReLU and 1x1 convolutions on the CPU, with fewer passes over memory than PyTorch's own.

Results and gradients equal those of PyTorch's layers up to rounding:

- PyTorch's backward pass of a scalar PReLU writes a full-size tensor only to sum it up, and its forward pass
  keeps one more tensor than ReLU's. `NormPReLU` and `SumPReLU` do neither.
- A 1x1 convolution of a channels_last tensor is one matrix product (`pointwise`).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

aten = torch.ops.aten


def applicable(x: Tensor) -> bool:
    """Return whether these kernels can compute on `x` [N, C, H, W].

    They require a channels_last tensor on the CPU. They are not used under a compiler, which fuses operations
    itself, under symbolic tracers, which do not know the layout, or under function transforms (`torch.func`,
    forward-mode derivatives), which need PyTorch's own layers.
    """
    return (
        not torch.compiler.is_compiling()
        and type(x) is Tensor
        and x.device.type == "cpu"
        and x.is_contiguous(memory_format=torch.channels_last)
        and not torch._C._are_functorch_transforms_active()
        and torch.autograd.forward_ad._current_level < 0
    )


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """1x1 convolution of a channels_last `x` [N, C, H, W] by `weight` [D, C, 1, 1] and `bias` [D]."""
    return F.linear(x.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)


def _refuse_second_derivatives() -> None:
    if torch.is_grad_enabled():  # in a backward pass only with create_graph=True
        raise RuntimeError(
            "An accelerated network has first derivatives only: call "
            "trsfnet.training.acceleration.restore(network) before taking second ones."
        )


class NormPReLU(torch.autograd.Function):
    """Batch norm with the batch's own statistics, then PReLU: z = max(y, 0) + slope * min(y, 0).

    Only the normalised y is kept for the backward pass, not the norm's input: without gamma, the norm's
    backward pass needs only y - beta. The next layer keeps the output z, so that two tensors are kept in
    total, as many as for a norm and a ReLU.
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
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of `x`, `beta` and `slope`."""
        _refuse_second_derivatives()
        y, beta, invstd, slope = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        # The gradient of y reuses the memory of the tensor from which the slope's gradient is summed.
        if slope.numel() == 1:
            spent = y.clamp(max=0)
            grad_slope = _dot(spent, grad).view_as(slope)
            grad_y = aten.leaky_relu_backward.grad_input(grad, y, slope.item(), False, grad_input=spent)
        else:
            positive = aten.threshold_backward(grad, y, 0)
            spent = (grad - positive).mul_(y)
            grad_slope = spent.sum((0, 2, 3))
            grad_y = torch.lerp(positive, grad, slope.view(1, -1, 1, 1), out=spent)
        # This is the backward pass of a norm whose input is y itself, with mean beta and deviation 1; passing
        # invstd as its gamma turns the result into the gradient of x.
        grad_x, _, grad_beta = aten.native_batch_norm_backward(
            grad_y, y, invstd, None, None, beta, torch.ones_like(beta), True, 0.0, [True, False, True]
        )
        return grad_x, grad_beta, grad_slope, None, None, None, None


class SumPReLU(torch.autograd.Function):
    """PReLU with one slope that does not follow a norm, for example after a residual sum.

    The next layer keeps the output z. The backward pass can recover what it needs of the input y from z, so y
    is not kept: min(y, 0) is min(z, 0) / slope, or, if the slope is negative, z / slope where a mask of one
    byte per element does not mark y as positive. Only a slope of (nearly) 0 requires y to be kept.
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
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of `y` and `slope`."""
        _refuse_second_derivatives()
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
    """Sum of the elementwise products of two channels_last tensors [N, C, H, W]; may overwrite `a`.

    In bfloat16, `torch.dot` is avoided because it runs as a matrix product of one row and one column.
    """
    if a.dtype == torch.bfloat16:
        return a.mul_(b).sum()
    return torch.dot(a.permute(0, 2, 3, 1).reshape(-1), b.permute(0, 2, 3, 1).reshape(-1))
