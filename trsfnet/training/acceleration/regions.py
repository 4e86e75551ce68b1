"""PyTorch's compiler on the repeated parts of a network instead of the whole.

Blocks of one kind share their code, so that it is compiled once for all of them: the 29 regions of v1 are of
12 kinds, and its 132 convolutions shrink to 39 for the compiler.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor, nn

from trsfnet.models import InceptionResnet
from trsfnet.models.inception_resnet import Branched
from trsfnet.models.layers import ConvNormAct

BACKEND = "inductor"


def compile_regions(model: InceptionResnet) -> None:
    """Compile every block and every unit outside of blocks, for training steps alone.

    What has no gradients, such as evaluation, goes the usual way: it would be compiled again for each size of
    batch, and which variant a step gets must not depend on what came before it.
    """
    for region in regions(model):
        _compile(region)


def regions(module: nn.Module) -> Iterator[nn.Module]:
    """The parts of a network that are compiled, each by itself."""
    for child in module.children():
        if isinstance(child, Branched | ConvNormAct):
            yield child
        else:
            yield from regions(child)


def _compile(region: nn.Module) -> None:
    region.compile(dynamic=False, backend=BACKEND)
    compiled, usual = region._compiled_call_impl, region._call_impl
    assert compiled is not None

    def call(x: Tensor) -> Tensor:
        step = region.training and torch.is_grad_enabled()
        return compiled(x) if step else usual(x)

    region._compiled_call_impl = call


@cache
def compiler_fault() -> str | None:
    """What is wrong with this machine's C++ compiler, in a sentence, after trying it; None if it works."""
    try:
        torch.compile(lambda x: x.sin() + 1, backend=BACKEND)(torch.ones(2))
    except Exception as error:  # the compiler, its headers, its cache: each fails in its own way
        cause = getattr(error, "inner_exception", error)
        reason = str(cause).strip().partition("\n")[0].rstrip(".") or type(cause).__name__
        return f"PyTorch's compiler does not work here ({reason})."
    return None
