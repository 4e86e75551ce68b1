"""Tasks to kill: training in one process, in two, compiled, and by the pipeline."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmarks.kill_trials.harness import Work
from benchmarks.kills import CONFIG, faces
from trsfnet.training.acceleration import prepare, regions
from trsfnet.training.config import TrainConfig
from trsfnet.training.distributed import World, join, leave, peers
from trsfnet.training.loop import Outcome, train

ROOT = Path(__file__).parents[2]
SMALL = replace(CONFIG, width=0.03125, batch_size=8, steps_per_epoch=3)
_TIMES = ("seconds", "images_per_second")


def nothing(inputs: Path) -> None:
    """No inputs: the faces are generated."""


def training(folder: Path) -> None:
    """One process; it saves as often as it can, so that kills meet writes."""
    _train(folder, SMALL)


def compiled(folder: Path) -> None:
    """The same with its first regions compiled; the compiler's output is cached for the next start."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "inputs" / "compiler")
    regions.regions = lambda model: [model.conv2d_1a, model.conv2d_2a]
    prepare._on_cpu = lambda config, steps: ("compiled", "As asked.")
    _train(folder, SMALL)


def two_processes(folder: Path) -> None:
    """Two processes, each of which may be killed alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    members = []
    for rank in range(2):
        if (member := os.fork()) == 0:
            _member(folder, rank, port)
        members.append(member)
    if any(os.waitpid(member, 0)[1] for member in members):
        sys.exit(1)


def _member(folder: Path, rank: int, port: int) -> None:
    os.environ.update(RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    code = 1
    try:
        with peers():
            world = join()
            _train(folder, replace(SMALL, micro_batches=2), world)
            world.wait()
            leave()
        code = 0
    finally:
        os._exit(code)


def _train(folder: Path, config: TrainConfig, world: World | None = None) -> None:
    torch.set_num_threads(1)
    together: dict[str, Any] = {} if world is None else {"world": world}
    outcome = train(config.resolved(None), faces(), checkpoint=folder / "last.pt", save_every=0.0, **together)
    if world is None or world.rank == 0:
        aside = folder / "result"
        aside.write_bytes(_said(outcome))
        aside.rename(folder / "target" / "result")


def _said(outcome: Outcome) -> bytes:
    """All results of a training run except times."""
    weights = (tensor.numpy().tobytes() for tensor in outcome.model.state_dict().values())
    rows = [{k: v for k, v in row.items() if k not in _TIMES} for row in outcome.history.epochs]
    text = json.dumps([rows, outcome.history.parameters])
    return b"".join([*weights, outcome.evaluation.scores["score"].tobytes(), text.encode()])


def pipeline(folder: Path) -> None:
    """Snakemake with the two runs of a figure, one after the other; it ends the processes that it started."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder / "target"), "--config", "budget=smoke", "exhibit=figure 9"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TRSFNET_CACHE": str(folder / "inputs" / "cache")}
    sys.exit(subprocess.run(command, cwd=ROOT, env=environment).returncode)


def _bytes(file: Path) -> bytes:
    return file.read_bytes()


def _record(file: Path) -> bytes | None:
    """The results in a file of a run's folder, without times; None for files that are not compared."""
    if file.name == "run.json":
        info = json.loads(file.read_text(encoding="utf-8"))
        return json.dumps([info[key] for key in ("status", "config", "metrics", "counts")]).encode()
    if file.name == "history.csv":
        return pd.read_csv(file).drop(columns=list(_TIMES)).to_csv().encode()
    return file.read_bytes() if file.suffix == ".parquet" else None


WORKS = {
    "training": Work(training, nothing, _bytes),
    "two processes": Work(two_processes, nothing, _bytes, alone=True),
    "compiled": Work(compiled, nothing, _bytes, warms=True),
    "pipeline": Work(pipeline, nothing, _record, alone=True),
}
