"""The same network computed the textbook way: module by module, each a call into PyTorch's own layers.

What `trsfnet.models.fused` is measured against, and what the tests hold its gradients to.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch.nn.functional as F
from torch import Tensor, nn

from trsfnet.models.inception_resnet import Mixed5b, Reduction, ResidualBlock
from trsfnet.models.layers import ConvNormAct, ScaledProjection

M = TypeVar("M", bound=nn.Module)


def plain(model: M) -> M:
    """A copy of `model`, with equal parameters and names, that computes the textbook way."""
    model = copy.deepcopy(model)
    for module in model.modules():
        module.__class__ = _PLAIN.get(type(module), type(module))
    return model


class _Unit(ConvNormAct):
    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class _Projection(ScaledProjection):
    def forward(self, z: Tensor) -> Tensor:
        if self.scale is None:
            return F.conv2d(z, self.conv.weight * self.value, self.conv.bias * self.value)
        return F.conv2d(z, self.conv.weight * self.scale.view(-1, 1, 1, 1), self.conv.bias * self.scale)


class _Branches:
    branch_names: tuple[str, ...]

    def outputs(self, x: Tensor) -> list[Tensor]:
        return [getattr(self, name)(x) for name in self.branch_names]


class _Block(_Branches, ResidualBlock):
    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.branch(x))


class _Reduction(_Branches, Reduction):
    pass


class _Mixed5b(_Branches, Mixed5b):
    pass


_PLAIN = {
    ConvNormAct: _Unit,
    ScaledProjection: _Projection,
    ResidualBlock: _Block,
    Reduction: _Reduction,
    Mixed5b: _Mixed5b,
}
