"""Compare two gloo processes with one at the same global batch, and kill one of the two.

`python -m benchmarks.processes` writes `results/processes.json`. The tests use the same code.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from benchmarks.kills import CONFIG, faces, starter
from benchmarks.measure import save
from trsfnet.training import loop, network
from trsfnet.training.config import TrainConfig
from trsfnet.training.distributed import join, leave, peers
from trsfnet.training.loop import train

TOGETHER = replace(CONFIG, micro_batches=2, steps_per_epoch=10)


def member(
    rank: int, size: int, port: int, folder: Path, config: TrainConfig, options: dict[str, Any]
) -> None:
    """Run one process of a run: rank 0 writes the result to `folder/result.pt`, a failing rank its message.

    Options: `dies`, the rank to kill after the first epoch; `shard`, True to shard the classifier.
    """
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(size), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    if options.get("shard"):
        network.SHARD_FROM = 2
    config = config.resolved(None)

    try:
        with peers():
            world = join()
            if options.get("dies") == rank:
                _die_later()
            outcome = train(config, faces(), world=world, checkpoint=folder / "last.pt")
            world.wait()
            leave()
    except BaseException as error:
        (folder / f"said-{rank}").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        raise
    if rank == 0:
        torch.save(
            {
                "weights": outcome.model.state_dict(),
                "scores": torch.from_numpy(outcome.evaluation.scores["score"]),
            },
            folder / "result.pt",
        )


def _die_later() -> None:
    """Kill this process in its second epoch."""
    ordinary = loop.epoch_order

    def epoch_order(images: int, config: TrainConfig, epoch: int, steps: int) -> Any:
        if epoch == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return ordinary(images, config, epoch, steps)

    loop.epoch_order = epoch_order


def run_members(
    folder: Path, size: int, config: TrainConfig = TOGETHER, *, timeout: float = 240, **options: Any
) -> list[int]:
    """Train `config` in `size` processes; return their exit codes, None for one that had to be ended."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = starter()
    processes = [
        context.Process(target=member, args=(rank, size, port, folder, config, options))
        for rank in range(size)
    ]
    for process in processes:
        process.start()
    end, codes = time.monotonic() + timeout, []
    for process in processes:
        process.join(max(0.0, end - time.monotonic()))
        codes.append(process.exitcode)
        process.kill()
    return codes


def read(folder: Path) -> dict[str, Any]:
    """Read the result that `member` wrote."""
    return torch.load(folder / "result.pt", weights_only=True)


def differences(a: dict[str, Any], b: dict[str, Any]) -> dict[str, float]:
    """Measure the difference between two results.

    Returns:
        Numbers of parameters compared and of those that differ in any bit; the largest difference of
        parameters, of batch norm's running statistics and of pair scores, each relative to the largest entry
        of its tensor.
    """

    def largest(x: torch.Tensor, y: torch.Tensor) -> float:
        return ((x.double() - y.double()).abs().max() / x.double().abs().max().clamp_min(1e-30)).item()

    names = {"parameters": [], "statistics": []}
    for name in a["weights"]:
        if not name.endswith("num_batches_tracked"):  # counts the calls in each process
            names["statistics" if ".running_" in name else "parameters"].append(name)
    pairs = {kind: [(a["weights"][n], b["weights"][n]) for n in names[kind]] for kind in names}
    return {
        "compared": sum(x.numel() for x, _ in pairs["parameters"]),
        "different": sum(int((x != y).sum()) for x, y in pairs["parameters"]),
        **{kind: max(largest(x, y) for x, y in pairs[kind]) for kind in names},
        "scores": largest(a["scores"], b["scores"]),
    }


def run(folder: Path) -> dict[str, Any]:
    """Compare two processes with one, in three cases; then kill one of two and resume.

    The classifier is copied, copied with accumulated gradients, or split.
    """
    cases = {
        "copied": (TOGETHER, {}),
        "accumulated": (replace(TOGETHER, micro_batches=4, epochs=1, steps_per_epoch=1), {}),
        "split": (replace(TOGETHER, epochs=1, steps_per_epoch=1), {"shard": True}),
    }
    result: dict[str, Any] = {}
    for name, (config, options) in tqdm(cases.items(), desc="comparisons", disable=None):
        for size in (1, 2):
            codes = run_members(folder / f"{name}-{size}", size, config, **options)
            if codes != [0] * size:
                raise RuntimeError(f"{name} with {size} processes ended with {codes}")
        result[name] = {"steps": config.epochs * config.steps_per_epoch} | differences(
            read(folder / f"{name}-1"), read(folder / f"{name}-2")
        )
    started = time.perf_counter()
    codes = run_members(folder / "dead", 2, dies=1)
    result["death"] = {
        "exit_codes": codes,
        "seconds": round(time.perf_counter() - started, 1),
        "said": (folder / "dead" / "said-0").read_text(encoding="utf-8"),
    }
    # One process resumes from the checkpoint of two.
    run_members(folder / "dead", 1)
    result["after_a_death"] = differences(read(folder / "copied-1"), read(folder / "dead"))
    return result


def main() -> None:
    """Run the benchmark and save the figures."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        save("processes", run(Path(folder)))


if __name__ == "__main__":
    main()
