"""The training loop, from a resolved configuration to a trained network.

All random numbers depend only on (seed, epoch, step), not on earlier random numbers, so a run that resumes
from a checkpoint takes the same steps as an uninterrupted run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from torch import Tensor
from tqdm import tqdm

from trsfnet.data.faces import FaceSet, TrackData
from trsfnet.errors import ConfigError
from trsfnet.evaluation.protocol import Evaluation
from trsfnet.models import InceptionResnet
from trsfnet.training.acceleration.prepare import Prepared
from trsfnet.training.batches import batches, epoch_order
from trsfnet.training.checkpoint import SAVE_EVERY, Checkpoints
from trsfnet.training.collapse import CHECK_EVERY, FAIR_TRIAL, Collapse, at_chance
from trsfnet.training.collapsed import Collapsed
from trsfnet.training.config import TrainConfig
from trsfnet.training.distributed import World
from trsfnet.training.history import History, diagnostic_rows, parameter_rows, probe_images
from trsfnet.training.network import average_statistics
from trsfnet.training.state import TrainState
from trsfnet.training.step import train_step
from trsfnet.training.validation import evaluate_model, final_rows, held_out_metrics


@dataclass(frozen=True)
class Outcome:
    """The result of a run.

    Attributes:
        status: `done`, or `collapsed` if training could not continue or ended at chance level.
        message: what happened and where, if it collapsed.
        model: the network at the end of the run.
        prepared: how its steps were computed.
        history: the metrics and parameters of its epochs.
        evaluation: the final evaluation, on rank 0; None if the network's outputs are not finite.
        collapse: how it collapsed; None if it did not.
    """

    status: str
    message: str
    model: InceptionResnet
    prepared: Prepared
    history: History
    evaluation: Evaluation | None
    collapse: Collapsed | None


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
        checkpoint: file to write to, and to resume from if it exists; None writes no checkpoints.
        save_every: seconds between two checkpoints within an epoch; another one follows each epoch.
        on_epoch: called on rank 0 with the history after each epoch.

    Raises:
        ConfigError: fewer training images than one batch, or micro-batches that the processes cannot share.
        CheckpointError: the checkpoint was written by another version of trsfnet.
        DataError: the checkpoint cannot be read or written, or the processes find different ones.
    """
    check_sizes(config, data, world.size)
    steps = config.steps_per_epoch or len(data.train) // config.batch_size
    state = TrainState.start(config, len(data.train.identities), steps, world)
    checkpoints = Checkpoints(checkpoint, save_every, world)
    probe = probe_images(data.test, state.device)
    _resume_or_begin(state, checkpoints, probe)
    try:
        evaluation = evaluate_model(state, data) if state.epoch == config.epochs else None
        with _progress_bar(state) as bar:
            while state.epoch < config.epochs:
                evaluation = _epoch(state, data, probe, checkpoints, bar)
                checkpoints.save(state)
                if world.rank == 0:
                    on_epoch(state.history)
    except Collapse as collapse:
        return _outcome(state, None, str(collapse), collapse.how)
    message = ""
    if config.epochs * steps >= FAIR_TRIAL:
        message = at_chance(state.history.epochs[-1], data.train.labels, softmax=config.loss == "softmax")
    return _outcome(state, evaluation, message, Collapsed("chance") if message else None)


def _resume_or_begin(state: TrainState, checkpoints: Checkpoints, probe: Tensor) -> None:
    """Restore the state of the checkpoint, or record the initial parameters if there is none."""
    if (saved := checkpoints.load()) is not None:
        state.load_state_dict(saved)
    else:
        state.history.parameters = parameter_rows(state.model, 0, probe) + diagnostic_rows(state.model, 0)


def _outcome(
    state: TrainState, evaluation: Evaluation | None, message: str, collapse: Collapsed | None
) -> Outcome:
    status = "collapsed" if collapse else "done"
    return Outcome(status, message, state.model, state.prepared, state.history, evaluation, collapse)


def check_sizes(config: TrainConfig, data: TrackData, processes: int) -> None:
    """Check that there are images for a batch, and that `processes` can share its micro-batches equally.

    Raises:
        ConfigError: there are too few images, or the micro-batches cannot be shared.
    """
    if len(data.train) < config.batch_size:
        raise ConfigError(f"batch_size {config.batch_size} exceeds the {len(data.train)} training images.")
    if config.micro_batches % processes:
        raise ConfigError(
            f"micro_batches must be a multiple of the {processes} processes, got {config.micro_batches}."
        )


def _progress_bar(state: TrainState) -> tqdm[NoReturn]:
    return tqdm(
        total=state.config.epochs * state.steps_per_epoch,
        initial=state.total_step,
        desc=state.config.slug,
        unit="step",
        disable=None if state.world.rank == 0 else True,
    )


def _epoch(
    state: TrainState, data: TrackData, probe: Tensor, checkpoints: Checkpoints, bar: tqdm[NoReturn]
) -> Evaluation | None:
    """Train for the rest of an epoch, evaluate, and add the results to the history.

    Returns:
        The evaluation, on rank 0.

    Raises:
        Collapse: training cannot continue.
    """
    started, first_step = time.perf_counter(), state.step
    _train_epoch(state, data.train, checkpoints, bar)
    trained = time.perf_counter()
    images = state.steps_per_epoch * state.config.batch_size
    images_per_second = (images - first_step * state.config.batch_size) / (trained - started)
    average_statistics(state.model, state.world)
    evaluation = evaluate_model(state, data)
    epoch = state.epoch + 1
    row = {
        "epoch": epoch,
        "step": state.total_step,
        "learning_rate": state.optimizer.param_groups[0]["lr"],
        "loss": state.watch.losses.mean().item(),
        "train_accuracy": state.world.sum_(state.correct).item() / images,
        "gradient_norm": state.watch.norms.mean().item(),
        **(evaluation.metrics if evaluation else {}),
        **held_out_metrics(state, data),
        "images_per_second": images_per_second,
        # The steps before an interruption count with the speed of those after it.
        "seconds": images / images_per_second + time.perf_counter() - trained,
    }
    state.history.epochs.append(row)
    state.history.parameters += parameter_rows(state.model, epoch, probe)
    if epoch == state.config.epochs:
        state.history.parameters += final_rows(state, data, probe)
    state.next_epoch()
    return evaluation


def _train_epoch(state: TrainState, faces: FaceSet, checkpoints: Checkpoints, bar: tqdm[NoReturn]) -> None:
    """Take the remaining steps of an epoch, and check losses and gradients every few steps."""
    steps = state.steps_per_epoch
    state.model.train()
    order = epoch_order(len(faces), state.config, state.epoch, steps)[state.step :, state.parts]
    parts = batches(faces, order.reshape(-1, order.shape[-1]), state.device)
    while state.step < steps:
        train_step(state, parts)
        bar.update()
        if state.step % CHECK_EVERY == 0 or state.step == steps:
            rate = state.optimizer.param_groups[0]["lr"]
            recent = state.watch.check(state.step - 1, state.total_step - 1, rate, state.world)
            bar.set_postfix(loss=f"{recent:.3f}", lr=f"{rate:.2g}")
            if state.step < steps:
                checkpoints.save_if_due(state)
