"""The networks that can verify two images in the explorer: an included one, and those of the user's runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import torch

from trsfnet.analysis.run import Run as Record
from trsfnet.experiments.record import CHECKPOINT
from trsfnet.report.explore.catalogue import catalogue
from trsfnet.synthetic import render_faces
from trsfnet.training.checkpoint import has_checkpoint

FARS = (1e-2, 1e-3)


@dataclass(frozen=True)
class Network:
    """A network that can verify images.

    Attributes:
        name: description of the network.
        source: folder of its run, or its file.
    """

    name: str
    source: Path


def networks(records: Iterable[Record]) -> list[Network]:
    """Return the networks of the runs that still have a checkpoint, followed by the included network."""
    own = [Network(run.name, run.record.path) for run in catalogue(filter(has_network, records))]
    return [*own, example()]


def example() -> Network:
    """Return the included network: v1 + TRSF + PReLU, 3/16 of the paper's width, trained on rendered faces.

    It was trained with `python -m trsfnet train -p trsf True -p activation prelu -p image_size 75
    -p width 0.1875 -p embedding_size 128 -p epochs 16 -p weight_decay 0.016`, exported, and stored in half
    precision.
    """
    file = Path(str(resources.files("trsfnet.report.explore") / "rendered-faces.safetensors"))
    return Network("a small network trained only on rendered faces, never on a photograph", file)


def has_network(record: Record) -> bool:
    """Return whether the checkpoint of a run exists; committed results have none."""
    return has_checkpoint(record.path / CHECKPOINT)


def rendered(people: tuple[int, int], size: int) -> np.ndarray:
    """Render an image of each of two test identities, on which no run was trained: uint8 [2, size, size, 3].

    Args:
        people: indices of test identities of the `synthetic` track; equal ones give two images of one person.
        size: side of the images in pixels.
    """
    return render_faces(torch.tensor(people), torch.tensor([0, 1]), size=size).images.numpy()
