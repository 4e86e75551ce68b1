"""Errors that a user can fix. Each message is one clear sentence.

Commands turn a `TrsfnetError` into its sentence and exit code 2; notebooks show the sentence without a
traceback, so that `papermill notebooks/train.ipynb -p arch v3` ends in one readable line.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Sequence


class TrsfnetError(Exception):
    """An invalid input: the message says what is wrong, where, and what would be right."""

    def _render_traceback_(self) -> list[str]:
        """Show only the message in IPython (its documented hook for exceptions meant for readers)."""
        return [f"{type(self).__name__}: {self}"]


class ConfigError(TrsfnetError):
    """A setting has an unknown value, a wrong type, or conflicts with another setting."""


class DataError(TrsfnetError):
    """A dataset, image or protocol file is missing or malformed."""


class RecordError(TrsfnetError):
    """A run record on disk is missing, damaged, or written by a newer version."""


_EXCERPT, _REASON = 80, 200  # characters


def excerpt(found: object) -> str:
    """Quote content found in a file for use in an error message: on one line, truncated if long."""
    return repr(cut(str(found)))


def cut(text: str) -> str:
    """Return `text`, truncated to 80 characters and an ellipsis if it is longer."""
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"


def brief(error: Exception) -> str:
    """Shorten a library's error message for use in ours: one line of at most 200 characters, no full stop."""
    return " ".join(str(error)[:_REASON].split()).rstrip(".")


def choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raise `ConfigError` unless `value` is one of `choices`."""
    if value not in choices:
        known = ", ".join(repr(c) for c in choices)
        raise ConfigError(f"{name} must be one of {known}, got {value!r}.")


def nearest(name: str, names: Sequence[str]) -> str:
    """The entry of `names` that is most similar to `name`, as a suggestion for a misspelt name."""
    return difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]


def lacks_memory(error: BaseException) -> bool:
    """Return whether `error` means that memory ran out in Python, NumPy or PyTorch.

    PyTorch and threads have no exception type of their own for this, so their messages are checked.
    """
    said = ("can't allocate memory", "out of memory", "can't start new thread")
    return isinstance(error, MemoryError) or any(words in str(error) for words in said)


_TYPE_NAMES = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    types.NoneType: "None",
}


def check_type(name: str, value: object, hint: object) -> None:
    """Raise `ConfigError` unless `value` has the type `hint`; integers are accepted as floats."""
    union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    options = typing.get_args(hint) if union else (hint,)
    wanted: list[str] = []
    for option in options:
        plain = typing.get_origin(option) or option
        if type(value) is plain or (plain is float and type(value) is int):
            return
        if plain is typing.Literal:
            if value in typing.get_args(option):
                return
            wanted += map(repr, typing.get_args(option))
        else:
            wanted.append(_TYPE_NAMES.get(option, "a list"))
    raise ConfigError(f"{name} must be {' or '.join(wanted)}, got {value!r}.")
