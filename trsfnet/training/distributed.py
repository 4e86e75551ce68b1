"""The processes that train one network together: who they are, and what they tell each other.

PyTorch's own engines do the work: `torchrun` (or SLURM's `srun`) starts the processes, gloo (CPU) or nccl
(GPU) carries the messages, DistributedDataParallel averages the gradients.
"""

from __future__ import annotations

import inspect
import os
import re
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
from trsfnet.training.precision import best_device

# How long a process waits for the others: rank 0 evaluates alone, and that may take a while.
TIMEOUT = timedelta(minutes=30)


class LostPeer(TrsfnetError):
    """Another process of the run ended or fell silent."""


@dataclass(frozen=True)
class World:
    """This process among those that train together.

    Attributes:
        rank: number of this process. Rank 0 evaluates, and it alone writes.
        size: number of processes.
    """

    rank: int = 0
    size: int = 1

    def sum_(self, tensor: Tensor) -> Tensor:
        """`tensor`, in place, added up over the processes."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def mean_(self, tensor: Tensor) -> Tensor:
        """`tensor`, in place, averaged over the processes."""
        return self.sum_(tensor).div_(self.size) if self.size > 1 else tensor

    def agree(self, answer: bool) -> bool:
        """Rank 0's answer, on every process."""
        if self.size == 1:
            return answer
        told = torch.tensor(float(answer), device=best_device())
        dist.broadcast(told, src=0)
        return bool(told.item())

    def wait(self) -> None:
        """Return when every process has come here."""
        if self.size > 1:
            dist.barrier()

    def parallel(self, network: nn.Module) -> nn.Module:
        """`network`, its gradients averaged over the processes during the backward pass."""
        if self.size == 1:
            return network
        # A 1x1 kernel has the same layout by two sets of strides; which one its gradient has is no matter.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        # Running statistics are averaged when they are read, not copied from rank 0 at every step. PyTorch is
        # renaming the option that says so.
        parallel = nn.parallel.DistributedDataParallel
        known = inspect.signature(parallel).parameters
        option = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
        options: dict[str, Any] = {option: False}
        return parallel(network, gradient_as_bucket_view=True, **options)

    @contextmanager
    def local(self, *networks: nn.Module) -> Iterator[None]:
        """Within it, gradients of `networks` (from `parallel`) add up here and are not averaged yet."""
        with ExitStack() as stack:
            for network in networks:
                if isinstance(network, nn.parallel.DistributedDataParallel):
                    stack.enter_context(network.no_sync())
            yield


def started_as() -> World:
    """This process among those that `torchrun` or `srun` started, by what they told it; nobody is met.

    Raises:
        ConfigError: the variables contradict themselves, as some that an earlier job left behind.
    """
    place = _place(os.environ)
    if not place:
        return World()
    rank, size = (_whole(place, name) for name in ("RANK", "WORLD_SIZE"))
    if not 0 <= rank < size:
        raise ConfigError(f"RANK must be 0 to {size - 1} with WORLD_SIZE={size}, got {rank}. {_UNSET}")
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if not place.get(name)]
    if size > 1 and missing:
        raise ConfigError(f"WORLD_SIZE={size} needs {' and '.join(missing)}, as torchrun sets them. {_UNSET}")
    return World(rank, size)


def join() -> World:
    """Meet the other processes, if `torchrun` or `srun` started several; otherwise be alone.

    Raises:
        ConfigError: the variables that they set contradict themselves.
        LostPeer: the others did not appear.
    """
    world = started_as()
    if world.size == 1:
        return world
    if not dist.is_initialized():
        place = _place(os.environ)
        os.environ.update(place)
        if torch.cuda.is_available():
            torch.cuda.set_device(_whole(place, "LOCAL_RANK"))
        with peers():
            dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=TIMEOUT)
    return world


def leave() -> None:
    """Say good-bye to the other processes, if there are any."""
    if dist.is_initialized():
        dist.destroy_process_group()


_UNSET = "To train in one process, unset RANK and WORLD_SIZE."


def _whole(place: Mapping[str, str], name: str) -> int:
    try:
        return int(place[name])
    except ValueError:
        raise ConfigError(f"{name} must be a whole number, got {place[name]!r}. {_UNSET}") from None


def _place(environment: Mapping[str, str]) -> dict[str, str]:
    """Torchrun's variables, from torchrun itself or from a SLURM step of several tasks; empty is unset."""
    environment = {name: value for name, value in environment.items() if value.strip()}
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    if "WORLD_SIZE" in environment and "RANK" in environment:
        return {"LOCAL_RANK": "0"} | {name: environment[name] for name in names if name in environment}
    # Only a step has this variable: a batch script, outside `srun`, is one process whatever it asked for.
    if environment.get("SLURM_STEP_NUM_TASKS", "1") == "1":
        return {}
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
    """First machine of a SLURM node list: `gpu[07-09,12],login1` -> `gpu07`."""
    head = re.match(r"([^,\[]+)(?:\[([^\],-]+))?", nodes)
    return head[1] + (head[2] or "") if head else nodes


@contextmanager
def peers() -> Iterator[None]:
    """Turn what the message layers say when a peer is gone into one sentence.

    Raises:
        LostPeer: a peer ended, or said nothing for `TIMEOUT`.
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
    """Gloo raises plain RuntimeErrors, recognisable by their text alone."""
    if isinstance(error, BrokenPipeError):  # of our own output: gloo's sockets are not Python's
        return False
    words = ("gloo", "connection closed by peer", "connection reset by peer", "connection refused")
    return isinstance(error, dist.DistError | ConnectionError) or any(w in str(error).lower() for w in words)
