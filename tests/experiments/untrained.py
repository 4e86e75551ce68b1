"""Runs whose network was never trained: all that an evaluation needs, in no time."""

from __future__ import annotations

from pathlib import Path

from trsfnet.experiments.record import CHECKPOINT, SCHEMA, RunFolder
from trsfnet.models import InceptionResnet
from trsfnet.training.checkpoint import save_checkpoint
from trsfnet.training.config import TrainConfig
from trsfnet.training.network import build_model


def write_run(root: Path, config: TrainConfig) -> tuple[Path, InceptionResnet]:
    """A finished run under `root`, and its network."""
    path = root / config.track / config.run_id
    model = build_model(config).eval()
    state = {"training": {"model": model.state_dict()}, "epoch": config.epochs, "step": 0}
    save_checkpoint(path / CHECKPOINT, state)
    info = {"schema": SCHEMA, "status": "done", "run_id": config.run_id, "track": config.track}
    info |= {"seed": config.seed, "config": config.recorded, "metrics": {}, "command": "papermill it"}
    info |= {"data": {"train": {"identities": 4, "images": config.batch_size}}}
    RunFolder(path, info).write_info()
    return path, model
