"""One run on several devices of this machine: PyTorch's `torchrun` starts a process for each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import torch

from trsfnet.errors import ConfigError, TrsfnetError


def check_devices(devices: int) -> None:
    """Refuse a number of devices that this machine has not.

    Raises:
        ConfigError: less than one, or more than there are GPUs (or, without any, processor cores).
    """
    gpus = torch.cuda.device_count()
    there = gpus or os.cpu_count() or 1
    if type(devices) is not int or not 1 <= devices <= there:
        raise ConfigError(
            f"devices must be a whole number from 1 to this machine's {there} {'GPUs' if gpus else 'cores'}, "
            f"got {devices!r}."
        )


def launch(words: Sequence[str], devices: int) -> None:
    """Run `trsfnet` with the command line `words` in one process per device, and wait.

    Raises:
        TrsfnetError: one of them failed; their output, shown as it comes, says how.
    """
    engine = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={devices}"]
    # Processes that share a CPU must not each use all of it.
    threads = max(1, torch.get_num_threads() // devices)
    process = subprocess.Popen(
        [sys.executable, *engine, "-m", "trsfnet", *words],
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        stdout=subprocess.PIPE,
        # A notebook shows what is printed here; in a terminal the progress bar goes there by itself.
        stderr=None if sys.stderr is sys.__stderr__ else subprocess.STDOUT,
        text=True,
    )
    try:
        for line in process.stdout:
            print(line, end="", flush=True)
        failed = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if failed:
        raise TrsfnetError(
            f"One of the {devices} processes of this run failed; their output above says how. "
            "The same command goes on from the last checkpoint."
        )
