"""The network of a run, rebuilt from its record and its last checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from trsfnet.errors import RecordError
from trsfnet.experiments.record import Record, read_record
from trsfnet.experiments.run import CHECKPOINT
from trsfnet.models import InceptionResnet
from trsfnet.models.weights import fingerprint
from trsfnet.training.acceleration import accelerate
from trsfnet.training.checkpoint import load_checkpoint, previous
from trsfnet.training.config import TrainConfig
from trsfnet.training.network import build_model
from trsfnet.training.precision import DTYPES, best_device


@dataclass(frozen=True)
class TrainedNetwork:
    """The network of a run.

    Attributes:
        record: of the run.
        config: its settings.
        model: the network in evaluation mode, on the best device.
        epochs: how many epochs it was trained.
        steps: steps of the next one.
    """

    record: Record
    config: TrainConfig
    model: InceptionResnet
    epochs: int
    steps: int

    @property
    def dtype(self) -> torch.dtype:
        """What the network computes in."""
        return DTYPES[self.config.precision]

    @property
    def age(self) -> str:
        """How long it was trained, in words."""
        steps = f" and {self.steps} steps" if self.steps else ""
        return f"{self.epochs} of {self.config.epochs} epochs{steps}"

    @cached_property
    def fingerprint(self) -> str:
        """A hash of every weight and running statistic."""
        return fingerprint(self.model.state_dict())


def load_network(path: Path) -> TrainedNetwork:
    """The network of the run in the folder `path`.

    Raises:
        RecordError: there is no run, it has no checkpoint, that is damaged, or it is of another network.
    """
    record = read_record(path)
    file = path / CHECKPOINT
    if not file.is_file() and not previous(file).is_file():
        if record.status == "collapsed":
            raise RecordError(
                f"{path} holds no network, since its training collapsed: {record.info.get('message', '')}"
            )
        command = record.info.get("command", "the command in its run.json")
        raise RecordError(
            f"{path} holds no network ({CHECKPOINT} is missing, as in all committed results): train it again "
            f"by {command}"
        )
    config = TrainConfig.from_parameters(record.config)
    device = best_device()
    state = load_checkpoint(file, device)
    # Of a finished run only the last network will do, not the one that the checkpoint before holds.
    if state is None or (record.status == "done" and state.get("epoch") != config.epochs):
        raise RecordError(f"{file} is damaged: a copy, or the same training once more, would mend it.")
    model = build_model(config).to(device, memory_format=torch.channels_last).eval()
    accelerate(model)  # as it was evaluated after its last epoch, to the last bit
    try:
        model.load_state_dict(state["training"]["model"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise RecordError(f"{file} does not hold the network that {path / 'run.json'} describes.") from error
    return TrainedNetwork(record, config, model, state["epoch"], state["step"])
