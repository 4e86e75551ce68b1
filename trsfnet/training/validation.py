"""Evaluation at the end of an epoch: the track's verification pairs, and held-out images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from trsfnet.data.faces import TrackData
from trsfnet.evaluation.embed import embed
from trsfnet.evaluation.protocol import Evaluation, evaluate
from trsfnet.training.collapse import Collapse
from trsfnet.training.collapsed import Collapsed
from trsfnet.training.history import Rows, diagnostic_rows, rows
from trsfnet.training.rescaling import losses_by_factor
from trsfnet.training.sharded_head import ShardedHead
from trsfnet.training.state import TrainState


def evaluate_model(state: TrainState, data: TrackData) -> Evaluation | None:
    """Run the track's evaluation; returns the result on rank 0, None elsewhere. Every process takes part.

    Raises:
        Collapse: an embedding is not finite; raised on every process.
    """
    first = state.world.rank == 0
    embeddings = embed(state.model, data.test.images, dtype=state.dtype) if first else np.zeros(0)
    if not state.world.agree(bool(np.isfinite(embeddings).all())):
        raise Collapse("The network's embeddings are not finite.", Collapsed("embeddings"))
    return evaluate(data.test, data.pairs, embeddings, all_pairs=data.all_pairs) if first else None


@torch.inference_mode()
def held_out_metrics(state: TrainState, data: TrackData) -> dict[str, float]:
    """Loss (nats) and accuracy of the classifier on held-out images of the training identities.

    Every process takes part.

    Returns:
        `held_out_loss` and `held_out_accuracy` on rank 0 if the track has held-out images, otherwise an empty
        dictionary.
    """
    if data.held_out is None or (head := _whole_head(state)) is None:
        return {}
    embeddings = embed(state.model, data.held_out.images, dtype=state.dtype, normalised=False)
    labels = torch.from_numpy(data.held_out.labels).to(state.device)
    out = head(torch.from_numpy(embeddings).to(state.device), labels)
    return {
        "held_out_loss": out.loss.item(),
        "held_out_accuracy": (out.predicted == labels).float().mean().item(),
    }


def final_rows(state: TrainState, data: TrackData, probe: Tensor) -> Rows:
    """Measures that are taken once, after the last epoch, as rows of `History.parameters`.

    Every process takes part; the result is empty except on rank 0.
    """
    epoch = state.config.epochs
    found = diagnostic_rows(state.model, epoch, probe) if state.world.rank == 0 else []
    # Gathering a sharded classifier takes memory and time: only the held-out loss needs it.
    if data.held_out is None or (head := _whole_head(state)) is None:
        return found
    return found + rows(epoch, losses_by_factor(state.model, head, data.held_out))


def _whole_head(state: TrainState) -> nn.Module | None:
    """The classifier of all identities on rank 0, None elsewhere. Every process takes part."""
    if isinstance(state.head, ShardedHead):
        return state.head.whole()
    return state.head if state.world.rank == 0 else None
