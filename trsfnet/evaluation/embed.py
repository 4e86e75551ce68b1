"""Embeddings of face crops, in batches."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from trsfnet.data.augment import standardise


@torch.inference_mode()
def embed(model: nn.Module, images: np.ndarray, *, dtype: torch.dtype, batch_size: int = 128) -> np.ndarray:
    """L2-normalised embeddings of `images`.

    Args:
        model: a network from crops to embeddings; put into evaluation mode and left there.
        images: uint8 [N, size, size, 3], RGB.
        dtype: `torch.bfloat16` to compute under autocast, `torch.float32` for plain float32.
        batch_size: images at a time.

    Returns:
        float32 [N, embedding_size], rows of unit length.
    """
    model.eval()
    device = next(model.parameters()).device
    rows: list[Tensor] = []
    for start in range(0, len(images), batch_size):
        batch = torch.from_numpy(np.array(images[start : start + batch_size])).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            rows.append(model(standardise(batch)).float())
    return nn.functional.normalize(torch.cat(rows)).cpu().numpy()
