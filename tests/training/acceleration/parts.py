"""Every kind of part that our networks have, small, and what a training step of it gives."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from trsfnet.models.inception_resnet import Mixed5b, Reduction, ResidualBlock
from trsfnet.models.layers import Conv, Units
from trsfnet.training.acceleration import accelerate


def parts(activation: str = "prelu", *, scale: str = "trainable") -> nn.Sequential:
    """A unit, a residual module, a reduction and Mixed 5b in a row, in float64; images [N, 3, 21, 21]."""
    torch.manual_seed(0)
    units = Units(activation, 0.2, bn_gamma=False, bn_momentum=0.1)
    two = ((Conv(8, 1),), (Conv(8, 1), Conv(8, 3)))
    reducing = ((Conv(8, 1), Conv(8, 3, stride=2)), (Conv(8, 1), Conv(8, 3, stride=2)))
    network = nn.Sequential(
        units.conv(3, Conv(8, 3, stride=2)),  # 8 x 10 x 10
        ResidualBlock(8, two, units, scale=scale, value=0.3, activated=True),
        Reduction(8, reducing, units),  # 24 x 4 x 4
        Mixed5b(24, ((Conv(8, 1),), (Conv(8, 1),), (Conv(8, 1),)), units),
    )
    return network.double().to(memory_format=torch.channels_last).train()


def fast(network: nn.Module) -> nn.Module:
    """An accelerated copy of `network`."""
    network = copy.deepcopy(network)
    assert accelerate(network).skipped == {}
    return network


def images(count: int = 4, *, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 3, 21, 21, generator=generator, dtype=torch.float64)
    return x.contiguous(memory_format=torch.channels_last)


def step(network: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Output, gradients and buffers after a forward and backward pass."""
    x = x.detach().clone().requires_grad_()
    network.zero_grad()
    output = network(x)
    weights = torch.arange(output.numel(), dtype=output.dtype).reshape(output.shape) % 7 - 3
    (output * weights).sum().backward()
    gradients = {name: p.grad for name, p in network.named_parameters() if p.requires_grad}
    assert None not in gradients.values(), "everything that is trained gets a gradient"
    return {"output": output.detach(), "input": x.grad, **gradients, **dict(network.named_buffers())}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    """Assert that two steps agree to the rounding of float64."""
    assert a.keys() == b.keys()
    for name, value in a.items():
        torch.testing.assert_close(value, b[name], rtol=1e-9, atol=1e-10, msg=name)
