"""What a run has shown so far: numbers of each epoch, and what the paper follows through training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trsfnet.data.augment import standardise
from trsfnet.data.faces import FaceSet
from trsfnet.models import InceptionResnet
from trsfnet.models.diagnostics import activity, redundancy
from trsfnet.models.residual import bias_norms, kernel_norms, residual_ratios

Rows = list[dict[str, Any]]

# Test images on which the residual branches are measured after each epoch.
PROBE = 64


@dataclass
class History:
    """What a run has shown so far.

    Attributes:
        epochs: a row per finished epoch: step, learning rate, loss, accuracy, gradient norm, metrics, speed.
        parameters: rows of `parameter_rows` for each epoch, epoch 0 being the start.
    """

    epochs: Rows = field(default_factory=list)
    parameters: Rows = field(default_factory=list)


def probe_images(test: FaceSet, device: torch.device) -> Tensor:
    """The test images on which the branches are measured: up to 64, evenly spread over the people.

    Returns:
        [N, 3, H, W], standardised, on `device`.
    """
    rows = np.linspace(0, len(test) - 1, min(PROBE, len(test))).round().astype(np.int64)
    return standardise(torch.from_numpy(test.images[rows]).to(device))


def parameter_rows(model: InceptionResnet, epoch: int, probe: Tensor) -> Rows:
    """What the paper follows through training, as rows: epoch, kind, the paper's name, channel, value.

    The kinds are `trsf` and `slope`, every trainable one, and what `trsf` is read as: `ratio`, that of each
    scaled branch to its trunk on the images `probe` [N, 3, H, W], and `kernel` and `bias`, the norms of the
    1x1 kernel and bias under the scale.
    """
    values: dict[str, Mapping[str, Tensor | float]] = {
        "trsf": model.scales(),
        "slope": model.slopes(),
        "ratio": residual_ratios(model, probe),
        "kernel": kernel_norms(model),
        "bias": bias_norms(model),
    }
    return rows(epoch, values)


def diagnostic_rows(model: InceptionResnet, epoch: int, probe: Tensor | None = None) -> Rows:
    """What else is measured at the start and the end, as rows: see `trsfnet.models.diagnostics`.

    Before training no statistics have run, so without a `probe` the kernels alone are measured.
    """
    return rows(epoch, redundancy(model) | ({} if probe is None else activity(model, probe)))


def rows(epoch: int, values: Mapping[str, Mapping[str, Tensor | float]]) -> Rows:
    """Values by kind and name as rows of `History.parameters`."""
    return [
        {"epoch": epoch, "kind": kind, "name": name, "channel": channel, "value": value}
        for kind, named in values.items()
        for name, tensor in named.items()
        for channel, value in enumerate(torch.as_tensor(tensor).cpu().reshape(-1).tolist())
    ]
