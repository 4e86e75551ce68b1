"""Which images an alignment saw, so that the next call does what has changed since, and nothing else."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from trsfnet.data.files import native
from trsfnet.data.folder import left_out
from trsfnet.data.source import Source
from trsfnet.errors import DataError


class ImageState(NamedTuple):
    """What an image was when it was looked at.

    Attributes:
        stamp: see `Source.stamp`.
        content: 128 bits of a hash of its bytes, in hexadecimal.
    """

    stamp: str
    content: str


class ImageStates:
    """The state of every image that has a row in the report, kept in `<target>/.images.csv`."""

    def __init__(self, source: Source, target: Path) -> None:
        """Read what an earlier call noted.

        Raises:
            DataError: the file there cannot be read.
        """
        self._source, self._target = source, target
        self._path = target / ".images.csv"
        self._names = {source.name(index): index for index in range(len(source))}
        self._left_out = left_out(source)
        self._todo = dict(self._names)
        self._known = _read(self._path)
        self._kept: dict[str, ImageState] = {}

    def keep(self, row: dict[str, str]) -> bool:
        """Whether a row of the report still holds: its image has not changed, and its crop is there.

        The crop of an image that has changed, or is left out now, is removed, so that it does not stay if
        there is none of the new one.

        Raises:
            DataError: there is a crop of an image that the source has not.
        """
        name, crop = row["name"], self._target / native(row["file"])
        cropped = bool(row["file"]) and crop.is_file()
        if cropped and (name in self._left_out or name.partition("/")[0] in self._left_out):
            crop.unlink()
            return False
        if cropped and name not in self._names:
            raise DataError(
                f"{self._target} holds crops of other images: {row['file']} is of {name}, which the source "
                "does not have. Choose another target, or delete such crops."
            )
        if name not in self._todo or (row["file"] and not cropped):
            return False
        state = self._present_state(name)
        if state is None:
            if cropped:
                crop.unlink()
            return False
        self._kept[name] = state
        del self._todo[name]
        return True

    def _present_state(self, name: str) -> ImageState | None:
        """The state of an image that is as it was; None if it has changed, or it is not known how it was."""
        index = self._todo[name]
        known = self._known.get(name) if self._known is not None else ImageState("", "")
        if known is None:
            return None
        if known.stamp and known.stamp == self._source.stamp(index):
            return known
        try:
            _, state = self.read(index)
        except DataError:
            return known  # what cannot be read just now says nothing against its crop
        # Before there was such a file, the version of the whole source was all that was known.
        return state if self._known is None or state.content == known.content else None

    def begin(self) -> None:
        """Write what was kept; what is noted from now on follows."""
        aside = self._path.with_name(f"{self._path.name}.partial")
        with aside.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            csv.writer(file).writerows((name, *state) for name, state in self._kept.items())
        os.replace(aside, self._path)
        self._known, self._kept = {}, {}

    def todo(self) -> list[int]:
        """The images of which no row was kept, in the order of the source."""
        return list(self._todo.values())

    def read(self, index: int) -> tuple[bytes, ImageState]:
        """The bytes of an image, and its state.

        Raises:
            DataError: it cannot be read.
        """
        stamp = self._source.stamp(index)  # before the bytes: a change in between is noticed next time
        encoded = self._source.encoded(index)
        return encoded, ImageState(stamp, hashlib.blake2b(encoded, digest_size=16).hexdigest())

    def note(self, images: Iterable[tuple[str, ImageState]]) -> None:
        """Note the states of some images by name, before their rows are added to the report."""
        with self._path.open("a", encoding="utf-8", errors="backslashreplace", newline="") as file:
            csv.writer(file).writerows((name, *state) for name, state in images)


def _read(path: Path) -> dict[str, ImageState] | None:
    """The states at `path`, the last of each name; None if there is no such file."""
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = (row for row in csv.reader(file) if len(row) == 3 and len(row[2]) == 32)
            return {name: ImageState(stamp, content) for name, stamp, content in rows}
    except FileNotFoundError:
        return None
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
