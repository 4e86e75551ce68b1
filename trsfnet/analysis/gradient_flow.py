"""Residual scales under gradient flow: how far weight decay alone drives them.

A residual module adds s (W z + b) to its trunk. The pair (s, W) and the pair (s / c, c W) compute the same
function. Gradient flow conserves s² - ‖W‖² - ‖b‖². Weight decay breaks this symmetry: it acts only on W, so

    d(s² - ‖W‖²) / dτ = 2 λ ‖W‖²,    τ = Σ learning rate / (1 - momentum).

If the strength of the branch, P = |s| ‖W‖, is constant, this determines the trajectory of the scale, which
depends on the schedule only through the decay budget κ = 2 λ τ. With y = (s / ‖W‖)²,

    y exp(y) = y₀ exp(y₀) exp(2 κ),

which is solved by Wright's ω function, the logarithmic form of Lambert's W.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import wrightomega

from trsfnet.models import InceptionResnet


def flow(
    budget: np.ndarray | float, scale: np.ndarray | float, norm: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Return scale and kernel norm after a given decay budget, at constant |s| ‖W‖.

    Args:
        budget: decay budget κ, at least 0.
        scale: initial s, not 0; its sign is preserved.
        norm: initial ‖W‖, above 0. The three arguments are broadcast against each other.

    Returns:
        s and ‖W‖, each of the broadcast shape of the arguments.
    """
    scale, norm = np.asarray(scale, float), np.asarray(norm, float)
    ratio = (scale / norm) ** 2
    after = wrightomega(2 * np.asarray(budget, float) + ratio + np.log(ratio))
    strength, root = np.abs(scale) * norm, after**0.25
    return np.sign(scale) * np.sqrt(strength) * root, np.sqrt(strength) / root


def mean_scale(
    budget: np.ndarray | float, norms: np.ndarray, *, start: float, kept: float = 1.0
) -> np.ndarray:
    """Return the mean scale over a network's modules as a function of the decay budget.

    Args:
        budget: decay budget κ, of any shape.
        norms: initial ‖W‖ of each module, [modules].
        start: initial scale of all modules.
        kept: the fraction of the initial |s| ‖W‖ that the branches keep, above 0. The change of strength is
            assumed to happen at the very start, through s alone.

    Returns:
        The mean scale for each budget, of the shape of `budget`.
    """
    scales, _ = flow(np.asarray(budget, float)[..., None], start * kept, norms)
    return scales.mean(axis=-1)


def initial_norms(arch: str, width: float = 1.0) -> np.ndarray:
    """Return the expected initial ‖W‖ of each module with a trainable scale, under Xavier initialisation.

    Args:
        arch: `v1` or `v2`.
        width: multiplier of all layer widths.

    Returns:
        One norm per module, in forward order.
    """
    with torch.device("meta"):
        network = InceptionResnet(version=arch, width=width, residual_scale="trainable")
    projections = [block.up.conv for block in network.residual_blocks() if block.up.scale is not None]
    # The kernel has in x out weights of variance 2 / (in + out).
    shapes = np.array([(conv.in_channels, conv.out_channels) for conv in projections], float)
    return np.sqrt(2 * shapes.prod(axis=1) / shapes.sum(axis=1))
