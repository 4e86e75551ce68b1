"""What readers and writers of files have in common: errors in a sentence, portable names."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trsfnet.errors import DataError


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Say that `place` cannot be written, and why, where the system refuses: a full disk, a missing folder.

    Raises:
        DataError: an `OSError` came up within.
    """
    try:
        yield
    except OSError as error:
        raise DataError(f"Cannot write to {place}: {reason(error)}.") from error


def reason(error: OSError) -> str:
    """Why the system refused; numpy's errors know only how much of an array was written."""
    return error.strerror or f"the disk may be full ({str(error).rstrip('.')})"


@contextmanager
def new_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `parent`, which is made if it is missing; gone at the end, unless it was renamed.

    Unlike those of `tempfile`, it can be read by whom the user's umask lets read it, and so can what it
    becomes by a rename.
    """
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / f"{prefix}{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_name(path: Path) -> None:
    """Refuse a file to write whose name not every library takes.

    Raises:
        DataError: it is not UTF-8, or Python was started in a locale that does not know its signs.
    """
    name = str(path)
    try:
        name.encode()
    except UnicodeEncodeError as error:
        if _sound(name).isprintable():
            sentence = f"This locale has no {_sound(name)!a}: set LC_ALL=C.UTF-8 or PYTHONUTF8=1."
        else:
            sentence = f"The name of a file to write must be UTF-8, got {utf8(name)}."
        raise DataError(sentence) from error


def portable(name: str) -> str:
    """The name of a file as UTF-8 has it, whatever Python takes the file system's encoding for.

    Under `LC_ALL=C` that may be ASCII, and sound names are full of surrogates. What is not UTF-8 stays so.
    """
    try:
        return os.fsencode(name).decode("utf-8")
    except UnicodeError:
        return name


def native(name: str) -> str:
    """A name in UTF-8 as Python wants it to open the file; the reverse of `portable`."""
    try:
        return os.fsdecode(name.encode("utf-8"))
    except UnicodeError:
        return name


def utf8(name: str) -> str:
    """`name` with its bytes that are not UTF-8 as in a URL, such as `caf%E9.png`: still a name of a file."""
    return re.sub("[\udc80-\udcff]", lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", _sound(name))


def _sound(name: str) -> str:
    """`name` read as UTF-8 whatever the locale: in one that does not know its signs, Python keeps bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
