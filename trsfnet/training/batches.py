"""Selects the images of each step and moves them to the device; the order depends only on (seed, epoch)."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from trsfnet.data.faces import FaceSet
from trsfnet.training.config import TrainConfig

# Number of batches prefetched ahead of the current one.
_AHEAD = 2


def derived_seed(seed: int, purpose: str, number: int) -> int:
    """Derive an independent seed for one purpose and one epoch or step of a run."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def epoch_order(images: int, config: TrainConfig, epoch: int, steps: int) -> np.ndarray:
    """Rows of the training set for every step of an epoch: int64 [steps, micro_batches, images per part].

    Images come in random order; each appears once before any appears again.
    """
    generator = torch.Generator().manual_seed(derived_seed(config.seed, "order", epoch))
    wanted = steps * config.batch_size
    passes = [torch.randperm(images, generator=generator) for _ in range(-(-wanted // images))]
    return torch.cat(passes)[:wanted].numpy().reshape(steps, config.micro_batches, -1)


def batches(
    faces: FaceSet, rows: Iterable[np.ndarray], device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the images and labels of one batch on `device` for each entry of `rows`.

    A thread prefetches the batches, so that reading from disk or page cache overlaps with computation.

    Args:
        faces: the training set.
        rows: int64 arrays [B] of indices into `faces`.
        device: the network's device.

    Yields:
        Images, uint8 [B, H, W, 3], and labels, int64 [B].
    """

    def gather(index: np.ndarray) -> tuple[Tensor, Tensor]:
        images, labels = torch.from_numpy(faces.images[index]), torch.from_numpy(faces.labels[index])
        return (images.pin_memory(), labels.pin_memory()) if device.type == "cuda" else (images, labels)

    rows = iter(rows)
    with ThreadPoolExecutor(1) as thread:
        pending = deque(thread.submit(gather, index) for _, index in zip(range(_AHEAD), rows, strict=False))
        while pending:
            images, labels = pending.popleft().result()
            for index in rows:
                pending.append(thread.submit(gather, index))
                break
            if not pending:
                # Shut down here, not when the generator is garbage-collected: a Ctrl-C would be lost there.
                thread.shutdown()
            yield images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
