"""Put damaged files before every reader, many at a time, and count what it does with them.

`python -m benchmarks.fuzzing --seconds 60` gives each reader so long and adds what it counted to
`results/fuzzing.json`. The readers and what is asked of them are those of the tests; this search is blind
and quick, `python -m tests.fuzz` is guided by coverage and slower.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.measure import RESULTS, save
from trsfnet.errors import TrsfnetError

FINDINGS = Path(__file__).parents[1] / "_build" / "fuzz" / "findings"


def search(name: str, seconds: float, seed: int, folder: Path) -> dict[str, Any]:
    """Damage the valid files of one target for so long.

    Returns:
        executions, how many were read and how many refused, findings, the slowest in seconds, and the most
        memory in MiB that the process took.
    """
    from tests.mutations import damaged
    from tests.targets import TARGETS

    target, rng = TARGETS[name], random.Random(seed)
    seeds = target.seeds()
    figures: dict[str, Any] = dict.fromkeys(("executions", "read", "refused", "findings", "slowest"), 0)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        content = damaged(rng.choice(seeds), rng, seeds)
        started = time.perf_counter()
        try:
            try:
                target.read(content, folder)
                figures["read"] += 1
            except TrsfnetError:
                figures["refused"] += 1
                target.survives(content, folder)
        except Exception as error:
            figures["findings"] += 1
            FINDINGS.mkdir(parents=True, exist_ok=True)
            (FINDINGS / f"{name}-{seed}-{figures['executions']}").write_bytes(content)
            tqdm.write(f"{name}: {type(error).__name__}: {error}")
        figures["executions"] += 1
        figures["slowest"] = max(figures["slowest"], time.perf_counter() - started)
    figures["slowest"] = round(figures["slowest"], 3)
    figures["memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return figures


def add(earlier: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """The figures of two searches of one target together."""
    largest = ("slowest", "memory_mib")
    return {
        name: max(earlier.get(name, 0), value) if name in largest else earlier.get(name, 0) + value
        for name, value in now.items()
    }


def main() -> None:
    """Search, and add to the figures that are there."""
    os.environ["TRSFNET_CACHE"] = "/dev/null"  # nothing may be remembered of one file when the next is read
    os.environ["TQDM_DISABLE"] = "1"
    from tests.targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(TARGETS), help="by default all")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**9)
    options = parser.parse_args()
    memory = Path("/dev/shm")
    for name in options.targets:
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
            found = search(name, options.seconds, options.seed, Path(folder))
        file = RESULTS / "fuzzing.json"
        earlier = json.loads(file.read_text(encoding="utf-8"))["targets"] if file.exists() else {}
        save("fuzzing", {"targets": earlier | {name: add(earlier.get(name, {}), found)}})
        print(name, found, flush=True)


if __name__ == "__main__":
    main()
