"""What readers and writers of files have in common: users' paths, errors in a sentence, portable names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trsfnet.errors import ConfigError, DataError


def user_path(given: str | os.PathLike[str]) -> Path:
    """The file or folder that a user means by `given`; a leading `~` or `~name` is a home folder.

    Every path that a user can give goes through here, in commands as in Python, before any work begins.

    Raises:
        ConfigError: there is no such home folder.
    """
    path = os.path.expanduser(given)
    if path.startswith("~"):
        home = path.partition("/")[0]
        raise ConfigError(f"There is no home folder {home}: for a name that begins with ~, write ./{path}.")
    return Path(path)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Say that `place` cannot be written, and why, where the system refuses: a full disk, a missing folder.

    Raises:
        DataError: an `OSError` came up within.
    """
    try:
        yield
    except OSError as error:
        raise DataError(f"Cannot write to {place}: {error.strerror or error}.") from error


def check_name(path: Path) -> None:
    """Refuse a file to write whose name not every library takes.

    Raises:
        DataError: it is not UTF-8.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise DataError(f"The name of a file to write must be UTF-8, got {utf8(str(path))}.") from error


def utf8(name: str) -> str:
    """`name` with its bytes that are not UTF-8 as in a URL, such as `caf%E9.png`: still a name of a file."""
    return re.sub("[\udc80-\udcff]", lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", name)
