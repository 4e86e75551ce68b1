"""The fast paths of training are the textbook's arithmetic: same outputs, gradients and statistics."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from benchmarks.step import bytes_kept
from trsfnet.models import InceptionResnet
from trsfnet.models.inception_resnet import ResidualBlock
from trsfnet.models.layers import Conv, Units
from trsfnet.training.acceleration import accelerate
from trsfnet.training.acceleration.kernels import NormPReLU, SumPReLU

pytestmark = pytest.mark.usefixtures("one_thread")

# Slopes as training leaves them: some negative, some (nearly) zero, some above their start.
SLOPES = (-0.3, 0.2, 0.0, 1e-9, 0.7)


def build(**settings) -> InceptionResnet:
    torch.manual_seed(0)
    model = InceptionResnet(**{"width": 0.125, "input_size": 75, "embedding_size": 16, **settings}).train()
    slopes = [module.weight for module in model.modules() if isinstance(module, nn.PReLU)]
    with torch.no_grad():
        for i, slope in enumerate(slopes):
            slope.fill_(SLOPES[i % len(SLOPES)])
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.1)
    return model


def fast(model: nn.Module) -> nn.Module:
    """An accelerated copy of `model`."""
    model = copy.deepcopy(model)
    assert accelerate(model).skipped == {}
    return model


def step(model: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Output, gradients and buffers after a forward and backward pass."""
    torch.manual_seed(1)
    x = x.detach().clone().requires_grad_()
    output = model(x)
    model.zero_grad()
    (output * torch.randn_like(output)).sum().backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {"output": output.detach(), "input": x.grad, **gradients, **dict(model.named_buffers())}


def images(size: int = 75, batch: int = 4) -> torch.Tensor:
    return torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(2))


def distance(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    """Relative distance of two steps' gradients of everything that is trained."""
    names = [name for name in a if a[name].is_floating_point() and "running" not in name]
    left, right = (torch.cat([step[name].double().flatten() for name in names]) for step in (a, b))
    return ((left - right).norm() / right.norm()).item()


@pytest.mark.parametrize("order", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize(
    ("version", "scale", "activation", "gamma"),
    [
        ("v1", "trainable", "prelu", False),
        ("v1", "fixed", "relu", False),
        ("v1", "trainable", "prelu", True),
        ("v2", "channel", "leaky_relu", False),
        ("v2", "trainable", "prelu", False),
    ],
)
def test_a_step_equals_the_textbooks(version, scale, activation, gamma, order):
    model = build(version=version, residual_scale=scale, activation=activation, bn_gamma=gamma)
    reference = model.double().to(memory_format=order)
    model, x = fast(reference), images().double().to(memory_format=order)
    for momentum in (0.005, 0.3):  # the training loop may change it at any time
        for network in (model, reference):
            for norm in network.modules():
                if isinstance(norm, nn.BatchNorm2d):
                    norm.momentum = momentum
        ours, theirs = step(model, x), step(reference, x)
        assert ours.keys() == theirs.keys()
        for name in ours:
            torch.testing.assert_close(ours[name], theirs[name], rtol=1e-8, atol=1e-9, msg=name)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_float32_is_no_less_exact_than_the_textbooks(version):
    model = build(version=version, residual_scale="trainable", activation="prelu")
    model = model.to(memory_format=torch.channels_last)
    x = images(batch=8).to(memory_format=torch.channels_last)
    truth = step(copy.deepcopy(model).double(), x.double())
    ours = step(fast(model), x)
    assert distance(ours, truth) < 3 * distance(step(model, x), truth) + 1e-6


@pytest.mark.parametrize("activation", ["prelu", "relu"])
def test_bfloat16_is_no_less_exact_than_the_textbooks(activation):
    torch.manual_seed(0)
    branches = ((Conv(16, 1),), (Conv(16, 1), Conv(16, 3)))
    units = Units(activation, 0.2, bn_gamma=False, bn_momentum=0.1)
    block = ResidualBlock(32, branches, units, scale="trainable", value=0.3, activated=True)
    reference = block.to(memory_format=torch.channels_last)
    block = fast(reference)
    x = torch.randn(16, 32, 9, 9).bfloat16().to(memory_format=torch.channels_last)
    truth = step(copy.deepcopy(reference).double(), x.double())
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = step(block, x), step(reference, x)
    assert ours["output"].dtype == theirs["output"].dtype
    assert distance(ours, truth) < min(0.06, 1.2 * distance(theirs, truth))


def test_a_constant_gamma_that_came_with_weights_is_respected():
    model = build(version="v1", activation="prelu").double().to(memory_format=torch.channels_last)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.weight.uniform_(0.5, 2)
    x = images().double().to(memory_format=torch.channels_last)
    assert distance(step(fast(model), x), step(model, x)) < 1e-9


@pytest.mark.parametrize("activation", ["relu", "prelu"])
def test_evaluation_is_the_same(activation):
    model = build(version="v1", residual_scale="trainable", activation=activation).eval()
    model = model.to(memory_format=torch.channels_last)
    x = images().to(memory_format=torch.channels_last)
    with torch.no_grad():
        torch.testing.assert_close(fast(model)(x), model(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("slope", [-0.3, 0.0, 1e-9, 0.2, 1.7])
def test_gradients_equal_finite_differences(slope):
    torch.manual_seed(0)
    wide = dict(dtype=torch.float64, requires_grad=True)
    x = torch.randn(2, 3, 2, 2, **wide)
    beta = torch.randn(3, **wide)
    one, mixed = torch.tensor([slope], **wide), torch.tensor([slope, 0.4, -0.1], **wide)

    def norm(x, beta, slope):
        mean, var = torch.zeros(3).double(), torch.ones(3).double()
        return NormPReLU.apply(x, beta, slope, mean, var, 0.1, 1e-3)

    for memory_format in (torch.channels_last, torch.contiguous_format):
        x = x.detach().contiguous(memory_format=memory_format).requires_grad_()
        assert torch.autograd.gradcheck(norm, (x, beta, one))
        assert torch.autograd.gradcheck(norm, (x, beta, mixed))
        assert torch.autograd.gradcheck(SumPReLU.apply, (x, one))


@pytest.mark.parametrize("sign", [1, -1])
def test_trainability_costs_no_memory(sign):
    shape = {"version": "v1", "width": 0.25, "input_size": 96}
    x = images(96, 32).to(memory_format=torch.channels_last)

    def kept(**settings) -> int:
        model = InceptionResnet(**shape, **settings).train().to(memory_format=torch.channels_last)
        return bytes_kept(fast(model), x)

    more = kept(residual_scale="trainable", activation="prelu", slope_init=0.2 * sign)
    assert more <= 1.05 * kept()
