"""Small networks with random weights, as files and as runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tests.models.test_inception_resnet import TINY, randomise
from trsfnet.interop.description import Description
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.weights import Weights
from trsfnet.models import InceptionResnet

TRAINABLE = {"residual_scale": "trainable", "activation": "prelu"}


def tiny_weights(**settings: Any) -> Weights:
    """Random weights of the smallest network, everything trainable."""
    settings = {"version": "v1", **TRAINABLE, **TINY, **settings}
    model = InceptionResnet(**settings)
    randomise(model)
    description = Description("tiny", "trsfnet", settings, Preprocessing(75), metrics={"tar@1e-3": 0.5})
    return Weights(description, model.state_dict())


def images(count: int, size: int = 75) -> np.ndarray:
    """uint8 [count, size, size, 3]."""
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def expected(weights: Weights, pixels: np.ndarray) -> np.ndarray:
    """The unit embeddings by the network itself, standardised as facenet does."""
    x = (torch.tensor(pixels).permute(0, 3, 1, 2).float() - 127.5) / 128
    with torch.no_grad():
        return torch.nn.functional.normalize(weights.build().eval()(x)).numpy()
