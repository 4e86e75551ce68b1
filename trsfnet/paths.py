"""Every path that a user gives, in one form: as an argument, a parameter, a variable or in a list."""

from __future__ import annotations

import os
from pathlib import Path

from trsfnet.errors import ConfigError


def user_path(given: object, name: str = "a path", *, folder: Path = Path()) -> Path:
    """The path that a user means by `given`, with `~` and `~user` expanded.

    As in a shell, `~x` stands for itself where there is no user `x` but a file or folder of that name.

    Args:
        given: text or a path.
        name: what it is, for the error.
        folder: where a relative path starts, by default the current folder.

    Raises:
        ConfigError: it is no path, or begins with a `~` for which no home directory is known.
    """
    if not isinstance(given, str | os.PathLike) or not os.fspath(given):
        raise ConfigError(f"{name} must be the path of a file or folder, got {given!r}.")
    text = os.fsdecode(given)
    expanded = os.path.expanduser(text)
    first = Path(expanded).parts[0] if expanded.startswith("~") else ""
    if first and not os.path.lexists(folder / first):
        raise ConfigError(
            f"There is no {text}: expected a full path, since there is no home folder {first}; "
            f"for a name that begins with ~, write ./{text}."
        )
    return folder / expanded


def variable_path(variable: str) -> Path | None:
    """The path in an environment variable; None where it is not set, or empty.

    Raises:
        ConfigError: as `user_path`.
    """
    given = os.environ.get(variable)
    return user_path(given, variable) if given else None
