"""Is a trained scale an optimum? The held-out loss when all scales are multiplied by one factor.

If training found the optimal size of the residual branches, the loss is lowest at a factor of 1. At other
factors, the batch norms after the trunk receive a different input. The loss is therefore measured with each
batch's own statistics, and also with the running statistics, which no longer fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from trsfnet.data.augment import standardise
from trsfnet.data.faces import FaceSet
from trsfnet.models import InceptionResnet
from trsfnet.models.inception_resnet import SCALED_MODULES
from trsfnet.models.layers import ScaledProjection
from trsfnet.models.residual import batch_statistics

FACTORS = (0.5, 0.71, 0.84, 1.0, 1.19, 1.41, 2.0)
_BATCH = 100


def losses_by_factor(model: InceptionResnet, head: nn.Module, faces: FaceSet) -> dict[str, dict[str, float]]:
    """The classifier's loss in nats on `faces` with all scales multiplied by each of `FACTORS`.

    Args:
        model: put into evaluation mode and left there.
        head: its classifier, on the same device.
        faces: images of the people that the classifier knows.

    Returns:
        `rescaled_loss`, with each batch's own statistics, and `rescaled_loss_running`, with the running
        statistics; each maps a factor such as `0.71` to a loss.
    """
    own, running = {}, {}
    for factor in FACTORS:
        with rescaled(model, factor):
            with batch_statistics(model):
                own[f"{factor:g}"] = _loss(model, head, faces)
            model.eval()
            running[f"{factor:g}"] = _loss(model, head, faces)
    return {"rescaled_loss": own, "rescaled_loss_running": running}


@contextmanager
def rescaled(model: InceptionResnet, factor: float) -> Iterator[None]:
    """A context in which every residual scale is multiplied by `factor`."""
    projections = [block.up for block in model.residual_blocks()[: SCALED_MODULES[model.version]]]
    before = [up.value if up.scale is None else up.scale.detach().clone() for up in projections]
    _set(projections, [value * factor for value in before])
    try:
        yield
    finally:
        _set(projections, before)


@torch.no_grad()
def _set(projections: list[ScaledProjection], values: Sequence[Tensor | float]) -> None:
    for up, value in zip(projections, values, strict=True):
        if up.scale is None:
            up.value = float(value)
        else:
            up.scale.copy_(torch.as_tensor(value))


@torch.inference_mode()
def _loss(model: InceptionResnet, head: nn.Module, faces: FaceSet) -> float:
    """Mean loss over `faces`, with the model in its current mode."""
    device = next(model.parameters()).device
    # In a fixed random order, so that a batch holds many people, as in training.
    order = torch.randperm(len(faces), generator=torch.Generator().manual_seed(0))
    total = 0.0
    for rows in _batches(order):
        images = torch.from_numpy(faces.images[rows.numpy()]).to(device)
        labels = torch.from_numpy(faces.labels[rows.numpy()]).to(device)
        total += head(model(standardise(images)), labels).loss.item() * len(rows)
    return total / len(faces)


def _batches(order: Tensor) -> list[Tensor]:
    """Split int64 [N] into batches; a single rest joins the one before, as batch norm needs two images."""
    parts = list(order.split(_BATCH))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts
