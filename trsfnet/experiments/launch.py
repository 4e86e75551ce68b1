"""One run on several devices of this machine: PyTorch's `torchrun` starts a process for each."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import TextIO

import torch
import torch.distributed.run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from trsfnet.errors import ConfigError, TrsfnetError

# How long the processes may take to write down that they were interrupted; torchrun kills them after 30 s.
_GRACE = 60


def check_devices(devices: int) -> None:
    """Refuse a number of devices that this machine does not have.

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
    options = ["--standalone", f"--nproc-per-node={devices}", "-m", "trsfnet"]
    # Processes that share a CPU must not each use all of it.
    threads = max(1, torch.get_num_threads() // devices)
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, *options, *words],
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        stdout=subprocess.PIPE,
        # A notebook shows what is printed here; in a terminal the progress bar goes there by itself.
        stderr=None if _is_standard_error(sys.stderr) else subprocess.STDOUT,
        text=True,
        # A Ctrl-C reaches this process alone, which passes it on once.
        start_new_session=True,
    )
    try:
        for line in process.stdout or ():
            print(line, end="", flush=True)
        failed = process.wait()
    except BaseException as error:
        _stop(process, signal.SIGINT if isinstance(error, KeyboardInterrupt) else signal.SIGTERM)
        raise
    if failed:
        raise TrsfnetError(
            f"One of the {devices} processes of this run failed; their output above says why. "
            "Repeat the command to resume from the last checkpoint."
        )


def _is_standard_error(stream: TextIO) -> bool:
    try:
        return stream.fileno() == 2
    except (AttributeError, OSError):
        return False


def _stop(process: subprocess.Popen[str], number: int) -> None:
    """Pass a signal on, and wait until the processes have recorded it."""
    process.send_signal(number)
    try:
        process.communicate(timeout=_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _torchrun() -> int:
    """`torchrun`, without the lines and the traceback that it adds to what the processes have said."""
    logging.disable(logging.WARNING)
    try:
        torch.distributed.run.run(torch.distributed.run.parse_args(sys.argv[1:]))
    except ChildFailedError:
        return 1
    except SignalException as error:
        return 128 + error.sigval
    return 0


if __name__ == "__main__":
    sys.exit(_torchrun())
