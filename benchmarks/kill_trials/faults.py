"""Injects each machine fault into each task of `commands`, which write files.

A task under a fault must either finish as if there were no fault, or end with one declared error. After the
fault, the same task must give the result of an undisturbed run.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.kill_trials.commands import WORKS
from benchmarks.kill_trials.harness import contents, keep_to, new_folder
from benchmarks.kills import starter
from trsfnet.errors import TrsfnetError, lacks_memory

NOBODY = 65534
Fault = Callable[[Path, random.Random], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def full_disk(folder: Path, rng: random.Random) -> Iterator[None]:
    """Limit the size of all files, to between 0 bytes and more than any file needs."""
    room = rng.choice([0, 1, 30]) if rng.random() < 0.3 else int(10 ** rng.uniform(1, 5.5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    yield


@contextlib.contextmanager
def read_only(folder: Path, rng: random.Random) -> Iterator[None]:
    """Make the results, a folder inside them, or the whole folder unwritable: root owns it."""
    inside = [path for path in (folder / "target").rglob("*") if path.is_dir()]
    place = rng.choice([folder, folder / "target", *inside])
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            os.chown(path, NOBODY, NOBODY)
    os.chown(place, 0, 0)
    place.chmod(0o755)
    for parent in folder.parents[:2]:
        parent.chmod(0o755)
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    yield


@contextlib.contextmanager
def little_memory(folder: Path, rng: random.Random) -> Iterator[None]:
    """Limit the memory to a random amount more than the process already has, 0.1 to 316 MB."""
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    more = int(10 ** rng.uniform(5, 8.5))
    resource.setrlimit(resource.RLIMIT_AS, (has + more, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextlib.contextmanager
def jumping_clock(folder: Path, rng: random.Random) -> Iterator[None]:
    """Make the clock jump forwards and backwards within the last ten years."""
    seconds, nanoseconds = time.time, time.time_ns
    time.time = lambda: seconds() - rng.uniform(0, 3e8)
    time.time_ns = lambda: nanoseconds() - rng.randrange(3 * 10**17)
    yield


FAULTS: dict[str, Fault] = {
    "disk full": full_disk,
    "read-only folder": read_only,
    "little memory": little_memory,
    "clock jumps": jumping_clock,
}


def start(name: str, folder: Path, fault: str | None, seed: str) -> None:
    """Run a task once in a separate process; the exit code is 0, 2 (a declared error) or 1 (any other)."""
    keep_to(folder)
    said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        with FAULTS[fault](folder, random.Random(seed)) if fault else contextlib.nullcontext():
            WORKS[name].call(folder)
    except BaseException as error:
        # Errors that the command line reports in one sentence; system errors only if they name a file.
        named = isinstance(error, OSError) and error.filename is not None
        declared = isinstance(error, TrsfnetError) or named or lacks_memory(error)
        with contextlib.suppress(OSError):
            os.write(said, f"{type(error).__name__}: {error}".encode()[:1000])
        os._exit(2 if declared else 1)
    os._exit(0)


# The dynamic linker ends a process that lacks the memory to look up a function, with a sentence of its own.
_LINKER = 127


class Machine:
    """Tries faults on one task and compares the result with that of an undisturbed run.

    Args:
        name: name of the task.
        folder: an empty folder.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._name, self._folder = name, folder
        self._context = starter(__name__)
        (folder / "inputs").mkdir(parents=True)
        WORKS[name].prepare(folder / "inputs")
        self._expected = contents(self._whole(), WORKS[name])

    def _whole(self) -> Path:
        folder = new_folder(self._folder, "whole")
        if self._ended(self._started(folder, None, "")) != 0:
            raise RuntimeError(f"{self._name} fails undisturbed.")
        return folder

    def under(self, fault: str, number: int) -> dict[str, int]:
        """Run the task under a fault, then without it.

        Returns:
            Counts: runs (1), how often the task succeeded nevertheless, ended in one sentence, or ended
            otherwise; and 1 if the result after the fault differs from that of an undisturbed run.
        """
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            folder = new_folder(self._folder, place)
            code = self._ended(self._started(folder, fault, f"{self._name} {fault} {number}"))
            said = (folder / "said").read_text(errors="replace")
            return self._figures(folder, [code], said)

    def twice(self, number: int) -> dict[str, int]:
        """Run the same task on one target in two processes at once."""
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            folder = new_folder(self._folder, place)
            codes = [self._ended(each) for each in [self._started(folder, None, "") for _ in range(2)]]
            return self._figures(folder, codes, (folder / "said").read_text(errors="replace"))

    def _figures(self, folder: Path, codes: list[int], said: str) -> dict[str, int]:
        bad = sum(code not in (0, 2, _LINKER) for code in codes)
        if bad:
            print(f"{self._name}: {codes} {said}", flush=True)
        again = self._ended(self._started(folder, None, ""))
        different = again != 0 or contents(folder, WORKS[self._name]) != self._expected
        counts = {"well": codes.count(0), "sentence": len(codes) - codes.count(0) - bad, "otherwise": bad}
        return {"times": 1, **counts, "different": int(different)}

    def _started(self, folder: Path, fault: str | None, seed: str) -> Any:
        process = self._context.Process(target=start, args=(self._name, folder, fault, seed))
        process.start()
        return process

    @staticmethod
    def _ended(process: Any) -> int:
        process.join(120)
        if process.is_alive():
            process.kill()
            process.join()
        return process.exitcode


def run(name: str, folder: Path, times: int) -> dict[str, dict[str, int]]:
    """Try every fault `times` times on one task; return the figures of each fault."""
    machine = Machine(name, folder)
    faults = [fault for fault in FAULTS if fault != "read-only folder" or os.getuid() == 0]
    found: dict[str, dict[str, int]] = {}
    if name != "checkpoint":  # checkpoints are in a run's folder, which only one process uses
        faults.append("two at once")
    for fault in faults:
        trials = [
            machine.twice(number) if fault == "two at once" else machine.under(fault, number)
            for number in range(times)
        ]
        found[fault] = {column: sum(trial[column] for trial in trials) for column in trials[0]}
    return found
