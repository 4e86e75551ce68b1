"""Feed damaged files to every reader and count the results.

`python -m benchmarks.fuzzing` continues the search through ten million files where the last one stopped, and
saves the figures in `results/fuzzing.json` as it goes; it can be stopped at any time. The files are generated
in batches. A batch depends only on the reader's name and the batch's number, so the same code always reads
the same files. Each start repeats the batches with findings: findings that no longer occur count as mended.
`--batch NAME NUMBER` repeats one batch.

The readers and the requirements on them are those of the tests. This search is random and fast;
`python -m tests.fuzz` is guided by coverage and slower.
"""

from __future__ import annotations

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

from benchmarks.measure import RESULTS, command_parser, save

FINDINGS = Path(__file__).parents[1] / "_build" / "fuzz" / "findings"
BATCH = 5000
# Time limits; exceeding them is a finding.
SECONDS = 5.0  # CPU time for one file, so that it does not depend on the machine's load
BATCH_SECONDS = 600  # elapsed time for a whole batch
SAVE_SECONDS = 30
# Number of batches out of a hundred for each reader: every reader gets many, fast ones more.
SHARES = {
    **{"pairs": 22, "people": 20, "identity_meta": 20, "record": 7, "bin": 7, "list": 6, "decode": 4},
    **{"safetensors": 3, "onnx": 3, "pack": 1.5, "checkpoint": 1.5, "torch": 1.5},
    **{"recordio": 1, "idx": 0.5, "ijb": 0.4},
}
_LARGEST = ("slowest", "memory_mib")


def search(name: str, batch: int, folder: Path) -> dict[str, Any]:
    """Damage the valid files of one target in the ways of one batch, and read them.

    Returns:
        Number of executions, of files read and of files refused; findings; CPU seconds of the slowest
        file; and the increase of the process's peak memory in MiB.
    """
    from tests.mutations import damaged
    from tests.targets import TARGETS

    target, rng = TARGETS[name], random.Random(f"{name} {batch}")
    seeds = target.seeds()
    figures: dict[str, Any] = dict.fromkeys(("executions", "read", "refused", "findings", "slowest"), 0)
    memory = _memory()
    warnings.simplefilter("ignore")  # Pillow warns about unusual but readable images
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
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # messages of readers and of libtiff
    pipe.send(search(name, batch, folder))


def in_its_own_process(name: str, batch: int) -> dict[str, Any]:
    """Run `search` in a separate process; a crash or a hang of that process is a finding, too."""
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
    """Combine the figures of two searches of one target."""
    together = dict(earlier)
    for name, value in now.items():
        before = together.get(name, [] if name == "found_in" else 0)
        together[name] = max(before, value) if name in _LARGEST else before + value
    return together


def again(name: str, figures: dict[str, Any]) -> dict[str, Any]:
    """Repeat a target's batches with findings, and return the figures with mended findings removed."""
    batches = figures.get("found_in", [])
    left = [batch for batch in batches if in_its_own_process(name, batch)["findings"]]
    mended = figures.get("mended", 0) + (0 if left else figures.get("findings", 0))
    return figures | {"found_in": left, "findings": figures["findings"] if left else 0, "mended": mended}


def most_behind(figures: dict[str, dict[str, Any]]) -> str:
    """The target that is furthest behind its share."""
    return min(SHARES, key=lambda name: figures.get(name, {}).get("batches", 0) / SHARES[name])


def main() -> None:
    """Search, and add the results to the existing figures."""
    os.environ["TRSFNET_CACHE"] = "/dev/null"  # no file may affect how later files are read
    os.environ["TQDM_DISABLE"] = "1"
    from tests.targets import TARGETS

    if SHARES.keys() != TARGETS.keys():
        sys.exit("SHARES must name every target.")
    parser = command_parser(__doc__)
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
    for target in TARGETS.values():  # trigger imports before the processes fork, so that they happen once
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
