"""Where the folders of run records are, wherever a notebook or a command runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trsfnet.errors import RecordError
from trsfnet.paths import user_path


def find_folder(name: str | Path, *, must_exist: bool = True) -> Path:
    """The folder `name`, such as `results` or `runs`.

    A relative name means a folder in the working folder. Where that has none of the name, the folder of the
    checkout is meant: Jupyter starts a notebook in `notebooks/`, and papermill anywhere. The checkout is
    searched for upwards from the working folder, then from the installed package.

    Args:
        name: a path; `~` is the home folder.
        must_exist: whether a folder that is nowhere is an error. If not, it is to be made in the working
            folder.

    Raises:
        RecordError: there is no such folder; the sentence names the folders that were looked at.
    """
    path = user_path(name)
    candidates = list(dict.fromkeys(place / path for place in _places(path)))
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
    """The folders that `path` can be in, most likely first; a path that climbs has one meaning alone."""
    yield Path.cwd()
    if not path.is_absolute() and ".." not in path.parts:
        yield from _checkouts(Path.cwd())
        yield from _checkouts(Path(__file__).resolve().parent)


def _checkouts(start: Path) -> Iterator[Path]:
    """`start` and the folders above it that are a checkout: they hold the package next to its notebooks."""
    for folder in (start, *start.parents):
        if (folder / "trsfnet" / "__init__.py").is_file() and (folder / "notebooks").is_dir():
            yield folder
