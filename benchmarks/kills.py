"""Kill a training run at random moments, restart it, and compare it with an undisturbed run.

`python -m benchmarks.kills` writes `results/kills.json`. The tests use the same code.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from benchmarks.measure import save
from trsfnet.data.faces import FaceSet, TrackData
from trsfnet.training import checkpoint
from trsfnet.training.config import TrainConfig
from trsfnet.training.loop import train

# A small network with every feature that has state: dropout, augmentation, momentum, scales and slopes.
CONFIG = TrainConfig(
    trsf=True,
    activation="prelu",
    width=0.125,
    image_size=75,
    embedding_size=16,
    batch_size=16,
    dropout=0.1,
    identities=8,
    images_per_identity=8,
    epochs=2,
    steps_per_epoch=40,
    precision="float32",
)


def faces() -> TrackData:
    """Eight people to learn and others to verify; noise is enough to check that two runs agree."""
    rng = np.random.default_rng(0)

    def draw(people: int, images: int) -> FaceSet:
        pixels = rng.integers(0, 256, (people * images, 75, 75, 3), dtype=np.uint8)
        return FaceSet(pixels, np.repeat(np.arange(people), images), tuple(map(str, range(people))))

    return TrackData(draw(8, 8), draw(10, 4), None)


# Moments at which a process can kill itself, in addition to kills at random times.
MOMENTS = ("half of a checkpoint written", "between the two renames")


def attempt(folder: Path, moment: str | None = None) -> None:
    """Start the training once; if it finishes, the whole result is written to `folder/result.pt`.

    It saves as often as it can, so that kills meet writes.
    """
    torch.set_num_threads(1)
    if moment == MOMENTS[0]:
        checkpoint.torch = _DiesWhileWriting()
    if moment == MOMENTS[1]:
        checkpoint.os = _DiesBetweenRenames()
    config = CONFIG.resolved(None)
    outcome = train(config, faces(), checkpoint=folder / "last.pt", save_every=0.0)
    times = ("seconds", "images_per_second")
    torch.save(
        {
            "weights": outcome.model.state_dict(),
            "scores": torch.from_numpy(outcome.evaluation.scores["score"]),
            "parameters": outcome.history.parameters,
            "epochs": [{k: v for k, v in row.items() if k not in times} for row in outcome.history.epochs],
        },
        folder / "result.pt",
    )


class _Stand:
    """Stand-in for a module that replaces one of its functions."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _DiesWhileWriting(_Stand):
    def __init__(self) -> None:
        super().__init__(torch)
        self._left = 2

    def save(self, state: Any, file: Any) -> None:
        self._left -= 1
        torch.save(state, file)
        if self._left == 0:
            file.truncate(file.tell() // 2)
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)


class _DiesBetweenRenames(_Stand):
    def __init__(self) -> None:
        super().__init__(os)
        self._left = 4

    def replace(self, source: Path, target: Path) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        os.replace(source, target)


def starter(module: str = "benchmarks.kills") -> multiprocessing.context.ForkServerContext:
    """Context that starts processes quickly: they fork from one that has only imported `module`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


def run(folder: Path, kills: int, seed: int) -> dict[str, int]:
    """Train once undisturbed, then repeatedly with kills until there were `kills` of them, and compare.

    Each disturbed training first dies at each of `MOMENTS`, then is killed at random times.

    Returns:
        Numbers of disturbed runs, kills, kills during a write, starts, and values compared and different.
    """
    context, rng = starter(), random.Random(seed)
    started = time.perf_counter()
    _finish(context, folder / "whole", None)
    seconds = time.perf_counter() - started
    whole = torch.load(folder / "whole" / "result.pt", weights_only=True)
    figures = dict.fromkeys(
        ("trainings", "kills", "kills_during_a_write", "starts", "compared", "different"), 0
    )
    bar = tqdm(total=kills, desc="kills", disable=None)
    while figures["kills"] < kills:
        broken = folder / f"broken-{figures['trainings']}"
        figures["trainings"] += 1
        for moment in MOMENTS:
            _finish(context, broken, moment)
            figures["starts"] += 1
            figures["kills_during_a_write"] += 1
            _count_kill(figures, bar)
        while not (broken / "result.pt").is_file():
            process = _start(context, broken, None)
            figures["starts"] += 1
            process.join(rng.uniform(0.02, 0.35) * seconds if figures["kills"] < kills else None)
            if process.is_alive():
                process.kill()
                figures["kills_during_a_write"] += (broken / "last.partial").is_file()
                _count_kill(figures, bar)
            process.join()
        compared, different = compare(whole, torch.load(broken / "result.pt", weights_only=True))
        figures["compared"] += compared
        figures["different"] += different
    bar.close()
    return figures


def _count_kill(figures: dict[str, int], bar: tqdm) -> None:
    figures["kills"] += 1
    bar.update()


def _start(context: Any, folder: Path, moment: str | None) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    process = context.Process(target=attempt, args=(folder, moment))
    process.start()
    return process


def _finish(context: Any, folder: Path, moment: str | None) -> None:
    process = _start(context, folder, moment)
    process.join()
    expected = 0 if moment is None else -signal.SIGKILL
    if process.exitcode != expected:
        raise RuntimeError(f"A training ended with {process.exitcode} instead of {expected}.")


def compare(a: Any, b: Any) -> tuple[int, int]:
    """Count the values in two results, and those that differ in any bit."""
    if isinstance(a, torch.Tensor):
        return a.numel(), int((a != b).sum())
    if isinstance(a, dict):
        if a.keys() != b.keys():
            return len(a), len(a)
        pairs = [compare(a[key], b[key]) for key in a]
    elif isinstance(a, list):
        if len(a) != len(b):
            return len(a), len(a)
        pairs = [compare(x, y) for x, y in zip(a, b, strict=True)]
    else:
        return 1, int(a != b)
    return sum(p[0] for p in pairs), sum(p[1] for p in pairs)


def main() -> None:
    """Run the benchmark and save the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        save("kills", run(Path(folder), options.kills, seed=0))


if __name__ == "__main__":
    main()
