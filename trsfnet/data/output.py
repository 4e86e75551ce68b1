"""Checks of a file that is to be written, before anything is computed for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from trsfnet.data.files import reason
from trsfnet.errors import DataError


def check_output(path: Path, read: Iterable[Path | None] = (), written: Iterable[Path | None] = ()) -> None:
    """Reject a file that cannot be written, or that would take the place of something else.

    An existing regular file may be replaced; folders, devices and pipes may not.

    Args:
        path: the file to write.
        read: the inputs, files or folders; None stands for an input that is not given.
        written: the other outputs; None stands for one that is not given.

    Raises:
        DataError: if its folder does not exist or cannot be written to, or it is an input, another output, or
            no regular file.
    """
    folder = path.absolute().parent
    try:
        if not folder.is_dir():
            raise DataError(f"There is no folder {folder} to write to.")
        with suppress(FileNotFoundError):
            path.lstat()  # unlike `exists`, reports a name that is too long
        if path.is_dir():
            raise DataError(f"Cannot write to {path}: it is a folder, expected the name of a file.")
        if path.exists() and not path.is_file():
            raise DataError(f"Cannot write to {path}: it is a device or a pipe, expected a file.")
        for others, what in ((read, "is read"), (written, "is another output")):
            for other in others:
                if other is not None and _same(path, other):
                    raise DataError(f"Cannot write to {path}, which {what}: choose another name.")
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:  # a NUL in the name raises ValueError
        why = reason(error) if isinstance(error, OSError) else error
        raise DataError(f"Cannot write to {path}: {why}.") from error


def _same(path: Path, other: Path) -> bool:
    """Return whether two paths lead to one file, which need not exist yet."""
    if os.path.realpath(path) == os.path.realpath(other):
        return True
    return path.exists() and other.exists() and path.samefile(other)
