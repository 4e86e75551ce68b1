"""A file that is read by position, and so can be shared by threads, forks and pickles."""

from __future__ import annotations

import os
import weakref
from pathlib import Path

from trsfnet.errors import DataError


class RandomAccessFile:
    """An open file without a position of its own, which is closed when nobody holds it any more."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`.

        Raises:
            DataError: it cannot be opened; also when a pickle of this is read.
        """
        self._path = path
        try:
            self._file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise DataError(f"Cannot read {path}: {error.strerror}.") from error
        weakref.finalize(self, os.close, self._file)

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return os.fstat(self._file).st_size

    def read(self, start: int, count: int, what: str) -> bytes:
        """The bytes from `start` on: `count` of them, or fewer where the file ends.

        Raises:
            DataError: the disk does not deliver them; the sentence begins with `what`.
        """
        try:
            return os.pread(self._file, count, start)
        except OSError as error:
            raise DataError(f"{what} cannot be read: {error.strerror}.") from error

    def __reduce__(self) -> tuple[type[RandomAccessFile], tuple[Path]]:
        return RandomAccessFile, (self._path,)
