"""Measures what residual branches contribute: the meaning of a scale (paper, section 4.4.2 and conclusion).

A scale s and the norm of the 1x1 kernel W that it multiplies are not separately identifiable: s (W z + b)
is the same for s / c with c W and c b. A scale near 1 therefore says little by itself. The norm of a branch's
output divided by the norm of the trunk that it is added to does not depend on that split.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trsfnet.models.inception_resnet import InceptionResnet, ResidualBlock, recorded_name
from trsfnet.models.modes import modes_kept


@torch.no_grad()
def residual_ratios(model: InceptionResnet, x: Tensor) -> dict[str, float]:
    """The norm of each scaled branch divided by the norm of its trunk, by module, in forward order.

    Batch norms use the statistics of `x`, as in training, so a newly initialised network can be measured too.
    The model is left unchanged.

    Args:
        model: on the device of `x`.
        x: network input [N, 3, H, W], N at least 2.

    Returns:
        Mean over the images of ||s * Inception(x)|| / ||x||, by names such as `ratio_inception-resnet v1.3`.
    """
    trunks: dict[ResidualBlock, Tensor] = {}
    ratios: dict[ResidualBlock, float] = {}

    def note_trunk(block: ResidualBlock, inputs: tuple[Tensor]) -> None:
        trunks[block] = inputs[0]

    def note_branch(block: ResidualBlock, _up: nn.Module, _inputs: tuple[Tensor], branch: Tensor) -> None:
        ratios[block] = (_norms(branch) / _norms(trunks.pop(block))).mean().item()

    blocks = model.residual_blocks()
    hooks = [block.register_forward_pre_hook(note_trunk) for block in blocks]
    hooks += [block.up.register_forward_hook(partial(note_branch, block)) for block in blocks]
    try:
        with batch_statistics(model):
            model.forward(x)  # not the compiled call, which hooks would break
    finally:
        for hook in hooks:
            hook.remove()
    return {
        recorded_name("ratio", model.version, i): ratios[block] for i, block in enumerate(blocks, start=1)
    }


def kernel_norms(model: InceptionResnet) -> dict[str, float]:
    """Frobenius norm of the 1x1 kernel under each scale, by names such as `kernel_inception-resnet v1.3`."""
    return {
        recorded_name("kernel", model.version, i): _norm(block.up.conv.weight)
        for i, block in enumerate(model.residual_blocks(), start=1)
    }


def bias_norms(model: InceptionResnet) -> dict[str, float]:
    """L2 norm of the bias under each scale, by names such as `bias_inception-resnet v1.3`."""
    return {
        recorded_name("bias", model.version, i): _norm(block.up.conv.get_parameter("bias"))
        for i, block in enumerate(model.residual_blocks(), start=1)
    }


def _norm(parameter: Tensor) -> float:
    return torch.linalg.vector_norm(parameter.detach()).item()


def _norms(features: Tensor) -> Tensor:
    """L2 norm of each image's feature map: float32 [N]."""
    return torch.linalg.vector_norm(features.float().flatten(1), dim=1)


@contextmanager
def batch_statistics(model: nn.Module) -> Iterator[None]:
    """Normalise with the batch's statistics, without dropout and without changing the running statistics.

    The norms count the batch, as they always did; their counters are kept only where the running statistics
    depend on them, as averages over all batches (a momentum of None).
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    # A momentum of 0 is not enough: 0 times an infinite mean is not a number.
    before = [(buffer, buffer.clone()) for norm in norms for buffer in _statistics(norm)]
    with modes_kept(model):
        model.train()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
        for norm in norms:
            norm.momentum = 0.0
        try:
            yield
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum
            with torch.no_grad():
                for buffer, value in before:
                    buffer.copy_(value)


def _statistics(norm: _BatchNorm) -> list[Tensor]:
    """The buffers of a norm that determine its running statistics."""
    counter = norm.num_batches_tracked if norm.momentum is None else None
    return [buffer for buffer in (norm.running_mean, norm.running_var, counter) if buffer is not None]
