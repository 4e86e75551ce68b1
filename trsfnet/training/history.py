"""The history of a run: metrics of each epoch, and the parameters that the paper tracks during training."""

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

# Number of test images on which the residual branches are measured after each epoch.
PROBE = 64


@dataclass
class History:
    """The history of a run so far.

    Attributes:
        epochs: a row per finished epoch: step, learning rate, loss, accuracy, gradient norm, metrics, speed.
        parameters: rows of `parameter_rows` for each epoch; epoch 0 is the start of training.
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
    """The parameters that the paper tracks, as rows: epoch, kind, the paper's name, channel, value.

    The kinds are `trsf` and `slope`, for all trainable scales and slopes, and three quantities that help to
    interpret the scales: `ratio`, the ratio of each scaled branch to its trunk on the images `probe`
    [N, 3, H, W], and `kernel` and `bias`, the norms of the 1x1 kernel and bias that the scale multiplies.
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
    """Further measures at the start and the end, as rows: see `trsfnet.models.diagnostics`.

    Activations are measured on the images `probe`. Before training, batch norms have no running statistics
    yet, so `probe` is None and only the kernels are measured.
    """
    return rows(epoch, redundancy(model) | ({} if probe is None else activity(model, probe)))


def rows(epoch: int, values: Mapping[str, Mapping[str, Tensor | float]]) -> Rows:
    """Convert values by kind and name to rows of `History.parameters`."""
    return [
        {"epoch": epoch, "kind": kind, "name": name, "channel": channel, "value": value}
        for kind, named in values.items()
        for name, tensor in named.items()
        for channel, value in enumerate(torch.as_tensor(tensor).cpu().reshape(-1).tolist())
    ]
