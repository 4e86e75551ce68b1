"""Standardisation of stored crops, and the paper's augmentation (section 4.3): flips and rotations.

All functions work on whole batches, on whichever device holds them.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def standardise(images: Tensor) -> Tensor:
    """Standardise as facenet does: uint8 [N, H, W, 3] -> PyTorch's default type [N, 3, H, W] in [-1, 1).

    The result keeps the memory layout of the images, which is PyTorch's channels_last.
    """
    return (images.permute(0, 3, 1, 2).to(torch.get_default_dtype()) - 127.5) / 128


def augment(images: Tensor, generator: torch.Generator, *, flip: bool, rotate: float, shift: float) -> Tensor:
    """Apply random mirroring, rotation and shifts, drawn independently for each image.

    Args:
        images: float [N, 3, H, W].
        generator: random generator on the CPU.
        flip: mirror left and right with probability 1/2.
        rotate: largest rotation in degrees, in either direction (facenet: 10).
        shift: largest shift as a share of the side, in each direction; it replaces facenet's random crop.

    Returns:
        Images of the same shape; areas from outside an image repeat its border.
    """
    if not (flip or rotate or shift):
        return images
    n = len(images)
    uniform = torch.rand(4, n, generator=generator)
    angle = (2 * uniform[0] - 1) * math.radians(rotate)
    mirror = torch.where(uniform[1] < 0.5, -1.0, 1.0) if flip else torch.ones(n)
    # Affine map from output to input coordinates, both in [-1, 1], so a shift of 1 is half a side.
    affine = torch.stack(
        [
            torch.stack([mirror * angle.cos(), -angle.sin(), (2 * uniform[2] - 1) * 2 * shift], dim=1),
            torch.stack([mirror * angle.sin(), angle.cos(), (2 * uniform[3] - 1) * 2 * shift], dim=1),
        ],
        dim=1,
    ).to(images)
    if not (rotate or shift):
        mirrored = (mirror < 0).to(images.device).view(-1, 1, 1, 1)
        return torch.where(mirrored, images.flip(3), images)
    grid = F.affine_grid(affine, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)
