"""Which images each step sees, and their way to the device. All of it follows from (seed, epoch)."""

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

# Batches gathered ahead of the one in use.
_AHEAD = 2


def derived_seed(seed: int, purpose: str, number: int) -> int:
    """An independent seed for one purpose and one epoch or step of a run."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def epoch_order(images: int, config: TrainConfig, epoch: int, steps: int) -> np.ndarray:
    """Rows of the training set for every step of an epoch: int64 [steps, micro_batches, images of each].

    Images come in random order, all of them once before any comes again.
    """
    generator = torch.Generator().manual_seed(derived_seed(config.seed, "order", epoch))
    wanted = steps * config.batch_size
    passes = [torch.randperm(images, generator=generator) for _ in range(-(-wanted // images))]
    return torch.cat(passes)[:wanted].numpy().reshape(steps, config.micro_batches, -1)


def batches(
    faces: FaceSet, rows: Iterable[np.ndarray], device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """The images and labels of `rows`, one batch for each, on `device`.

    A thread gathers them ahead of time, so that reading from disk or page cache hides behind computing.

    Args:
        faces: the training set.
        rows: int64 arrays [B] of indices into `faces`.
        device: where the network is.

    Yields:
        uint8 [B, H, W, 3] and int64 [B].
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
                # Now, not when the generator is collected: there a Ctrl-C would be lost while waiting.
                thread.shutdown()
            yield images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
