"""Embeddings: unit length and facenet's pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from trsfnet.data.augment import standardise
from trsfnet.evaluation.embed import embed


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(3 * 5 * 5, 7))


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(11, 5, 5, 3), dtype=np.uint8)


def test_embeddings_are_the_networks_at_unit_length(network, images):
    found = embed(network, images, dtype=torch.float32, batch_size=4)
    assert not network.training
    with torch.no_grad():
        expected = nn.functional.normalize(network(standardise(torch.from_numpy(images)))).numpy()
    assert found == pytest.approx(expected, abs=1e-6)
    assert np.array_equal(found[:4], embed(network, images[:4], dtype=torch.float32))


def test_pixels_enter_as_facenet_standardises_them(images):
    network = nn.Sequential(nn.Flatten())
    network.register_parameter("unused", nn.Parameter(torch.zeros(1)))
    pixels = images.transpose(0, 3, 1, 2).reshape(11, -1)
    found = embed(network, images, dtype=torch.float32, normalised=False)
    assert found == pytest.approx((pixels - 127.5) / 128, abs=1e-6)
