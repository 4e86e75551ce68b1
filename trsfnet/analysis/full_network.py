"""The paper's networks at full width, whose parts are counted without any run."""

from __future__ import annotations

from functools import cache

import torch

from trsfnet.models import InceptionResnet


@cache
def full_network(arch: str, *, trainable: bool = True) -> InceptionResnet:
    """Return a network on the meta device, which allocates no memory for weights.

    Args:
        arch: `v1` or `v2`.
        trainable: True for TRSF and PReLU, False for constants and ReLU.
    """
    with torch.device("meta"):
        return InceptionResnet(
            version=arch,
            residual_scale="trainable" if trainable else "fixed",
            activation="prelu" if trainable else "relu",
        )
