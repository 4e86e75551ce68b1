"""Loads the network of a run from its last checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from trsfnet.errors import RecordError
from trsfnet.experiments.record import CHECKPOINT, Record, read_record
from trsfnet.training.checkpoint import has_checkpoint, load_checkpoint
from trsfnet.training.config import TrainConfig


@dataclass(frozen=True)
class SavedNetwork:
    """The tensors of a run's network and the amount of training.

    Attributes:
        record: record of the run.
        config: settings of the run.
        state: state dict of the network, on the CPU; not checked against the settings.
        epochs: number of finished epochs.
        steps: number of finished steps of the following epoch.
    """

    record: Record
    config: TrainConfig
    state: Mapping[str, Tensor]
    epochs: int
    steps: int

    @property
    def age(self) -> str:
        """The amount of training in words, such as `3 of 10 epochs and 20 steps`."""
        steps = f" and {self.steps} steps" if self.steps else ""
        return f"{self.epochs} of {self.config.epochs} epochs{steps}"


def saved_network(path: Path) -> SavedNetwork:
    """Load the network of the run in the folder `path`.

    Raises:
        RecordError: there is no run, it has no checkpoint, or its settings or the checkpoint are damaged.
        CheckpointError: the checkpoint was written by another version of trsfnet.
        DataError: the checkpoint cannot be read.
    """
    record = read_record(path)
    file = path / CHECKPOINT
    if not has_checkpoint(file):
        if record.status == "collapsed":
            raise RecordError(
                f"{path} contains no network: its training collapsed: {record.info.get('message', '')}"
            )
        command = record.info.get("command", "the command in its run.json")
        raise RecordError(
            f"{path} contains no network ({CHECKPOINT} is missing, as in all committed results): "
            f"retrain it with {command}"
        )
    with record.naming("entries"):
        config = TrainConfig.from_parameters(record.config)
    content = load_checkpoint(file)
    # For a finished run, the checkpoint must hold the final network rather than that of an earlier epoch.
    if content is None or (record.status == "done" and content.get("epoch") != config.epochs):
        raise RecordError(f"{file} is damaged: restore a copy, or repeat the training.")
    try:
        state = content["training"]["model"]
        return SavedNetwork(record, config, state, content["epoch"], content["step"])
    except (KeyError, TypeError) as error:
        raise RecordError(f"{file} does not hold the network that {path / 'run.json'} describes.") from error
