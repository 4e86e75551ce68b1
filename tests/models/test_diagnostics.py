"""Dead channels, zeros and redundant kernels."""

from __future__ import annotations

import pytest
import torch

from trsfnet.models import inception_resnet_v1
from trsfnet.models.diagnostics import activity, redundancy

SMALL = {"width": 0.125, "input_size": 75, "embedding_size": 16}


@pytest.fixture
def images():
    return torch.randn(4, 3, 75, 75, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "prelu"])
def test_a_channel_that_is_never_positive_is_dead_whatever_the_activation(images, activation):
    model = inception_resnet_v1(activation=activation, **SMALL)
    before = activity(model, images)["dead"]
    assert before["conv2d_1a.act"] < 1
    with torch.no_grad():
        model.conv2d_1a.bn.bias[:2] = -1e3
    after = activity(model, images)["dead"]
    assert after["conv2d_1a.act"] == pytest.approx(2 / 8)
    assert model.training


def test_every_module_keeps_its_mode(images):
    model = inception_resnet_v1(**SMALL).train()
    model.block35.eval()  # as frozen norms are
    modes = [module.training for module in model.modules()]
    activity(model, images)
    assert [module.training for module in model.modules()] == modes


def test_relu_has_zeros_before_the_pool_only_where_it_comes_last(images):
    """v1's last module has no activation, so its features are no zeros."""
    assert activity(inception_resnet_v1(**SMALL), images)["zeros"]["features"] < 0.01


def test_opposite_kernels_and_copies_are_seen():
    model = inception_resnet_v1(**SMALL)
    with torch.no_grad():
        kernel = model.conv2d_2b.conv.weight
        kernel[1] = -kernel[0]
    found = redundancy(model)
    assert found["cosine"]["conv2d_2b.conv"] == pytest.approx(-1)
    assert found["rank"]["conv2d_2b.conv"] < found["rank"]["conv2d_2a.conv"] <= 1
    with torch.no_grad():
        kernel[:] = kernel[:1]
    assert redundancy(model)["rank"]["conv2d_2b.conv"] == pytest.approx(1 / len(kernel), rel=1e-6)
