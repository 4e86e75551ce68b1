"""Steps replayed as CUDA graphs are the steps that would have been taken."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from tests.models.test_inception_resnet import TINY
from trsfnet.models import InceptionResnet
from trsfnet.models.residual import residual_ratios
from trsfnet.training.acceleration.graphs import capture

SETTINGS = {**TINY, "version": "v1", "residual_scale": "trainable", "activation": "prelu"}


def networks(device: str) -> tuple[InceptionResnet, InceptionResnet]:
    """The same network twice."""
    made = [InceptionResnet(**SETTINGS).to(device, memory_format=torch.channels_last) for _ in range(2)]
    made[1].load_state_dict(made[0].state_dict())
    return made[0], made[1]


def faces(images: int, device: str) -> torch.Tensor:
    size = TINY["input_size"]
    return torch.rand(images, 3, size, size, device=device).contiguous(memory_format=torch.channels_last)


@pytest.fixture
def replays(monkeypatch) -> list[torch.Size]:
    """Stands in for PyTorch's capture where there is no GPU: warms up as it does, and notes each replay."""
    noted: list[torch.Size] = []

    def make_graphed_callables(model, arguments, *, allow_unused_input):
        usual = model.forward
        for _ in range(3):
            usual(*arguments).sum().backward()

        def forward(x):
            if model.training:
                noted.append(x.shape)
            return usual(x)

        model.forward = forward

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", make_graphed_callables)
    return noted


def test_only_training_batches_are_replayed(replays, one_thread):
    model, other = networks("cpu")
    capture(model.eval(), 4, torch.float32)
    assert not model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    x = faces(4, "cpu")
    assert torch.equal(model(x), other.eval()(x))
    model.train()
    assert residual_ratios(model, x) == residual_ratios(other, x)
    model(x[:3])
    assert replays == []
    model(x)
    assert replays == [x.shape]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_computes_with_its_own_weights_and_without_the_graphs(replays, one_thread, copied):
    model, other = networks("cpu")
    capture(model, 4, torch.float32)
    twin, x = copied(model), faces(4, "cpu")
    with torch.no_grad():
        for network in (twin, other):
            network.last_linear.weight.mul_(2)
    assert torch.equal(twin(x), other(x))
    assert replays == []
    model(x)
    assert replays == [x.shape]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_replayed_steps_are_the_same_on_a_gpu(dtype):
    model, other = networks("cuda")
    capture(model, 8, dtype)
    for network in (model, other):
        network.train()
    for seed in range(3):
        torch.manual_seed(seed)
        x = faces(8, "cuda")
        for network in (model, other):
            with torch.autocast("cuda", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
                y = network(x)
            network.zero_grad()
            y.float().square().mean().backward()
    tolerance = {"rtol": 1e-3, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 0.1, "atol": 1e-2}
    for (name, p), q in zip(model.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, **tolerance, msg=name)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], **tolerance, msg=name)
