"""Warm kernels: each imports torch and matplotlib once, for all the cards and notebooks that it is given."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Protocol

from jupyter_client.manager import KernelManager
from sphinx.errors import ExtensionError

# More at once would only contend: what they do is bound by the processor.
KERNELS = 2


class Task(Protocol):
    """A card or page that is due."""

    name: str

    def run(self, kernel: Kernel) -> None:
        """Make and write it.

        Raises:
            ExtensionError: it cannot be made; one sentence.
        """


class Kernel:
    """A Jupyter kernel that starts in `folder` and serves many notebooks, each in an empty namespace."""

    def __init__(self, folder: Path) -> None:
        # nbclient, beneath papermill, talks to a kernel by the asynchronous client.
        self.manager = KernelManager(client_class="jupyter_client.asynchronous.AsyncKernelClient")
        # Failures come back as text; the chatter of its start would only bury the build's own output.
        quiet = subprocess.DEVNULL
        self.manager.start_kernel(cwd=str(folder), stdout=quiet, stderr=quiet)
        self._client = self.manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)

    def run(self, code: str) -> None:
        """Run `code` after forgetting all names of what ran before.

        Raises:
            ExtensionError: it failed.
        """
        reply = self._client.execute(f"get_ipython().reset()\n{code}", silent=True, reply=True, timeout=None)
        content = reply["content"]
        if content["status"] != "ok":
            raise ExtensionError(f"{content['ename']}: {content['evalue']}")

    def stop(self) -> None:
        """End it."""
        self._client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Workshop:
    """A few kernels that share the work."""

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
        """Run every task.

        Raises:
            ExtensionError: of the first task that failed.
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
        """A free kernel, or a new one: there are never more kernels than threads."""
        try:
            return self._free.get_nowait()
        except Empty:
            kernel = Kernel(self._folder)
            self._kernels.append(kernel)
            return kernel
