"""Converts every path given by a user (argument, parameter, variable or list entry) in the same way."""

from __future__ import annotations

import os
from pathlib import Path

from trsfnet.errors import ConfigError, cut


def user_path(given: object, name: str | None = None, *, folder: Path = Path()) -> Path:
    """The path meant by `given`, with `~` and `~user` expanded.

    As in a shell, `~x` stands for itself if there is no user `x` but a file or folder with that name.

    Args:
        given: text or a path.
        name: what the path is, or where it stands, for the error message.
        folder: where a relative path starts, by default the current folder.

    Raises:
        ConfigError: it is not a path, or it starts with a `~` for which no home directory is known.
    """
    if not isinstance(given, str | os.PathLike) or not os.fspath(given):
        raise ConfigError(f"{name or 'a path'} must be the path of a file or folder, got {given!r}.")
    text = os.fsdecode(given)
    expanded = os.path.expanduser(text)
    first = Path(expanded).parts[0] if expanded.startswith("~") else ""
    if first and not os.path.lexists(folder / first):
        problem = f"{name}: {cut(text)} cannot be found" if name else f"There is no {cut(text)}"
        raise ConfigError(
            f"{problem}: expected a full path, since there is no home folder {cut(first)}; "
            f"for a name that begins with ~, write ./{cut(text)}."
        )
    return folder / expanded


def variable_path(variable: str) -> Path | None:
    """The path in an environment variable; None if the variable is unset or empty.

    Raises:
        ConfigError: as `user_path`.
    """
    given = os.environ.get(variable)
    return user_path(given, variable) if given else None


def home_path(name: str, use: str, variable: str) -> Path:
    """The path of `name` in the home folder.

    Raises:
        ConfigError: no home folder is known; the message says for what (`use`) it is needed and that
            `variable` may name another folder.
    """
    try:
        return user_path(f"~/{name}")
    except ConfigError as error:
        raise ConfigError(
            f"There is no home folder for {use}: set {variable} to a folder that can be written to."
        ) from error
