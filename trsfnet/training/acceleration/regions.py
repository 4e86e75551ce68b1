"""PyTorch's compiler on the repeated parts of a network instead of the whole.

Blocks of one kind share their code, so that it is compiled once for all of them: a network of 21 residual
modules has four kinds. Compiling the whole takes several times as long and gives the same speed.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from trsfnet.models import InceptionResnet
from trsfnet.models.inception_resnet import Branched
from trsfnet.models.layers import ConvNormAct


def compile_regions(model: InceptionResnet) -> None:
    """Compile every block and every unit outside of blocks, for training steps alone.

    What has no gradients, such as evaluation, goes the usual way: it would be compiled anew for each size of
    batch, and which variant a step gets must not depend on what came before it.
    """
    for region in _regions(model):
        _compile(region)


def _regions(module: nn.Module) -> Iterator[nn.Module]:
    for child in module.children():
        if isinstance(child, Branched | ConvNormAct):
            yield child
        else:
            yield from _regions(child)


def _compile(region: nn.Module) -> None:
    region.compile(dynamic=False)
    compiled, usual = region._compiled_call_impl, region._call_impl
    assert compiled is not None

    def call(x: Tensor) -> Tensor:
        steps = region.training and torch.is_grad_enabled()
        return compiled(x) if steps else usual(x)

    region._compiled_call_impl = call
