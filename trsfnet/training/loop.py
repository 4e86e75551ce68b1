"""The training loop, from a resolved configuration to a trained network.

Read `train` top to bottom. Everything random is a function of (seed, epoch, step), never of what came
before, so that a run continued from a checkpoint takes the steps that it would have taken anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
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
from trsfnet.models import InceptionResnet
from trsfnet.models.diagnostics import activity, redundancy
from trsfnet.models.residual import bias_norms, kernel_norms, residual_ratios
from trsfnet.training.acceleration.prepare import prepare
from trsfnet.training.batches import batches, derived_seed, epoch_order
from trsfnet.training.checkpoint import load_checkpoint, save_checkpoint
from trsfnet.training.collapse import CHECK_EVERY, FAIR_TRIAL, Collapse, Watch, at_chance
from trsfnet.training.config import TrainConfig
from trsfnet.training.distributed import World
from trsfnet.training.network import (
    NormMomentum,
    average_statistics,
    build_head,
    build_model,
    clamp_slopes,
    load_training_state,
    make_optimizer,
    training_state,
)
from trsfnet.training.precision import DTYPES, best_device
from trsfnet.training.rescaling import losses_by_factor
from trsfnet.training.schedule import learning_rate
from trsfnet.training.sharded_head import ShardedHead

# Seconds between two checkpoints. They cost about a second each, and a killed run loses no more than this.
SAVE_EVERY = 60.0
# Test images on which the residual branches are measured after each epoch.
PROBE = 64


@dataclass
class History:
    """What a run has shown so far.

    Attributes:
        epochs: a row per finished epoch: step, learning rate, loss, accuracy, gradient norm, metrics, speed.
        parameters: rows of `parameter_rows` for each epoch, epoch 0 being the start.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    parameters: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: `done`, or `collapsed` when training could not go on or ended at chance level.
        message: what happened and where, if it collapsed.
        model: the network as it ended.
        history: what it showed on the way.
        evaluation: the final evaluation, on rank 0; None if the network's outputs are not finite.
    """

    status: str
    message: str
    model: InceptionResnet
    history: History
    evaluation: Evaluation | None


def train(
    config: TrainConfig,
    data: TrackData,
    *,
    world: World = World(),  # noqa: B008 - frozen
    checkpoint: Path | None = None,
    save_every: float = SAVE_EVERY,
    on_epoch: Callable[[History], None] = lambda _: None,
) -> Outcome:
    """Train and evaluate one network.

    Args:
        config: a resolved configuration.
        data: the faces of its track.
        world: the processes that train it together; each calls this function.
        checkpoint: file to continue from if it exists and to write to.
        save_every: seconds between two checkpoints within an epoch; one more follows each epoch.
        on_epoch: called on rank 0 with the history after each epoch.

    Raises:
        ConfigError: fewer training images than one batch, or micro-batches that the processes cannot share.
    """
    if len(data.train) < config.batch_size:
        raise ConfigError(f"batch_size {config.batch_size} exceeds the {len(data.train)} training images.")
    if config.micro_batches % world.size:
        raise ConfigError(
            f"micro_batches must be a multiple of the {world.size} processes, got {config.micro_batches}."
        )
    steps = config.steps_per_epoch or len(data.train) // config.batch_size
    mine = range(world.rank, config.micro_batches, world.size)
    device, dtype = best_device(), DTYPES[config.precision]
    model = build_model(config).to(device, memory_format=torch.channels_last)
    head = build_head(config, len(data.train.identities), world).to(device)
    torch.backends.cudnn.benchmark = device.type == "cuda"
    prepare(model, config, config.epochs * steps)
    network = world.parallel(model)
    # A sharded classifier holds other identities on every process: there is nothing to average.
    classifier = head if isinstance(head, ShardedHead) else world.parallel(head)
    optimizer = make_optimizer(config, model, head)
    norm_momentum = NormMomentum(model, config.bn_momentum, len(mine))
    probe = standardise(torch.from_numpy(data.test.images[_probe_rows(len(data.test))]).to(device))
    history, first_epoch, first_step = History(parameters=parameter_rows(model, 0, probe)), 0, 0
    history.parameters += diagnostic_rows(model, 0)
    watch, correct = Watch(steps, device), torch.zeros((), dtype=torch.int64, device=device)
    state = load_checkpoint(checkpoint, device) if checkpoint else None
    if state:
        load_training_state(state["training"], model, head, optimizer)
        history = History(state["epochs"], state["parameters"])
        first_epoch, first_step = state["epoch"], state["step"]
        watch.load_state_dict(state["watch"])
        correct += state["correct"] if world.rank == 0 else 0

    def save(epoch: int, step: int) -> None:
        """Write a checkpoint from which `step` of `epoch` comes next. Every process takes part."""
        if not checkpoint:
            return
        average_statistics(model, world)
        state = {
            "training": training_state(model, head, optimizer),
            "epoch": epoch,
            "step": step,
            "watch": watch.state_dict(),
            "correct": world.sum_(correct.clone()).item(),
            "epochs": history.epochs,
            "parameters": history.parameters,
        }
        if world.rank == 0:
            save_checkpoint(checkpoint, state)

    evaluation = None
    bar = tqdm(
        total=config.epochs * steps,
        initial=first_epoch * steps + first_step,
        desc=config.slug,
        unit="step",
        disable=None if world.rank == 0 else True,
    )
    try:
        for epoch in range(first_epoch, config.epochs):
            started = saved = time.perf_counter()
            model.train()
            order = epoch_order(len(data.train), config, epoch, steps)[first_step:, mine]
            parts = batches(data.train, order.reshape(-1, order.shape[-1]), device)
            for i in range(first_step, steps):
                step = epoch * steps + i
                rate = learning_rate(config, step, steps)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.zero_grad(set_to_none=True)
                loss = torch.zeros((), device=device)
                for j, part in enumerate(mine):
                    number = step * config.micro_batches + part
                    torch.manual_seed(derived_seed(config.seed, "dropout", number))
                    generator = torch.Generator().manual_seed(derived_seed(config.seed, "augment", number))
                    norm_momentum.set(j)
                    images, labels = next(parts)
                    x = augment(
                        standardise(images),
                        generator,
                        flip=config.flip,
                        rotate=config.rotate,
                        shift=config.shift,
                    )
                    with world.local(network, classifier) if j + 1 < len(mine) else nullcontext():
                        with torch.autocast(
                            device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16
                        ):
                            embeddings = network(x)
                        out = classifier(embeddings, labels)
                        (out.loss / len(mine)).backward()
                    loss += out.loss.detach() / len(mine)
                    correct += (out.predicted == labels).sum()
                norm = gradient_norm(model)
                optimizer.step()
                if config.slope_floor is not None:
                    clamp_slopes(model, config.slope_floor)

                watch.note(i, step, loss, norm)
                bar.update()
                if (i + 1) % CHECK_EVERY == 0 or i + 1 == steps:
                    recent = watch.check(i, step, rate, world)
                    bar.set_postfix(loss=f"{recent:.3f}", lr=f"{rate:.2g}")
                    due = time.perf_counter() - saved >= save_every
                    if i + 1 < steps and world.agree(due):
                        save(epoch, i + 1)
                        saved = time.perf_counter()

            seconds = time.perf_counter() - started
            average_statistics(model, world)
            evaluation = evaluate_model(model, data, dtype, world)
            row = {
                "epoch": epoch + 1,
                "step": (epoch + 1) * steps,
                "learning_rate": rate,
                "loss": watch.losses.mean().item(),
                "train_accuracy": world.sum_(correct).item() / (steps * config.batch_size),
                "gradient_norm": watch.norms.mean().item(),
                **(evaluation.metrics if evaluation else {}),
                **(held_out(model, head, data.held_out, dtype) if data.held_out and world.rank == 0 else {}),
                "images_per_second": (steps - first_step) * config.batch_size / seconds,
                "seconds": time.perf_counter() - started,
            }
            history.epochs.append(row)
            history.parameters += parameter_rows(model, epoch + 1, probe)
            if epoch + 1 == config.epochs:
                history.parameters += diagnostic_rows(model, epoch + 1, probe)
                if data.held_out is not None:
                    history.parameters += _rows(epoch + 1, losses_by_factor(model, head, data.held_out))
            first_step = 0
            correct.zero_()
            save(epoch + 1, 0)
            if world.rank == 0:
                on_epoch(history)
    except Collapse as collapse:
        return Outcome("collapsed", str(collapse), model, history, None)
    finally:
        bar.close()
    if first_epoch == config.epochs:  # continued from the checkpoint of the last epoch
        evaluation = evaluate_model(model, data, dtype, world)
    message = ""
    if config.epochs * steps >= FAIR_TRIAL:
        message = at_chance(history.epochs[-1], data.train.labels, softmax=config.loss == "softmax")
    return Outcome("collapsed" if message else "done", message, model, history, evaluation)


def gradient_norm(model: nn.Module) -> Tensor:
    """L2 norm of the gradient of all parameters of `model`, a scalar that stays on the device."""
    return nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])


def evaluate_model(
    model: InceptionResnet, data: TrackData, dtype: torch.dtype, world: World
) -> Evaluation | None:
    """The track's evaluation of `model` on rank 0, None elsewhere.

    Raises:
        Collapse: an embedding is not finite; on every process.
    """
    embeddings = embed(model, data.test.images, dtype=dtype) if world.rank == 0 else np.zeros(0)
    if not world.agree(bool(np.isfinite(embeddings).all())):
        raise Collapse("The network's embeddings are not finite.")
    if world.rank > 0:
        return None
    return evaluate(data.test, data.pairs, embeddings, all_pairs=data.all_pairs)


@torch.inference_mode()
def held_out(model: InceptionResnet, head: nn.Module, faces: FaceSet, dtype: torch.dtype) -> dict[str, float]:
    """Loss (nats) and accuracy of the classifier on images of the training identities never trained on."""
    embeddings = embed(model, faces.images, dtype=dtype, normalised=False)
    device = next(head.parameters()).device
    labels = torch.from_numpy(faces.labels).to(device)
    out = head(torch.from_numpy(embeddings).to(device), labels)
    return {
        "held_out_loss": out.loss.item(),
        "held_out_accuracy": (out.predicted == labels).float().mean().item(),
    }


def _probe_rows(images: int) -> np.ndarray:
    """Which test images measure the residual branches: up to 64, evenly spread over the people."""
    return np.linspace(0, images - 1, min(PROBE, images)).round().astype(np.int64)


def parameter_rows(model: InceptionResnet, epoch: int, probe: Tensor) -> list[dict[str, Any]]:
    """What the paper follows through training, as rows: epoch, kind, the paper's name, channel, value.

    The kinds are `trsf` and `slope`, every trainable one, and what `trsf` is read as: `ratio`, that of each
    scaled branch to its trunk on the images `probe` [N, 3, H, W], and `kernel` and `bias`, the norms of the
    1x1 kernel and bias under the scale.
    """
    values = {
        "trsf": model.scales(),
        "slope": model.slopes(),
        "ratio": residual_ratios(model, probe),
        "kernel": kernel_norms(model),
        "bias": bias_norms(model),
    }
    return _rows(epoch, values)


def diagnostic_rows(model: InceptionResnet, epoch: int, probe: Tensor | None = None) -> list[dict[str, Any]]:
    """What else is measured at the start and the end, as rows: see `trsfnet.models.diagnostics`.

    Before training no statistics have run, so without a `probe` the kernels alone are measured.
    """
    return _rows(epoch, redundancy(model) | ({} if probe is None else activity(model, probe)))


def _rows(epoch: int, values: Mapping[str, Mapping[str, Tensor | float]]) -> list[dict[str, Any]]:
    return [
        {"epoch": epoch, "kind": kind, "name": name, "channel": channel, "value": value}
        for kind, named in values.items()
        for name, tensor in named.items()
        for channel, value in enumerate(torch.as_tensor(tensor).cpu().reshape(-1).tolist())
    ]
