"""Residual scales under gradient flow: how far weight decay alone drives them.

A residual module adds s (W z + b) to its trunk. The pair (s, W) and the pair (s / c, c W) compute the same
function, so gradient flow cannot tell them apart: it conserves s² - ‖W‖² - ‖b‖². Weight decay can. It acts on
W alone, so that

    d(s² - ‖W‖²) / dτ = 2 λ ‖W‖²,    τ = Σ learning rate / (1 - momentum).

If the strength of the branch, P = |s| ‖W‖, stays what it is, this fixes the path of the scale. It depends on
the schedule only through the decay budget κ = 2 λ τ. With y = (s / ‖W‖)²

    y exp(y) = y₀ exp(y₀) exp(2 κ),

whose solution is Wright's ω, the logarithmic form of Lambert's W.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import wrightomega

from trsfnet.models import InceptionResnet


def flow(
    budget: np.ndarray | float, scale: np.ndarray | float, norm: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Scale and kernel norm after a decay budget has been spent, at constant |s| ‖W‖.

    Args:
        budget: κ, at least 0.
        scale: s at the start, not 0; its sign stays.
        norm: ‖W‖ at the start, above 0. All three broadcast against each other.

    Returns:
        s and ‖W‖ of the shape that the arguments broadcast to.
    """
    scale, norm = np.asarray(scale, float), np.asarray(norm, float)
    ratio = (scale / norm) ** 2
    after = wrightomega(2 * np.asarray(budget, float) + ratio + np.log(ratio))
    strength, root = np.abs(scale) * norm, after**0.25
    return np.sign(scale) * np.sqrt(strength) * root, np.sqrt(strength) / root


def mean_scale(
    budget: np.ndarray | float, norms: np.ndarray, *, start: float, kept: float = 1.0
) -> np.ndarray:
    """The mean scale of a network's modules by decay budget.

    Args:
        budget: κ, of any shape.
        norms: ‖W‖ of each module at the start, [modules].
        start: the scale that all modules start from.
        kept: the share of |s| ‖W‖ at the start that the branches keep, above 0. Below 1 their strength is
            taken to have shrunk at the very start, at unchanged ‖W‖.
    """
    scales, _ = flow(np.asarray(budget, float)[..., None], start * kept, norms)
    return scales.mean(axis=-1)


def initial_norms(arch: str, width: float = 1.0) -> np.ndarray:
    """The expected ‖W‖ of each module with a trainable scale under Xavier's start, in forward order.

    Args:
        arch: `v1` or `v2`.
        width: multiplier of every width.
    """
    with torch.device("meta"):
        network = InceptionResnet(version=arch, width=width, residual_scale="trainable")
    projections = [block.up.conv for block in network.residual_blocks() if block.up.scale is not None]
    # in x out weights of variance 2 / (in + out).
    shapes = np.array([(conv.in_channels, conv.out_channels) for conv in projections], float)
    return np.sqrt(2 * shapes.prod(axis=1) / shapes.sum(axis=1))
