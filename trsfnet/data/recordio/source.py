"""Face packs as sources: MS1MV2 and similar packs published by insightface."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from pathlib import Path

import numpy as np

from trsfnet.data.random_access import RandomAccessFile
from trsfnet.data.recordio.container import joined, unpacked
from trsfnet.data.recordio.index import pack_index, place
from trsfnet.data.source import Source
from trsfnet.errors import DataError


class RecordSource(Source):
    """The images of a face pack, in ascending order of keys; identities are named by their label numbers.

    The first time, every record's header is read, which for MS1MV2 takes as long as reading the file once;
    later the index comes from the cache.

    Attributes:
        path: the `.rec` file.
    """

    def __init__(self, path: Path | str) -> None:
        """Open a pack.

        Args:
            path: a `.rec` file with its `.idx` file next to it, or the folder of `train.rec` and `train.idx`.
                Without an `.idx` file, the whole file is scanned for records. If there is a `property` file,
                it must state the right number of people.

        Raises:
            DataError: if a file is missing or damaged, or the files do not match.
        """
        path = Path(path)
        self.path = path / "train.rec" if path.is_dir() else path
        self._index = pack_index(self.path)
        self.labels = self._index.labels
        self.identities = tuple(map(str, range(self._people())))
        self._file = RandomAccessFile(self.path)

    @cached_property
    def version(self) -> str:
        """Hash of every image's key, offset, length and label, independent of the pack's location."""
        digest = hashlib.sha256()
        for column in self._index:
            digest.update(np.ascontiguousarray(column, "<i8"))
        return f"records-{digest.hexdigest()[:16]}"

    def file(self, index: int) -> Path:
        """Return the path of the file that contains all images."""
        return self.path

    def encoded(self, index: int) -> bytes:
        """Return the encoded image, see `Source`; the record is checked against the index again."""
        offset, span = int(self._index.offsets[index]), int(self._index.spans[index])
        where = place(self.path, self._index.keys[index], offset)
        label, image = unpacked(joined(self._file.read(offset, span, where), 0, where)[0], where)
        if label != self.labels[index] or not image:
            raise DataError(f"{where} is not the record that was indexed: the file has changed since.")
        return image

    def name(self, index: int) -> str:
        """Return the image's file, key and byte offset, see `Source`."""
        return place(self.path.name, self._index.keys[index], self._index.offsets[index])

    def _people(self) -> int:
        """Return the number of people, one more than the greatest label; `property` must agree."""
        people = int(self.labels.max()) + 1
        if people > len(self):
            image = int(self.labels.argmax())
            raise DataError(
                f"{place(self.path, self._index.keys[image], self._index.offsets[image])} has the label "
                f"{people - 1}, but there are only {len(self)} images."
            )
        properties = self.path.with_name("property")
        if properties.exists():
            said = read_property(properties)
            # Of four numbers, the first two are the numbers of people and images, in either order.
            if people not in said[: len(said) - 2]:
                raise DataError(
                    f"{properties} says {said[0]} people, but the labels in {self.path.name} go from 0 to "
                    f"{people - 1}: expected {people}."
                )
        return people


def read_property(path: Path) -> tuple[int, ...]:
    """Read a `property` file: numbers of people, height and width, and possibly the number of images.

    They are on one line, separated by commas, or each on its own line.

    Raises:
        DataError: if the file cannot be read or contains anything else.
    """
    try:
        with path.open("rb") as file:
            text = file.read(100)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    fields = re.split(rb", ?|\r?\n", text.strip().removeprefix(b"\xef\xbb\xbf"))
    if len(fields) not in (3, 4) or not all(re.fullmatch(rb"[1-9]\d{0,8}", field) for field in fields):
        raise DataError(f"{path}: expected one line like 85742,112,112, got {text[:40]!r}.")
    return tuple(map(int, fields))
