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

from trsfnet.models.inception_resnet import InceptionResnet, ResidualBlock, recorded_name


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

    The norms count the batch, as they always did; nothing depends on their counters.
    """
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    training = model.training
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    for module, _ in modes:
        if isinstance(module, nn.Dropout):
            module.eval()
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        model.train(training)
        for module, mode in modes:
            module.training = mode
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
