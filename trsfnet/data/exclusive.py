"""One process at a time writes to a folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trsfnet.errors import DataError

LOCK = ".lock"


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to `folder`, which is made if it does not exist.

    The system lets go of the lock when the process ends, however it ends.

    Raises:
        DataError: another process has it, or the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a", encoding="utf-8")
    except OSError as error:
        raise DataError(f"Cannot write to {folder}: {error.strerror}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"Another process is writing to {folder}: wait for it, or stop it.") from error
        yield
