"""One process at a time on one run."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from trsfnet.data.locking import locked_folder
from trsfnet.errors import RecordError


def locked(folder: Path) -> AbstractContextManager[None]:
    """Keep other processes off the run in `folder`, which is made if it does not exist.

    Raises:
        RecordError: another process has it.
        DataError: the folder cannot be written to.
    """
    return locked_folder(
        folder,
        lambda holder: RecordError(
            f"{folder} is being trained by {holder}: wait for it, or stop it and repeat this command, which "
            "then resumes from the last checkpoint."
        ),
    )
