"""Lock a folder so that only one process at a time writes to it."""

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
    """Prevent other processes from writing to `folder`, which is created if it does not exist.

    The system releases the lock when the process ends, for whatever reason.

    Args:
        folder: the folder to lock.
        busy: creates the error for a folder that is already locked, given a description of the process that
            holds the lock; by default a `DataError`.
        wait: wait until no other process holds the lock.

    Raises:
        DataError: if another process holds the lock, the folder cannot be written to, or the system is
            Windows.
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
        # Tells later processes who holds the lock. On a full disk, the file stays empty.
        with suppress(OSError):
            os.truncate(file.fileno(), 0)
            os.write(file.fileno(), f"process {os.getpid()} on {platform.node()}\n".encode())
        yield
