"""States of the images seen by an alignment, so that the next call processes only what has changed."""

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
    """State of an image when it was read.

    Attributes:
        stamp: see `Source.stamp`.
        content: 128-bit hash of its bytes, in hexadecimal.
    """

    stamp: str
    content: str


class ImageStates:
    """The state of every image with a row in the report, stored in `<target>/.images.csv`."""

    def __init__(self, source: Source, target: Path, files: list[str]) -> None:
        """Read the states recorded by an earlier call.

        Args:
            source: the images.
            target: folder of the crops.
            files: path of each image's crop in `target`.

        Raises:
            DataError: if the existing file cannot be read.
        """
        self._source, self._target = source, target
        self._path = target / ".images.csv"
        self._names = {source.name(index): index for index in range(len(source))}
        self._files = files
        self._left_out = left_out(source)
        self._todo = dict(self._names)
        self._known = _read(self._path)
        self._kept: dict[str, ImageState] = {}

    def keep(self, row: dict[str, str]) -> bool:
        """Return whether a row of the report is still valid: its image is unchanged, and was processed.

        An image that failed is tried again, because the cause may lie outside its file.

        The crop of an image that has changed, is now left out or now has a crop of another name is removed,
        so that no outdated crop remains if the new image yields none.

        Raises:
            DataError: if there is a crop of an image that the source does not have.
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
        if name not in self._todo or row["status"] == "failed" or (row["file"] and not cropped):
            return False
        state = self._present_state(name)
        renamed = cropped and row["file"] != self._files[self._names[name]]
        if state is None or renamed:
            if cropped:
                crop.unlink()
            return False
        self._kept[name] = state
        del self._todo[name]
        return True

    def _present_state(self, name: str) -> ImageState | None:
        """Return the state of an unchanged image; None if it has changed or its old state is unknown."""
        index = self._todo[name]
        known = self._known.get(name) if self._known is not None else ImageState("", "")
        if known is None:
            return None
        if known.stamp and known.stamp == self._source.stamp(index):
            return known
        try:
            _, state = self.read(index)
        except DataError:
            return known  # an image that is temporarily unreadable does not invalidate its crop
        # Earlier versions of the target recorded only the version of the whole source.
        return state if self._known is None or state.content == known.content else None

    def begin(self) -> None:
        """Write the states that were kept; those recorded later are appended."""
        aside = self._path.with_name(f"{self._path.name}.partial")
        with aside.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            csv.writer(file).writerows((name, *state) for name, state in self._kept.items())
        os.replace(aside, self._path)
        self._known, self._kept = {}, {}

    def todo(self) -> list[int]:
        """Return the images without a valid row, in the order of the source."""
        return list(self._todo.values())

    def read(self, index: int) -> tuple[bytes, ImageState]:
        """Return the bytes of an image and its state.

        Raises:
            DataError: if it cannot be read.
        """
        stamp = self._source.stamp(index)  # before the bytes: a change in between is noticed next time
        encoded = self._source.encoded(index)
        return encoded, ImageState(stamp, hashlib.blake2b(encoded, digest_size=16).hexdigest())

    def note(self, images: Iterable[tuple[str, ImageState]]) -> None:
        """Record the states of some images by name, before their rows are added to the report."""
        with self._path.open("a", encoding="utf-8", errors="backslashreplace", newline="") as file:
            csv.writer(file).writerows((name, *state) for name, state in images)


def _read(path: Path) -> dict[str, ImageState] | None:
    """Return the states at `path`, the last of each name; None if there is no such file."""
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = (row for row in csv.reader(file) if len(row) == 3 and len(row[2]) == 32)
            return {name: ImageState(stamp, content) for name, stamp, content in rows}
    except FileNotFoundError:
        return None
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
