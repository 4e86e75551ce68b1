"""The state of a training run, and its conversion to and from a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from trsfnet.models import InceptionResnet
from trsfnet.training.acceleration.prepare import Prepared, prepare
from trsfnet.training.collapse import Watch
from trsfnet.training.config import TrainConfig
from trsfnet.training.distributed import World
from trsfnet.training.history import History
from trsfnet.training.network import (
    NormMomentum,
    average_statistics,
    build_head,
    build_model,
    load_training_state,
    make_optimizer,
    training_state,
)
from trsfnet.training.precision import DTYPES, best_device
from trsfnet.training.sharded_head import ShardedHead


@dataclass
class TrainState:
    """The state of a training run at some step.

    Attributes:
        config: the resolved settings.
        world: the processes that train together.
        device: the device of this process.
        prepared: how its steps are computed.
        steps_per_epoch: number of steps per epoch.
        model: the network.
        head: its classifier.
        network: `model`, wrapped so that its gradients are averaged over the processes.
        classifier: `head`, wrapped likewise unless it is sharded.
        optimizer: the optimiser of both.
        norm_momentum: sets the momentum of batch norm for each micro-batch.
        watch: losses and gradient norms of the epoch, and the run's usual gradient norms.
        correct: int64 scalar, faces that this process classified correctly in the epoch so far.
        history: the results of the finished epochs.
        epoch: the epoch of the next step, counted from 0.
        step: the next step within its epoch, from 0; `steps_per_epoch` while the epoch is being evaluated.
    """

    config: TrainConfig
    world: World
    device: torch.device
    prepared: Prepared
    steps_per_epoch: int
    model: InceptionResnet
    head: nn.Module
    network: nn.Module
    classifier: nn.Module
    optimizer: torch.optim.SGD
    norm_momentum: NormMomentum
    watch: Watch
    correct: Tensor
    history: History = field(default_factory=History)
    epoch: int = 0
    step: int = 0

    @classmethod
    def start(cls, config: TrainConfig, classes: int, steps_per_epoch: int, world: World) -> TrainState:
        """Create the state before the first step.

        Args:
            config: the resolved configuration.
            classes: number of identities.
            steps_per_epoch: number of steps per epoch.
            world: the processes that train together; each calls this.
        """
        device = best_device()
        model = build_model(config).to(device).to(memory_format=torch.channels_last)
        head = build_head(config, classes, world).to(device)
        torch.backends.cudnn.benchmark = device.type == "cuda"
        share = config.micro_batches // world.size
        prepared = prepare(model, config, config.epochs * steps_per_epoch, share)
        if world.rank == 0:
            tqdm.write(prepared.reason)
        return cls(
            config=config,
            world=world,
            device=device,
            prepared=prepared,
            steps_per_epoch=steps_per_epoch,
            model=model,
            head=head,
            network=world.parallel(model),
            # A sharded classifier has different identities on each process: there is nothing to average.
            classifier=head if isinstance(head, ShardedHead) else world.parallel(head),
            optimizer=make_optimizer(config, model, head),
            norm_momentum=NormMomentum(model, config.bn_momentum, share),
            watch=Watch(steps_per_epoch, device),
            correct=torch.zeros((), dtype=torch.int64, device=device),
        )

    @property
    def parts(self) -> range:
        """The numbers of a step's micro-batches that this process computes."""
        return range(self.world.rank, self.config.micro_batches, self.world.size)

    @property
    def total_step(self) -> int:
        """The next step, counted from 0 at the start of the run."""
        return self.epoch * self.steps_per_epoch + self.step

    @property
    def dtype(self) -> torch.dtype:
        """The data type in which the network computes."""
        return DTYPES[self.config.precision]

    @property
    def autocast(self) -> torch.autocast:
        """A context in which networks compute in `dtype`."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.dtype == torch.bfloat16)

    def next_epoch(self) -> None:
        """Go to the start of the next epoch."""
        self.epoch, self.step = self.epoch + 1, 0
        self.correct.zero_()

    def state_dict(self) -> dict[str, Any]:
        """The content of a checkpoint, the same for any number of processes. Every process takes part."""
        average_statistics(self.model, self.world)
        return {
            "training": training_state(self.model, self.head, self.optimizer),
            "epoch": self.epoch,
            "step": self.step,
            "watch": self.watch.state_dict(),
            "correct": self.world.sum_(self.correct.clone()).item(),
            "epochs": self.history.epochs,
            "parameters": self.history.parameters,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the result of `state_dict`, on one process or many."""
        load_training_state(state["training"], self.model, self.head, self.optimizer)
        self.epoch, self.step = state["epoch"], state["step"]
        self.watch.load_state_dict(state["watch"])
        self.correct.fill_(state["correct"] if self.world.rank == 0 else 0)
        self.history = History(state["epochs"], state["parameters"])
