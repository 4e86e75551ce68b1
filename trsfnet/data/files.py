"""Helpers for reading and writing files: one-sentence errors and portable names."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trsfnet.errors import DataError


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Convert an `OSError`, such as for a full disk or a missing folder, to an error that names `place`.

    Raises:
        DataError: if an `OSError` was raised in this context.
    """
    try:
        yield
    except OSError as error:
        raise DataError(f"Cannot write to {place}: {reason(error)}.") from error


def reason(error: OSError) -> str:
    """Return the reason for a failure; NumPy's errors only state how much of an array was written."""
    return error.strerror or f"the disk may be full ({str(error).rstrip('.')})"


def stamp_of(state: os.stat_result) -> str:
    """Return a value that changes when a file does: its size, and when it was modified and last changed.

    Copies by `cp -p` or `rsync -a` and renamed files keep the modification time of the original; the time of
    the last change, which no tool can set, shows that they are new.
    """
    return f"{state.st_size}-{state.st_mtime_ns}-{state.st_ctime_ns}"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file next to `path`, with the same suffix; at the end, rename it to `path`.

    A file named `path` is therefore always complete, even if several processes write it at the same time.
    """
    aside = path.with_name(f".{secrets.token_hex(4)}.partial{path.suffix}")
    try:
        yield aside
        os.replace(aside, path)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path` as `replacing` does.

    Raises:
        DataError: if it cannot be written, for example because the disk is full.
    """
    with writing(path), replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")


@contextmanager
def new_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Create a folder in `parent` (also created if missing); remove it at the end unless renamed.

    Unlike the folders of `tempfile`, it has the permissions of the user's umask, and keeps them when renamed.
    """
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / f"{prefix}{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_name(path: Path) -> None:
    """Reject a name for a new file that some libraries cannot handle.

    Raises:
        DataError: if it is not UTF-8, or contains characters that the current locale does not support.
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
    """Return a file name as UTF-8, whatever encoding Python assumes for the file system.

    Under `LC_ALL=C` that may be ASCII, so that valid names contain surrogates. Names that are not UTF-8 are
    returned unchanged.
    """
    try:
        return os.fsencode(name).decode("utf-8")
    except UnicodeError:
        return name


def native(name: str) -> str:
    """Convert a UTF-8 name to the form in which Python opens the file; the inverse of `portable`."""
    try:
        return os.fsdecode(name.encode("utf-8"))
    except UnicodeError:
        return name


def utf8(name: str) -> str:
    """Return `name` with bytes that are not UTF-8 escaped as in a URL, such as `caf%E9.png`."""
    return re.sub("[\udc80-\udcff]", lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", _sound(name))


def _sound(name: str) -> str:
    """Decode `name` as UTF-8 in any locale, where Python may have kept unsupported characters as bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
