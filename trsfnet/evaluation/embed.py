"""Embed face crops in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from trsfnet.data.augment import standardise

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
    model.eval()
    device = next(model.parameters()).device
    rows = []
    for start in range(0, len(images), batch_size):
        inputs = standardise(torch.from_numpy(np.array(images[start : start + batch_size])).to(device))
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            rows.append(model(inputs).float())
    outputs = torch.cat(rows)
    return (nn.functional.normalize(outputs) if normalised else outputs).cpu().numpy()
