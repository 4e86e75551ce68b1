"""Runs trials: a task is started, killed and restarted until it finishes; then its files are compared.

Each start forks a process that has imported everything but computed nothing, which saves seconds of imports;
from there on, it does the same as a process that a user starts. It leads its own process group. The moment of
the kill is drawn as an amount of CPU time of all processes of the task, so that it does not depend on the
machine's load.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.kills import starter


@dataclass(frozen=True)
class Work:
    """A task to kill.

    Attributes:
        call: runs the task once, in a folder that contains `inputs`; it writes `target` there.
        prepare: creates `inputs`, once for all trials.
        read: returns the content of a result file to compare, or None to ignore the file.
        alone: True if one of its processes may be killed alone; otherwise all are killed together.
        warms: True if the very first start fills a cache that saves later starts much computation.
    """

    call: Callable[[Path], None]
    prepare: Callable[[Path], None]
    read: Callable[[Path], bytes | None]
    alone: bool = False
    warms: bool = False


def keep_to(folder: Path) -> None:
    """Have this process cache in `folder` and print nothing."""
    os.environ["TRSFNET_CACHE"] = str(folder / "cache")
    os.environ["TQDM_DISABLE"] = "1"
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def new_folder(root: Path, place: str | Path) -> Path:
    """Create a folder in `root` for one trial, with an empty `target` and the `inputs` of all trials."""
    folder = root / place
    (folder / "target").mkdir(parents=True)
    (folder / "inputs").symlink_to(root / "inputs")
    return folder


def start(module: str, name: str, folder: Path) -> None:
    """Run the task `name` of a module once, in a separate process."""
    import importlib

    os.setsid()
    keep_to(folder)
    importlib.import_module(module).WORKS[name].call(folder)


class Trials:
    """Trials of one task, all compared with one undisturbed run.

    Args:
        module: name of the module that contains its `WORKS`.
        name: name of the task.
        folder: an empty folder.
    """

    def __init__(self, module: str, name: str, folder: Path) -> None:
        import importlib

        self._module, self._name, self._folder = module, name, folder
        self._work: Work = importlib.import_module(module).WORKS[name]
        self._context = starter(module)
        (folder / "inputs").mkdir(parents=True)
        self._work.prepare(folder / "inputs")
        for place in ("warm", "whole") if self._work.warms else ("whole",):
            code, self._computing = self._start(new_folder(folder, place), None, random.Random(0))
            if code != 0:
                raise RuntimeError(f"{name} fails undisturbed.")
        self._expected = contents(folder / "whole", self._work)

    def one(self, number: int, most: int) -> dict[str, int]:
        """Run the task once, with at most `most` kills.

        Returns:
            Counts: completed runs (1), kills, starts, files compared, and files that differ or are missing.
        """
        rng = random.Random(f"{self._name} {number}")
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            folder = new_folder(self._folder, place)
            figures = {"times": 1, "kills": 0, "starts": 0}
            code: int | None = None
            while code != 0:
                last = figures["kills"] >= most
                limit = None if last else rng.uniform(0.02, 0.7) * self._computing
                code, _ = self._start(folder, limit, rng)
                figures["starts"] += 1
                if last and code != 0:
                    raise RuntimeError(f"{self._name} ended with {code} when it was started again.")
                figures["kills"] += code != 0
            found = contents(folder, self._work)
        different = sum(found.get(file) != content for file, content in self._expected.items())
        different += len(found.keys() - self._expected.keys())
        return figures | {"compared": len(self._expected), "different": different}

    def _start(self, folder: Path, limit: float | None, rng: random.Random) -> tuple[int | None, float]:
        """Start the task and kill it after `limit` CPU seconds; return its exit code and CPU seconds."""
        process = self._context.Process(target=start, args=(self._module, self._name, folder))
        process.start()
        whole = psutil.Process(process.pid)
        used = 0.0
        while process.is_alive():
            used = max(used, computed(whole))
            if limit is not None and used >= limit:
                self._kill(whole, rng)
                process.join(300)
                if process.is_alive():
                    raise RuntimeError(f"{self._name} did not notice that one of its processes died.")
                return process.exitcode, used
            process.join(0.002)
        if process.exitcode:
            raise RuntimeError(f"{self._name} ended with {process.exitcode}, undisturbed.")
        return process.exitcode, used

    def _kill(self, whole: psutil.Process, rng: random.Random) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):  # it may have ended in the meantime
            self._kill_some([whole, *whole.children(recursive=True)], rng)

    def _kill_some(self, everything: list[psutil.Process], rng: random.Random) -> None:
        if self._work.alone and len(everything) > 1 and rng.random() < 0.3:
            everything = [rng.choice(everything[1:])]
        for each in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGKILL)


def computed(process: psutil.Process) -> float:
    """CPU seconds of a process and of all its living descendants."""
    try:
        # The kernel's CPU clock of another process, which is finer than the hundredths of a second of `ps`.
        own = time.clock_gettime((~process.pid << 3) | 2)
        others = process.children(recursive=True)
        return own + sum(sum(other.cpu_times()) for other in others)
    except (psutil.NoSuchProcess, OSError):
        return 0.0


def contents(folder: Path, work: Work) -> dict[str, str]:
    """A digest of every result file that is compared, by its path."""
    found: dict[str, str] = {}
    for file in sorted((folder / "target").rglob("*")):
        content = work.read(file) if file.is_file() and file.name != ".lock" else None
        if content is not None:
            found[str(file.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    return found


def run(module: str, name: str, folder: Path, kills: int, number: int = 0) -> dict[str, Any]:
    """Run trials of one task until there were `kills` kills; return the total figures."""
    trials = Trials(module, name, folder)
    figures: dict[str, int] = {}
    while figures.get("kills", 0) < kills:
        now = trials.one(number, kills - figures.get("kills", 0))
        figures = {column: figures.get(column, 0) + value for column, value in now.items()}
        number += 1
    return figures
