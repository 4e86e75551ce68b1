"""Whether a training on a GPU compiles its network: it takes minutes, which a short run never gets back."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

from trsfnet.data.faces import TrackData
from trsfnet.training.config import TrainConfig

# Steps from which compiling pays.
WORTH_COMPILING = 10_000


def compiling(config: TrainConfig, data: TrackData) -> AbstractContextManager[None]:
    """Within it, the networks of short runs stay as they are, though the loop has them compiled on a GPU.

    Args:
        config: a resolved configuration.
        data: the faces of its track.
    """
    steps = config.epochs * (config.steps_per_epoch or len(data.train) // config.batch_size)
    return torch.compiler.set_stance("default" if steps >= WORTH_COMPILING else "force_eager")
