"""The training loop, from a resolved configuration to a trained network.

Read `train` top to bottom. Everything random is a function of (seed, epoch or step), never of what came
before, so that a run continued from a checkpoint takes the steps that it would have taken anyway.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from trsfnet.data.augment import augment, standardise
from trsfnet.data.faces import FaceSet, TrackData
from trsfnet.errors import ConfigError
from trsfnet.evaluation.embed import embed
from trsfnet.evaluation.protocol import Evaluation, evaluate
from trsfnet.heads import make_head
from trsfnet.models import InceptionResnet
from trsfnet.training.checkpoint import load_checkpoint, save_checkpoint
from trsfnet.training.config import TrainConfig
from trsfnet.training.precision import DTYPES, best_device
from trsfnet.training.schedule import learning_rate

# How often, in steps, the losses are looked at: rarely enough not to stall a GPU.
CHECK_EVERY = 20

# Steps after which a loss still at chance level counts as collapsed.
FAIR_TRIAL = 100


@dataclass
class History:
    """What a run has shown so far.

    Attributes:
        epochs: a row per finished epoch: step, learning rate, loss, accuracy, metrics, speed.
        parameters: a row per trainable scale or slope and epoch, epoch 0 being the start.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    parameters: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: `done`, or `collapsed` when the loss stopped being finite or ended at chance level.
        message: what happened and where, if it collapsed.
        model: the network as it ended.
        history: what it showed on the way.
        evaluation: the final evaluation; None if the network's outputs are not finite.
    """

    status: str
    message: str
    model: InceptionResnet
    history: History
    evaluation: Evaluation | None


class Collapse(Exception):
    """Training cannot go on; the paper calls it a crash situation."""


def build_model(config: TrainConfig) -> InceptionResnet:
    """The network that a resolved `config` describes, freshly initialised from its seed."""
    torch.manual_seed(derived_seed(config.seed, "weights", 0))
    return InceptionResnet(
        version=config.arch,
        embedding_size=config.embedding_size,
        dropout=config.dropout,
        input_size=config.image_size,
        width=config.width,
        residual_scale=_residual_scale(config),
        scale_init=0.1 if config.scale_init is None else config.scale_init,
        activation=config.activation,
        slope_init=0.2 if config.slope_init is None else config.slope_init,
        removed_pool=config.removed_pool,
        bn_momentum=config.bn_momentum,
    )


def _residual_scale(config: TrainConfig) -> str:
    if not config.trsf:
        return "fixed"
    return "channel" if config.trsf_per_channel else "trainable"


def derived_seed(seed: int, purpose: str, number: int) -> int:
    """An independent seed for one purpose and one epoch or step of a run."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def make_optimizer(config: TrainConfig, *modules: nn.Module) -> torch.optim.SGD:
    """SGD with Nesterov momentum; weight decay on convolution and linear weights alone.

    slim decays nothing else either: norms, biases, scales and slopes have fewer than two dimensions.
    """
    parameters = [p for module in modules for p in module.parameters()]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, nesterov=True)


def train(
    config: TrainConfig,
    data: TrackData,
    *,
    checkpoint: Path | None = None,
    on_epoch: Callable[[History], None] = lambda _: None,
) -> Outcome:
    """Train and evaluate one network.

    Args:
        config: a resolved configuration.
        data: the faces of its track.
        checkpoint: file to continue from if it exists and to write after every epoch.
        on_epoch: called with the history after each epoch.

    Raises:
        ConfigError: fewer training images than one batch.
    """
    steps = config.steps_per_epoch or len(data.train) // config.batch_size
    if len(data.train) < config.batch_size:
        raise ConfigError(f"batch_size {config.batch_size} exceeds the {len(data.train)} training images.")
    device, dtype = best_device(), DTYPES[config.precision]
    model = build_model(config).to(device, memory_format=torch.channels_last)
    classes = len(data.train.identities)
    head = make_head(
        config.loss,
        config.embedding_size,
        classes,
        scale=config.arcface_scale or 64.0,
        margin=0.5 if config.arcface_margin is None else config.arcface_margin,
    ).to(device)
    optimizer = make_optimizer(config, model, head)
    history = History(parameters=parameter_rows(model, 0))
    state = load_checkpoint(checkpoint, device) if checkpoint else None
    if state:
        model.load_state_dict(state["model"])
        head.load_state_dict(state["head"])
        optimizer.load_state_dict(state["optimizer"])
        history = History(state["epochs"], state["parameters"])

    evaluation, first = None, len(history.epochs)
    bar = tqdm(
        total=config.epochs * steps, initial=first * steps, desc=config.slug, unit="step", disable=None
    )
    try:
        for epoch in range(first, config.epochs):
            started = time.perf_counter()
            model.train()
            losses, correct = torch.zeros(steps, device=device), torch.zeros((), device=device)
            for i, (images, labels) in enumerate(batches(data.train, config, epoch, steps)):
                step = epoch * steps + i
                lr = learning_rate(config, step, steps)
                for group in optimizer.param_groups:
                    group["lr"] = lr
                torch.manual_seed(derived_seed(config.seed, "dropout", step))
                generator = torch.Generator().manual_seed(derived_seed(config.seed, "augment", step))
                images, labels = images.to(device), labels.to(device)
                x = augment(
                    standardise(images), generator, flip=config.flip, rotate=config.rotate, shift=config.shift
                )
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
                    embeddings = model(x)
                loss, logits = head(embeddings, labels)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()

                losses[i] = loss.detach()
                correct += (logits.detach().argmax(dim=1) == labels).sum()
                bar.update()
                if (i + 1) % CHECK_EVERY == 0 or i + 1 == steps:
                    _check_finite(losses[: i + 1], config, epoch, steps)
                    bar.set_postfix(
                        loss=f"{losses[max(0, i - CHECK_EVERY) : i + 1].mean():.3f}", lr=f"{lr:.2g}"
                    )

            seconds = time.perf_counter() - started
            evaluation = evaluate_model(model, data, dtype)
            row = {
                "epoch": epoch + 1,
                "step": (epoch + 1) * steps,
                "learning_rate": lr,
                "loss": losses.mean().item(),
                "train_accuracy": correct.item() / (steps * config.batch_size),
                **evaluation.metrics,
                "images_per_second": steps * config.batch_size / seconds,
                "seconds": time.perf_counter() - started,
            }
            history.epochs.append(row)
            history.parameters += parameter_rows(model, epoch + 1)
            if checkpoint:
                save_checkpoint(
                    checkpoint,
                    {
                        "model": model.state_dict(),
                        "head": head.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        "epochs": history.epochs,
                        "parameters": history.parameters,
                    },
                )
            on_epoch(history)
    except Collapse as collapse:
        return Outcome("collapsed", str(collapse), model, history, None)
    finally:
        bar.close()
    if evaluation is None:  # continued from a checkpoint of the last epoch
        evaluation = evaluate_model(model, data, dtype)
    last, chance = history.epochs[-1], math.log(classes)
    if config.loss == "softmax" and last["step"] >= FAIR_TRIAL and last["loss"] > 0.99 * chance:
        message = (
            f"The loss ended at {last['loss']:.2f}, no better than chance, ln({classes}) = {chance:.2f}."
        )
        return Outcome("collapsed", message, model, history, evaluation)
    return Outcome("done", "", model, history, evaluation)


def batches(faces: FaceSet, config: TrainConfig, epoch: int, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The `steps` batches of an epoch: uint8 images [B, H, W, 3] and labels [B].

    Images come in random order, all of them once before any comes again.
    """
    generator = torch.Generator().manual_seed(derived_seed(config.seed, "order", epoch))
    wanted = steps * config.batch_size
    passes = [torch.randperm(len(faces), generator=generator) for _ in range(-(-wanted // len(faces)))]
    order = torch.cat(passes)[:wanted].numpy()
    for rows in order.reshape(steps, config.batch_size):
        yield torch.from_numpy(faces.images[rows]), torch.from_numpy(faces.labels[rows])


def _check_finite(losses: Tensor, config: TrainConfig, epoch: int, steps: int) -> None:
    """Stop at the first loss that is not a number, and say which step it was."""
    bad = (~torch.isfinite(losses)).nonzero()
    if len(bad):
        i = int(bad[0])
        step = epoch * steps + i
        raise Collapse(
            f"The loss became {losses[i].item()} at step {step + 1} (epoch {epoch + 1}, "
            f"learning rate {learning_rate(config, step, steps):.3g})."
        )


def evaluate_model(model: InceptionResnet, data: TrackData, dtype: torch.dtype) -> Evaluation:
    """The track's evaluation of `model`.

    Raises:
        Collapse: an embedding is not finite.
    """
    embeddings = embed(model, data.test.images, dtype=dtype)
    if not np.isfinite(embeddings).all():
        raise Collapse("The network's embeddings are not finite.")
    return evaluate(data.test, data.pairs, embeddings)


def parameter_rows(model: InceptionResnet, epoch: int) -> list[dict[str, Any]]:
    """Every trainable scale and slope as rows: epoch, kind, the paper's name, channel, value."""
    return [
        {"epoch": epoch, "kind": kind, "name": name, "channel": channel, "value": value}
        for kind, named in (("trsf", model.scales()), ("slope", model.slopes()))
        for name, tensor in named.items()
        for channel, value in enumerate(tensor.cpu().reshape(-1).tolist())
    ]
