"""One trial: a work is started, killed and started again until it is done; what it leaves is compared.

A start is a fork of a process that has imported everything and computed nothing, which spares each of them
seconds of imports; what a user starts does the same from there on. It leads a process group of its own. The
moment of the kill is drawn as an amount of computing, of all that the work has started, so that it means the
same on a busy machine.
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
    """What is killed.

    Attributes:
        call: one start of it, in a folder with `inputs` in it; it writes `target` there.
        prepare: makes `inputs`, once for all trials.
        read: what counts of a file that it leaves; None if it does not count.
        alone: whether one of its processes may die alone; otherwise all are killed together.
        warms: whether the first start of all makes what spares the others much of their computing.
    """

    call: Callable[[Path], None]
    prepare: Callable[[Path], None]
    read: Callable[[Path], bytes | None]
    alone: bool = False
    warms: bool = False


def start(module: str, name: str, folder: Path) -> None:
    """One start of the work `name` of a module, in a process of its own."""
    import importlib

    os.setsid()
    os.environ["TRSFNET_CACHE"] = str(folder / "cache")
    os.environ["TQDM_DISABLE"] = "1"
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    importlib.import_module(module).WORKS[name].call(folder)


class Trials:
    """Trials of one work, all against one undisturbed end.

    Args:
        module: where its `WORKS` are.
        name: of the work.
        folder: an empty one.
    """

    def __init__(self, module: str, name: str, folder: Path) -> None:
        import importlib

        self._module, self._name, self._folder = module, name, folder
        self._work: Work = importlib.import_module(module).WORKS[name]
        self._context = starter(module)
        (folder / "inputs").mkdir(parents=True)
        self._work.prepare(folder / "inputs")
        for place in ("warm", "whole") if self._work.warms else ("whole",):
            code, self._computing = self._start(self._new(place), None, random.Random(0))
            if code != 0:
                raise RuntimeError(f"{name} fails undisturbed.")
        self._expected = contents(folder / "whole", self._work)

    def one(self, number: int, most: int) -> dict[str, int]:
        """Disturb the work once by at most so many kills.

        Returns:
            how often it was done (1), kills, starts, files compared, how many of them differ or are missing.
        """
        rng = random.Random(f"{self._name} {number}")
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            folder = self._new(place)
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

    def _new(self, place: str) -> Path:
        folder = self._folder / place
        (folder / "target").mkdir(parents=True)
        (folder / "inputs").symlink_to(self._folder / "inputs")
        return folder

    def _start(self, folder: Path, limit: float | None, rng: random.Random) -> tuple[int | None, float]:
        """One start, killed once it has computed for `limit` seconds: its exit code and what it computed."""
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
        with contextlib.suppress(psutil.NoSuchProcess):  # it may have ended in this moment
            self._kill_some([whole, *whole.children(recursive=True)], rng)

    def _kill_some(self, everything: list[psutil.Process], rng: random.Random) -> None:
        if self._work.alone and len(everything) > 1 and rng.random() < 0.3:
            everything = [rng.choice(everything[1:])]
        for each in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGKILL)


def computed(process: psutil.Process) -> float:
    """Seconds of computing of a process and all that it has started, as far as they are alive."""
    try:
        # The kernel's clock of another process: finer than the hundredths of a second that it keeps for `ps`.
        own = time.clock_gettime((~process.pid << 3) | 2)
        others = process.children(recursive=True)
        return own + sum(sum(other.cpu_times()) for other in others)
    except (psutil.NoSuchProcess, OSError):
        return 0.0


def contents(folder: Path, work: Work) -> dict[str, str]:
    """A digest of every file that counts of those that the work has left."""
    found: dict[str, str] = {}
    for file in sorted((folder / "target").rglob("*")):
        content = work.read(file) if file.is_file() and file.name != ".lock" else None
        if content is not None:
            found[str(file.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    return found


def run(module: str, name: str, folder: Path, kills: int, number: int = 0) -> dict[str, Any]:
    """Trials of one work until there were so many kills; the figures of all."""
    trials = Trials(module, name, folder)
    figures: dict[str, int] = {}
    while figures.get("kills", 0) < kills:
        now = trials.one(number, kills - figures.get("kills", 0))
        figures = {column: figures.get(column, 0) + value for column, value in now.items()}
        number += 1
    return figures
