"""Put damaged files before every reader, many at a time, and count what it does with them.

`python -m benchmarks.fuzzing` goes on with the search of ten million files where the last one ended, and
keeps the figures in `results/fuzzing.json` as it goes; stop it whenever you like. The files are made in
batches. Those of a batch follow from the reader's name and the batch's number alone, so that the same code
sees the same files again. Batches with findings are searched again at each start: findings that are gone
count as mended. `--batch NAME NUMBER` repeats one batch.

The readers and what is asked of them are those of the tests. This search is blind and quick;
`python -m tests.fuzz` is guided by coverage and slower.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.measure import RESULTS, save

FINDINGS = Path(__file__).parents[1] / "_build" / "fuzz" / "findings"
BATCH = 5000
# What one file may take: more is a finding.
SECONDS = 5.0  # of computing, however busy the machine is
BATCH_SECONDS = 600  # of waiting for a whole batch
SAVE_SECONDS = 30
# How many of a hundred batches each reader gets: all of them many, quick ones more.
SHARES = {
    **{"pairs": 22, "people": 20, "identity_meta": 20, "record": 7, "bin": 7, "list": 6, "decode": 4},
    **{"safetensors": 3, "onnx": 3, "pack": 1.5, "checkpoint": 1.5, "torch": 1.5},
    **{"recordio": 1, "idx": 0.5, "ijb": 0.4},
}
_LARGEST = ("slowest", "memory_mib")


def search(name: str, batch: int, folder: Path) -> dict[str, Any]:
    """Damage the valid files of one target in one batch of ways.

    Returns:
        executions, how many were read and how many refused, findings, the slowest in seconds of computing,
        and by how many MiB the most memory that the process ever took grew meanwhile.
    """
    from tests.mutations import damaged
    from tests.targets import TARGETS

    target, rng = TARGETS[name], random.Random(f"{name} {batch}")
    seeds = target.seeds()
    figures: dict[str, Any] = dict.fromkeys(("executions", "read", "refused", "findings", "slowest"), 0)
    memory = _memory()
    warnings.simplefilter("ignore")  # Pillow's, on odd but readable images
    for number in range(BATCH):
        content = damaged(rng.choice(seeds), rng, seeds)
        started = time.process_time()
        try:
            figures["read" if target.accepts(content, folder) else "refused"] += 1
            if time.process_time() - started > SECONDS:
                raise TimeoutError(f"more than {SECONDS:g} s")
        except Exception as error:
            figures["findings"] += 1
            figures["found_in"] = [batch]
            _keep(f"{name}-{batch}-{number}", content, error)
        figures["executions"] += 1
        figures["slowest"] = max(figures["slowest"], time.process_time() - started)
    return figures | {"slowest": round(figures["slowest"], 3), "memory_mib": _memory() - memory}


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _keep(name: str, content: bytes, error: Exception) -> None:
    FINDINGS.mkdir(parents=True, exist_ok=True)
    (FINDINGS / name).write_bytes(content)
    tqdm.write(f"{name}: {type(error).__name__}: {str(error)[:1000]}")


def _search_and_send(name: str, batch: int, folder: Path, pipe: Connection) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # what readers and libtiff say to users
    pipe.send(search(name, batch, folder))


def in_its_own_process(name: str, batch: int) -> dict[str, Any]:
    """`search`, whose process may crash or hang: that is a finding, too."""
    memory = Path("/dev/shm")
    receiver, sender = multiprocessing.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        process = multiprocessing.get_context("fork").Process(
            target=_search_and_send, args=(name, batch, Path(folder), sender)
        )
        process.start()
        sender.close()
        try:
            if receiver.poll(BATCH_SECONDS):
                return receiver.recv()
        except EOFError:
            pass
        finally:
            process.kill()
            process.join()
    tqdm.write(f"{name}-{batch}: the process crashed or hung ({process.exitcode}).")
    return {"executions": 0, "findings": 1, "found_in": [batch]}


def add(earlier: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """The figures of two searches of one target together."""
    together = dict(earlier)
    for name, value in now.items():
        before = together.get(name, [] if name == "found_in" else 0)
        together[name] = max(before, value) if name in _LARGEST else before + value
    return together


def again(name: str, figures: dict[str, Any]) -> dict[str, Any]:
    """The figures of a target after its batches with findings were searched again: what is mended is none."""
    batches = figures.get("found_in", [])
    left = [batch for batch in batches if in_its_own_process(name, batch)["findings"]]
    mended = figures.get("mended", 0) + (0 if left else figures.get("findings", 0))
    return figures | {"found_in": left, "findings": figures["findings"] if left else 0, "mended": mended}


def most_behind(figures: dict[str, dict[str, Any]]) -> str:
    """The target that has had the least of its share."""
    return min(SHARES, key=lambda name: figures.get(name, {}).get("batches", 0) / SHARES[name])


def main() -> None:
    """Search, and add to the figures that are there."""
    os.environ["TRSFNET_CACHE"] = "/dev/null"  # nothing may be remembered of one file when the next is read
    os.environ["TQDM_DISABLE"] = "1"
    from tests.targets import TARGETS

    if SHARES.keys() != TARGETS.keys():
        sys.exit("SHARES must name every target.")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--executions", type=int, default=10_000_000, help="when to end, with earlier ones")
    parser.add_argument(
        "--batch", nargs=2, metavar=("NAME", "NUMBER"), help="this one alone, in this process"
    )
    options = parser.parse_args()
    if options.batch:
        with tempfile.TemporaryDirectory() as folder:
            print(search(options.batch[0], int(options.batch[1]), Path(folder)))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for target in TARGETS.values():  # what is imported before the processes fork is imported once
        with tempfile.TemporaryDirectory() as folder:
            target.accepts(target.seeds()[0], Path(folder))
    file = RESULTS / "fuzzing.json"
    figures = json.loads(file.read_text(encoding="utf-8"))["targets"] if file.exists() else {}
    figures = {name: again(name, found) for name, found in figures.items()}
    saved = time.monotonic()
    try:
        while sum(found["executions"] for found in figures.values()) < options.executions:
            name = most_behind(figures)
            earlier = figures.get(name, {"batches": 0})
            found = in_its_own_process(name, earlier["batches"])
            figures[name] = add(earlier, found | {"batches": 1})
            if time.monotonic() - saved > SAVE_SECONDS:
                _save(figures)
                saved = time.monotonic()
    finally:
        _save(figures)


def _save(figures: dict[str, dict[str, Any]]) -> None:
    save("fuzzing", {"batch": BATCH, "targets": {name: figures[name] for name in SHARES if name in figures}})


if __name__ == "__main__":
    main()
