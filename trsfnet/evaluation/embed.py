"""Embed face crops in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from trsfnet.data.augment import standardise
from trsfnet.evaluation.conventions import FACENET_TRAINING, Convention

if TYPE_CHECKING:
    from trsfnet.data.lazy import LazyImages


@torch.inference_mode()
def embed(
    model: nn.Module,
    images: np.ndarray | LazyImages,
    *,
    dtype: torch.dtype,
    batch_size: int = 128,
    normalised: bool = True,
) -> np.ndarray:
    """Embed `images`, standardised as in facenet.

    Args:
        model: a network that maps crops to embeddings; it is put into evaluation mode and left there.
        images: uint8 [N, size, size, 3], RGB.
        dtype: `torch.bfloat16` to compute under autocast, `torch.float32` for plain float32.
        batch_size: images per batch.
        normalised: scale each row to unit length.

    Returns:
        float32 [N, embedding_size], rows of unit length if `normalised`.
    """
    rows = [_outputs(model, batch, dtype, FACENET_TRAINING) for batch in _batches(model, images, batch_size)]
    outputs = torch.cat(rows)
    return (nn.functional.normalize(outputs) if normalised else outputs).cpu().numpy()


@torch.inference_mode()
def embed_mirrored(
    model: nn.Module,
    images: np.ndarray | LazyImages,
    *,
    convention: Convention,
    dtype: torch.dtype,
    batch_size: int = 128,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the outputs for `images` and their mirror images, as used by `Convention.score`.

    Args:
        model: a network that maps crops to embeddings; it is put into evaluation mode and left there.
        images: uint8 [N, size, size, 3], RGB.
        convention: the convention that determines how pixels are standardised.
        dtype: `torch.bfloat16` to compute under autocast, `torch.float32` for plain float32.
        batch_size: images per batch.

    Returns:
        Two float32 arrays [N, embedding_size], not normalised.
    """
    plain, mirrored = [], []
    for batch in _batches(model, images, batch_size):
        plain.append(_outputs(model, batch, dtype, convention))
        mirrored.append(_outputs(model, batch.flip(2), dtype, convention))
    return torch.cat(plain).cpu().numpy(), torch.cat(mirrored).cpu().numpy()


def _batches(model: nn.Module, images: np.ndarray | LazyImages, batch_size: int) -> Iterator[Tensor]:
    """Put `model` into evaluation mode and yield `images` in batches on its device."""
    model.eval()
    device = next(model.parameters()).device
    for start in range(0, len(images), batch_size):
        yield torch.from_numpy(np.array(images[start : start + batch_size])).to(device)


def _outputs(model: nn.Module, batch: Tensor, dtype: torch.dtype, convention: Convention) -> Tensor:
    """Return the model's outputs for a batch of uint8 images as float32."""
    inputs = standardise(batch)
    if convention.pixel_divisor != FACENET_TRAINING.pixel_divisor:
        inputs = inputs * (FACENET_TRAINING.pixel_divisor / convention.pixel_divisor)
    with torch.autocast(batch.device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
        return model(inputs).float()
