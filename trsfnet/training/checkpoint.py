"""Checkpoints: written to a temporary file and renamed, verified, and loaded without executing code."""

from __future__ import annotations

import errno
import os
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import torch
from tqdm import tqdm

from trsfnet.data.files import reason, writing
from trsfnet.errors import DataError, TrsfnetError, lacks_memory

if TYPE_CHECKING:
    from trsfnet.training.distributed import World
    from trsfnet.training.state import TrainState

# Seconds between two checkpoints. Each takes about a second to write; a killed run loses no more than this.
SAVE_EVERY = 60.0


class CheckpointError(TrsfnetError):
    """The checkpoint was written by another version of trsfnet, in a format that this one cannot resume."""


class Checkpoints:
    """Keeps the checkpoint of a run up to date.

    Args:
        path: the file; None writes no checkpoints.
        every: seconds between two checkpoints within an epoch.
        world: the processes that train together.
    """

    def __init__(self, path: Path | None, every: float, world: World) -> None:
        self._path, self._every, self._world = path, every, world
        self._last = time.perf_counter()

    def load(self) -> dict[str, Any] | None:
        """The state to resume from, on the CPU, or None; see `load_checkpoint`. Every process takes part.

        A damaged file is set aside, because `save_checkpoint` would keep it in place of the good one before.

        Raises:
            CheckpointError: the file was written by another version of trsfnet.
            DataError: the file cannot be read, or not every process found the same one.
        """
        if self._path is None:
            return None
        state, damage = _newest(self._path)
        if not all(self._world.alike(state[name] if state else 0) for name in ("epoch", "step")):
            raise DataError(
                f"The processes of this run find different checkpoints at {self._path}: --runs must be on a "
                "file system that all machines share."
            )
        if self._world.rank == 0:
            _tell(damage)
            if self._path in damage:
                kept = self._path.with_name(f"{self._path.stem}.damaged{self._path.suffix}")
                with writing(self._path):
                    os.replace(self._path, kept)
                tqdm.write(f"The damaged checkpoint is kept as {kept}.", file=sys.stderr)
        return state

    def save_if_due(self, state: TrainState) -> None:
        """Save `state` if the last checkpoint is old enough. Every process takes part."""
        if self._world.agree(time.perf_counter() - self._last >= self._every):
            self.save(state)

    def save(self, state: TrainState) -> None:
        """Save `state`. Every process takes part."""
        if self._path:
            content = state.state_dict()
            if self._world.rank == 0:
                save_checkpoint(self._path, content)
        self._last = time.perf_counter()


def previous(path: Path) -> Path:
    """The path of the checkpoint before the one in `path`."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def has_checkpoint(path: Path) -> bool:
    """Return whether there is a checkpoint, damaged or not, from which `load_checkpoint` would read."""
    return path.is_file() or previous(path).is_file()


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` to `path`, and keep the existing checkpoint as `previous(path)`.

    At least one of the two is complete, whenever the process ends.

    Raises:
        DataError: the file cannot be written, because the disk is full or the folder is read-only.
    """
    aside = path.with_suffix(".partial")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            _write(state, file)
            # Renaming must not reach the disk before the content does.
            file.flush()
            os.fsync(file.fileno())
        if path.is_file():
            os.replace(path, previous(path))
        os.replace(aside, path)


def _write(state: dict[str, Any], file: BinaryIO) -> None:
    """Save `state`; if the disk is full, raise the system's error instead of PyTorch's own."""
    try:
        torch.save(state, file)
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """Load the state in `path`, or in the previous checkpoint if `path` is damaged; None if there is neither.

    Only tensors and plain values are accepted. The tensors are on the CPU, because a classifier that is
    sharded over several GPUs may not fit on one. Standard error reports what is wrong with a damaged file. No
    file is changed.

    Raises:
        CheckpointError: the file was written by another version of trsfnet.
        DataError: the file cannot be read, which does not mean that it is damaged.
    """
    state, damage = _newest(path)
    _tell(damage)
    return state


def _newest(path: Path) -> tuple[dict[str, Any] | None, dict[Path, str]]:
    """Return the state as `load_checkpoint` does, and what is wrong with each damaged file."""
    damage: dict[Path, str] = {}
    for file in (path, previous(path)):
        try:
            if file.is_file():
                return _checked(_read(file), file), damage
        except CheckpointError:
            raise
        # torch.load raises many types of exception on damaged bytes.
        except Exception as error:
            if lacks_memory(error):
                raise
            # A damaged index of the file's contents may name a position that no file has.
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise DataError(f"Cannot read the checkpoint {file}: {reason(error)}.") from error
            damage[file] = str(error).partition("\n")[0] or type(error).__name__
    return None, damage


def _tell(damage: Mapping[Path, str]) -> None:
    for file, what in damage.items():
        tqdm.write(
            f"The checkpoint {file} is damaged ({what}); the one before it is used, if any.", file=sys.stderr
        )


def _read(file: Path) -> dict[str, Any]:
    # torch.load verifies no checksums: without this check, a flipped bit would become a wrong weight.
    with zipfile.ZipFile(file) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(f"wrong checksum in {damaged}")
    return torch.load(file, map_location="cpu", weights_only=True)


def _checked(state: Any, file: Path) -> dict[str, Any]:
    """Return `state` unless it has the format of early versions, which kept weights at the top level."""
    if not isinstance(state, dict):
        raise ValueError("it does not contain the state of a training run")
    if "training" not in state and "optimizer" in state:
        raise CheckpointError(
            f"The checkpoint {file} was written by an early version of trsfnet and cannot be resumed: "
            "move it away to train the run from the start."
        )
    return state
