"""A file read by position, which threads, forks and pickles can therefore share."""

from __future__ import annotations

import os
import weakref
from pathlib import Path

from trsfnet.errors import DataError


class RandomAccessFile:
    """An open file without a current position; it is closed when it is no longer referenced."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`.

        Raises:
            DataError: if it cannot be opened, also on unpickling.
        """
        self._path = path
        try:
            self._file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise DataError(f"Cannot read {path}: {error.strerror}.") from error
        weakref.finalize(self, os.close, self._file)

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        return os.fstat(self._file).st_size

    def read(self, start: int, count: int, what: str) -> bytes:
        """Return `count` bytes from `start` on, or fewer at the end of the file.

        Raises:
            DataError: if they cannot be read; the message begins with `what`.
        """
        try:
            return os.pread(self._file, count, start)
        except OSError as error:
            raise DataError(f"{what} cannot be read: {error.strerror}.") from error

    def __reduce__(self) -> tuple[type[RandomAccessFile], tuple[Path]]:
        return RandomAccessFile, (self._path,)
