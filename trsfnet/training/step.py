"""One training step: learning rate, forward and backward pass of the micro-batches, update."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from trsfnet.data.augment import augment, standardise
from trsfnet.heads import HeadOutput
from trsfnet.training.batches import derived_seed
from trsfnet.training.config import TrainConfig
from trsfnet.training.network import clamp_slopes
from trsfnet.training.schedule import learning_rate
from trsfnet.training.state import TrainState


def train_step(state: TrainState, parts: Iterator[tuple[Tensor, Tensor]]) -> None:
    """Take the next training step and update `state` in place.

    Args:
        state: the state of the run.
        parts: this process's micro-batches, as `batches` yields them; the step consumes those it needs.
    """
    config, share = state.config, len(state.parts)
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(config, state.total_step, state.steps_per_epoch)
    state.optimizer.zero_grad(set_to_none=True)
    loss = torch.zeros((), device=state.device)
    for j, part in enumerate(state.parts):
        images, labels = next(parts)
        number = state.total_step * config.micro_batches + part
        state.norm_momentum.set(j)
        with state.world.local(state.network, state.classifier) if j + 1 < share else nullcontext():
            out = _forward(state, images, labels, number)
            (out.loss / share).backward()
        loss += out.loss.detach() / share
        state.correct += (out.predicted == labels).sum()
    state.norm_momentum.reset()
    norm = gradient_norm(state.model)
    state.optimizer.step()
    clamp_slopes(state.model, config.slope_floor)
    state.watch.note(state.step, state.total_step, loss, norm)
    state.step += 1


def gradient_norm(model: nn.Module) -> Tensor:
    """L2 norm of the gradient over all parameters of `model`, a scalar on the model's device."""
    return nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])


def _forward(state: TrainState, images: Tensor, labels: Tensor, number: int) -> HeadOutput:
    """Compute the loss of micro-batch `number` of the run, with augmentation and dropout of its own."""
    x = _augmented(images, state.config, number)
    torch.manual_seed(derived_seed(state.config.seed, "dropout", number))
    with state.autocast:
        embeddings = state.network(x)
    return state.classifier(embeddings, labels)


def _augmented(images: Tensor, config: TrainConfig, number: int) -> Tensor:
    """Standardise and augment images with the random numbers of micro-batch `number` of the run."""
    generator = torch.Generator().manual_seed(derived_seed(config.seed, "augment", number))
    return augment(standardise(images), generator, flip=config.flip, rotate=config.rotate, shift=config.shift)
