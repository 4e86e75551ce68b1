"""Runs on several devices of this machine; PyTorch's `torchrun` starts one process per device."""

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

# Seconds that the processes have to record that they were interrupted; torchrun kills them after 30 s.
_GRACE = 60
# Set in the processes that `launch` starts.
_LAUNCHED = "TRSFNET_LAUNCHED"


def is_launched() -> bool:
    """Return whether `launch` started this process, so that its parent reports the result."""
    return _LAUNCHED in os.environ


def check_devices(devices: int) -> None:
    """Check that this machine has the number of devices.

    Raises:
        ConfigError: the number is less than 1 or exceeds the number of GPUs (without GPUs, of CPU cores).
    """
    gpus = torch.cuda.device_count()
    there = gpus or os.cpu_count() or 1
    if type(devices) is not int or not 1 <= devices <= there:
        raise ConfigError(
            f"devices must be a whole number from 1 to this machine's {there} {'GPUs' if gpus else 'cores'}, "
            f"got {devices!r}."
        )


def launch(words: Sequence[str], devices: int) -> None:
    """Run `trsfnet` with the arguments `words` in one process per device, and wait until they end.

    Raises:
        TrsfnetError: a process failed; their output, printed as it arrives, gives the reason.
    """
    options = ["--standalone", f"--nproc-per-node={devices}", "-m", "trsfnet"]
    # Divide the CPU threads among the processes.
    threads = max(1, torch.get_num_threads() // devices)
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, *options, *words],
        env=os.environ | {"OMP_NUM_THREADS": str(threads), _LAUNCHED: "1"},
        stdout=subprocess.PIPE,
        # A notebook shows only what is printed here; in a terminal, progress bars are written directly.
        stderr=None if _is_standard_error(sys.stderr) else subprocess.STDOUT,
        text=True,
        # Ctrl-C must reach only this process, which forwards it once.
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
    """Forward a signal and wait until the processes have recorded it."""
    process.send_signal(number)
    try:
        process.communicate(timeout=_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _torchrun() -> int:
    """Run `torchrun` without the log lines and traceback that it adds to the output of the processes."""
    logging.disable(logging.ERROR)
    try:
        torch.distributed.run.run(torch.distributed.run.parse_args(sys.argv[1:]))
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode < 0:  # a killed process cannot report the cause itself
            cause = ", as the system does when memory runs out" if failure.exitcode == -signal.SIGKILL else ""
            name = signal.Signals(-failure.exitcode).name
            print(f"trsfnet: Process {rank} was ended by {name}{cause}.", file=sys.stderr)
        return 1
    except SignalException as error:
        return 128 + error.sigval
    return 0


if __name__ == "__main__":
    sys.exit(_torchrun())
