"""One process at a time writes to a folder."""

from __future__ import annotations

import os
import platform
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trsfnet.errors import DataError, TrsfnetError

fcntl: types.ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LOCK = ".lock"


@contextmanager
def locked_folder(
    folder: Path, busy: Callable[[str], TrsfnetError] | None = None, *, wait: bool = False
) -> Iterator[None]:
    """Keep other processes from writing to `folder`, which is made if it does not exist.

    The system lets go of the lock when the process ends, however it ends.

    Args:
        folder: what to lock.
        busy: makes the error for a folder that is locked already, from the name of who locked it; by default
            a `DataError`.
        wait: wait until no other process has it.

    Raises:
        DataError: another process has it, the folder cannot be written to, or the system is Windows.
    """
    if fcntl is None:
        raise DataError(f"Cannot lock {folder}: this system lacks POSIX locks. Work on Linux, macOS or WSL.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise DataError(f"Cannot write to {folder}: {error.strerror}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            if busy:
                raise busy(holder) from error
            raise DataError(f"Another process is writing to {folder}: wait for it, or stop it.") from error
        except OSError as error:
            raise DataError(f"Cannot lock {folder / LOCK}: {error.strerror}.") from error
        # Whoever comes later learns from it who is at work. Where the disk is full, it stays empty.
        with suppress(OSError):
            os.truncate(file.fileno(), 0)
            os.write(file.fileno(), f"process {os.getpid()} on {platform.node()}\n".encode())
        yield
