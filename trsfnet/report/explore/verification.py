"""What two images can be verified with in the explorer: runs that still have their network, and examples."""

from __future__ import annotations

import numpy as np
import torch

from trsfnet.analysis.run import Run as Record
from trsfnet.data.synthetic import render_faces
from trsfnet.experiments.run import CHECKPOINT
from trsfnet.training.checkpoint import previous

FARS = (1e-2, 1e-3)


def has_network(record: Record) -> bool:
    """Whether the checkpoint of a run is there; committed results have none."""
    file = record.path / CHECKPOINT
    return file.is_file() or previous(file).is_file()


def rendered(people: tuple[int, int], size: int) -> np.ndarray:
    """A rendered picture of each of two people whom no run was trained on: uint8 [2, size, size, 3].

    Args:
        people: numbers of test identities of the `synthetic` track; equal ones give two pictures of one.
        size: side of the network's input in pixels.
    """
    return render_faces(torch.tensor(people), torch.tensor([0, 1]), size=size).images.numpy()
