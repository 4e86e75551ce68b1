"""One process at a time on one run."""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trsfnet.errors import RecordError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes off the run in `folder`, which is made if it does not exist.

    The system lets go of the lock when the process ends, however it ends.

    Raises:
        RecordError: another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise RecordError(
                f"{folder} is being trained by {file.read().strip() or 'another process'}: wait for it, "
                "or stop it and repeat this command, which then goes on from its last checkpoint."
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}\n")
        file.flush()
        yield
