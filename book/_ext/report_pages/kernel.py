"""Reused kernels, each of which imports torch and matplotlib once for all its cards and notebooks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Protocol

from jupyter_client.manager import KernelManager
from sphinx.errors import ExtensionError

# More kernels would not be faster, because the work is limited by the CPU.
KERNELS = 2

# Two kernels that each used all cores would spend most of their time waiting for each other.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

# Objects that survive a reset, such as the analysed runs, are kept for the next page anyway; freezing them
# spares the garbage collector from examining hundreds of thousands of objects again and again.
_RESET = "get_ipython().reset()\nimport gc\ngc.freeze()\ndel gc"


class Task(Protocol):
    """A page or a group of cards to be rebuilt."""

    name: str

    def run(self, kernel: Kernel) -> None:
        """Build and write the output.

        Raises:
            ExtensionError: the build failed; the message is one sentence.
        """


class Kernel:
    """A Jupyter kernel that starts in `folder` and executes many notebooks, each in an empty namespace."""

    def __init__(self, folder: Path) -> None:
        # nbclient, which papermill uses, requires the asynchronous client.
        self.manager = KernelManager(client_class="jupyter_client.asynchronous.AsyncKernelClient")
        # Errors are returned as text; the kernel's own output would only clutter that of the build.
        quiet = subprocess.DEVNULL
        self.manager.start_kernel(cwd=str(folder), stdout=quiet, stderr=quiet, env=os.environ | _ONE_THREAD)
        self._client = self.manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)

    def run(self, code: str) -> None:
        """Run `code` in an empty namespace.

        Raises:
            ExtensionError: the code raised an exception.
        """
        reply = self._client.execute(f"{_RESET}\n{code}", silent=True, reply=True, timeout=None)
        content = reply["content"]
        if content["status"] != "ok":
            raise ExtensionError(f"{content['ename']}: {content['evalue']}")

    def stop(self) -> None:
        """Shut down the kernel."""
        self._client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Workshop:
    """A pool of kernels that run tasks in parallel, to be used as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kernels: list[Kernel] = []
        self._free: SimpleQueue[Kernel] = SimpleQueue()
        self._threads = ThreadPoolExecutor(KERNELS)

    def __enter__(self) -> Workshop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        for kernel in self._kernels:
            kernel.stop()

    def each(self, tasks: Iterable[Task]) -> None:
        """Run all tasks.

        Raises:
            ExtensionError: a task failed; the error is that of the first one.
        """
        for _ in self._threads.map(self._run, tasks):
            pass

    def _run(self, task: Task) -> None:
        kernel = self._take()
        try:
            task.run(kernel)
        finally:
            self._free.put(kernel)

    def _take(self) -> Kernel:
        """Return a free kernel or start a new one; there are never more kernels than threads."""
        try:
            return self._free.get_nowait()
        except Empty:
            kernel = Kernel(self._folder)
            self._kernels.append(kernel)
            return kernel
