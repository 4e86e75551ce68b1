"""Finds the folders of run records, regardless of where a notebook or command is run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from trsfnet.errors import RecordError
from trsfnet.paths import user_path


def find_folder(name: str | Path, *, must_exist: bool = True) -> Path:
    """Find the folder `name`, such as `results` or `runs`.

    A relative name refers to the working folder. If it does not exist there, the folder of that name in the
    checkout is used, because Jupyter starts a notebook in `notebooks/` and papermill in any folder. The
    checkout is searched for upwards from the working folder, then from the installed package.

    Args:
        name: a path; `~` is the home folder.
        must_exist: raise an error if the folder does not exist. If False, return the path in the working
            folder, where the caller can create it.

    Raises:
        ConfigError: the name cannot be that of a folder.
        RecordError: the folder does not exist; the message lists the folders searched.
    """
    path = user_path(name)
    # Without `..`, so that all names of one folder share the records read from it.
    candidates = list(dict.fromkeys(Path(os.path.normpath(place / path)) for place in _places(path)))
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    if not must_exist:
        return path
    looked = " and ".join(str(candidate) for candidate in candidates)
    raise RecordError(
        f"There is no folder {name}: looked in {looked}. Give the path of a folder of run records, such as "
        "results or runs in a checkout of trsfnet."
    )


def _places(path: Path) -> Iterator[Path]:
    """Yield the folders to which `path` may be relative, most likely first.

    For an absolute path, or one that contains `..`, this is only the working folder.
    """
    yield Path.cwd()
    if not path.is_absolute() and ".." not in path.parts:
        yield from _checkouts(Path.cwd())
        yield from _checkouts(Path(__file__).resolve().parent)


def _checkouts(start: Path) -> Iterator[Path]:
    """Yield `start` and its parents that are checkouts: they contain the package and its notebooks."""
    for folder in (start, *start.parents):
        if (folder / "trsfnet" / "__init__.py").is_file() and (folder / "notebooks").is_dir():
            yield folder
