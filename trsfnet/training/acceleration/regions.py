"""Applies PyTorch's compiler to the repeated parts of a network instead of to the whole.

Inception modules of one kind share their code, which is therefore compiled only once: v1 has 29 regions of 12
kinds, and the compiler sees 39 convolutions instead of 132.
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
    """Compile every Inception module, and every unit outside of them, for training steps only.

    Passes without gradients, such as evaluation, are not compiled: each batch size would need another
    compilation, and the variant that a step uses must not depend on what ran before it.
    """
    for region in regions(model):
        _compile(region)


def regions(module: nn.Module) -> Iterator[nn.Module]:
    """The parts of a network that are compiled separately."""
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
    """Try this machine's C++ compiler; return a sentence on what is wrong, or None if it works."""
    try:
        torch.compile(lambda x: x.sin() + 1, backend=BACKEND)(torch.ones(2))
    except Exception as error:  # a missing compiler, header or cache raises different types
        cause = getattr(error, "inner_exception", error)
        reason = str(cause).strip().partition("\n")[0].rstrip(".") or type(cause).__name__
        return f"PyTorch's compiler does not work here ({reason})."
    return None
