"""Data-parallel training: the processes that train one network together, and their communication.

PyTorch does the work: `torchrun` (or SLURM's `srun`) starts the processes, gloo (CPU) or nccl (GPU) carries
the messages, and DistributedDataParallel averages the gradients.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from trsfnet.errors import ConfigError, TrsfnetError
from trsfnet.termination import ending_at_once
from trsfnet.training.precision import best_device

# How long a process waits for the others: long, because only rank 0 evaluates and that may take a while.
TIMEOUT = timedelta(minutes=30)
# Seconds without a connection after which a process says what it is waiting for.
_PATIENCE = 10


class LostPeer(TrsfnetError):
    """Another process of the run ended or stopped responding."""


@dataclass(frozen=True)
class World:
    """This process among those that train together.

    Attributes:
        rank: number of this process. Only rank 0 evaluates and writes files.
        size: number of processes.
    """

    rank: int = 0
    size: int = 1

    def sum_(self, tensor: Tensor) -> Tensor:
        """Sum `tensor` over the processes, in place."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def mean_(self, tensor: Tensor) -> Tensor:
        """Average `tensor` over the processes, in place."""
        return self.sum_(tensor).div_(self.size) if self.size > 1 else tensor

    def agree(self, answer: bool) -> bool:
        """Return rank 0's `answer` on every process.

        Raises:
            LostPeer: another process ended first.
        """
        if self.size == 1:
            return answer
        told = torch.tensor(float(answer), device=best_device())
        with peers():
            dist.broadcast(told, src=0)
        return bool(told.item())

    def alike(self, number: int) -> bool:
        """Return on every process whether all of them gave the same `number`.

        Raises:
            LostPeer: another process ended first.
        """
        if self.size == 1:
            return True
        largest = torch.tensor([number, -number], device=best_device())
        with peers():
            dist.all_reduce(largest, dist.ReduceOp.MAX)
        high, low = largest.tolist()
        return high == -low

    def wait(self) -> None:
        """Block until every process has reached this point.

        Raises:
            LostPeer: another process ended first.
        """
        if self.size > 1:
            with peers():
                dist.barrier()

    def parallel(self, network: nn.Module) -> nn.Module:
        """Wrap `network` so that the backward pass averages its gradients over the processes."""
        if self.size == 1:
            return network
        # Two sets of strides describe the same layout of a 1x1 kernel; either is fine for its gradient.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        # Running statistics are averaged when they are read, not copied from rank 0 at every step. PyTorch is
        # renaming the option that disables the copying.
        parallel = nn.parallel.DistributedDataParallel
        known = inspect.signature(parallel).parameters
        option = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
        options: dict[str, Any] = {option: False}
        return parallel(network, gradient_as_bucket_view=True, **options)

    @contextmanager
    def local(self, *networks: nn.Module) -> Iterator[None]:
        """A context in which gradients of `networks` (from `parallel`) accumulate without being averaged."""
        with ExitStack() as stack:
            for network in networks:
                if isinstance(network, nn.parallel.DistributedDataParallel):
                    stack.enter_context(network.no_sync())
            yield


def started_as() -> World:
    """This process's rank and world size, from the variables that `torchrun` or `srun` set.

    It does not connect to the other processes.

    Raises:
        ConfigError: the variables are inconsistent, for example because an earlier job set some of them.
    """
    place = _place(os.environ)
    if not place:
        return World()
    rank, size = (_whole(place, name) for name in ("RANK", "WORLD_SIZE"))
    remedy = _remedy(os.environ)
    if not 0 <= rank < size:
        raise ConfigError(f"RANK must be 0 to {size - 1} with WORLD_SIZE={size}, got {rank}. {remedy}")
    if size > 1:
        missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if not place.get(name)]
        if missing:
            raise ConfigError(
                f"WORLD_SIZE={size} needs {' and '.join(missing)}, as torchrun sets them. {remedy}"
            )
        if not 0 < _whole(place, "MASTER_PORT") < 1 << 16:
            raise ConfigError(f"MASTER_PORT must be 1 to 65535, got {place['MASTER_PORT']}. {remedy}")
        _whole(place, "LOCAL_RANK")  # raises unless it is a whole number
    return World(rank, size)


def join() -> World:
    """Connect to the other processes if `torchrun` or `srun` started several.

    If that takes long, a line on standard error says so: the variables may be those of an earlier job.

    Raises:
        ConfigError: the variables that they set are inconsistent, or there are fewer GPUs than processes.
        LostPeer: the other processes did not connect.
    """
    world = started_as()
    if world.size == 1:
        return world
    if not dist.is_initialized():
        place, remedy = _place(os.environ), _remedy(os.environ)
        if torch.cuda.is_available():
            torch.cuda.set_device(_gpu(place, os.environ))
        os.environ.update(place)
        with peers(), ending_at_once(), _told(place, remedy):
            dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=TIMEOUT)
    return world


def leave() -> None:
    """Disconnect from the other processes, if there are any."""
    if dist.is_initialized():
        dist.destroy_process_group()


def _gpu(place: Mapping[str, str], environment: Mapping[str, str]) -> int:
    """The number of this process's GPU among those that it sees.

    Raises:
        ConfigError: the machine has fewer GPUs than processes.
    """
    number, gpus = _whole(place, "LOCAL_RANK"), torch.cuda.device_count()
    # With options such as `--gpus-per-task=1`, SLURM shows each task only its own GPU.
    if gpus == 1 and not _by_torchrun(environment):
        return 0
    if not 0 <= number < gpus:
        raise ConfigError(
            f"Each process needs a GPU of its own, but process {number} of this machine, counted from 0, "
            f"sees only {gpus}: start at most {gpus} processes per machine."
        )
    return number


def _by_torchrun(environment: Mapping[str, str]) -> bool:
    """Whether `_place` takes its result from torchrun's variables, and not from SLURM's."""
    return all(environment.get(name, "").strip() for name in ("RANK", "WORLD_SIZE"))


def _remedy(environment: Mapping[str, str]) -> str:
    """State how to train in one process, by the variables from which `_place` takes the others."""
    variables = "RANK and WORLD_SIZE" if _by_torchrun(environment) else "SLURM_STEP_NUM_TASKS"
    return f"To train in one process, unset {variables}."


@contextmanager
def _told(place: Mapping[str, str], remedy: str) -> Iterator[None]:
    """A context that says what it is waiting for if it lasts longer than `_PATIENCE`."""
    address = f"{place['MASTER_ADDR']}:{place['MASTER_PORT']}"
    sentence = (
        f"trsfnet: waiting at {address} for the other processes of this run, for at most "
        f"{TIMEOUT.seconds // 60} minutes. {remedy}"
    )
    timer = threading.Timer(_PATIENCE, print, (sentence,), {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _whole(place: Mapping[str, str], name: str) -> int:
    try:
        return int(place[name])
    except ValueError:
        raise ConfigError(
            f"{name} must be a whole number, got {place[name]!r}. {_remedy(os.environ)}"
        ) from None


def _place(environment: Mapping[str, str]) -> dict[str, str]:
    """Torchrun's variables, from torchrun itself or from a SLURM step of several tasks.

    Empty variables count as unset. The result is empty if there is only one process.

    Raises:
        ConfigError: variables of a SLURM step are missing.
    """
    environment = {name: value for name, value in environment.items() if value.strip()}
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    if _by_torchrun(environment):
        return {"LOCAL_RANK": "0"} | {name: environment[name] for name in names if name in environment}
    # Only a SLURM step has this variable: a batch script outside `srun` is one process, however many tasks
    # the job requested.
    if environment.get("SLURM_STEP_NUM_TASKS", "1") == "1":
        return {}
    needed = ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_STEP_NODELIST", "SLURM_JOB_ID")
    missing = [name for name in needed if name not in environment]
    if missing:
        raise ConfigError(
            f"SLURM_STEP_NUM_TASKS={environment['SLURM_STEP_NUM_TASKS']} needs {' and '.join(missing)}, as "
            "srun sets them. To train in one process, unset SLURM_STEP_NUM_TASKS."
        )
    return {
        "RANK": environment["SLURM_PROCID"],
        "WORLD_SIZE": environment["SLURM_STEP_NUM_TASKS"],
        "LOCAL_RANK": environment["SLURM_LOCALID"],
        "MASTER_ADDR": environment.get("MASTER_ADDR") or first_host(environment["SLURM_STEP_NODELIST"]),
        # Jobs that share a node must not share a port.
        "MASTER_PORT": environment.get("MASTER_PORT")
        or str(15000 + _whole(environment, "SLURM_JOB_ID") % 20000),
    }


def first_host(nodes: str) -> str:
    """The first machine of a SLURM node list: `rack[1-2]gpu[07-09,12]-ib,login1` -> `rack1gpu07-ib`."""
    first = re.split(r",(?![^\[]*\])", nodes)[0]  # at a comma outside of brackets
    return re.sub(r"\[([^\],-]+)[^\]]*\]", r"\1", first)


@contextmanager
def peers() -> Iterator[None]:
    """A context that turns the communication errors of a lost peer into one sentence.

    Raises:
        LostPeer: a peer ended, or did not respond within `TIMEOUT`.
    """
    try:
        yield
    except (RuntimeError, ConnectionError) as error:
        if not _is_about_peers(error):
            raise
        raise LostPeer(
            "Another process of this run ended or cannot be reached; its own output says why. "
            "Repeat the command to resume from the last checkpoint."
        ) from error


def _is_about_peers(error: Exception) -> bool:
    """Return whether an error means a lost peer. Gloo's RuntimeErrors are recognisable only by their text."""
    if isinstance(error, BrokenPipeError):  # from our own output: gloo does not use Python's sockets
        return False
    words = ("gloo", "connection closed by peer", "connection reset by peer", "connection refused")
    return isinstance(error, dist.DistError | ConnectionError) or any(w in str(error).lower() for w in words)
