"""A lock that allows only one process at a time to work on a run."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from trsfnet.data.locking import locked_folder
from trsfnet.errors import RecordError


def locked(folder: Path) -> AbstractContextManager[None]:
    """Lock the run in `folder` against other processes; the folder is created if it does not exist.

    Raises:
        RecordError: another process holds the lock.
        DataError: the folder is not writable.
    """
    return locked_folder(
        folder,
        lambda holder: RecordError(
            f"{folder} is being trained by {holder}: wait for it, or stop it and repeat this command, which "
            "then resumes from the last checkpoint."
        ),
    )
