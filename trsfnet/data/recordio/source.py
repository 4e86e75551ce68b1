"""Face packs as sources: MS1MV2 and its kind, as insightface publishes them."""

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
    """The images of a face pack, by rising key; identities are named by their label numbers.

    The first time, every record's header is read, which for MS1MV2 takes as long as the disk needs to deliver
    the file once; later the index comes from the cache.

    Attributes:
        path: the `.rec`.
    """

    def __init__(self, path: Path | str) -> None:
        """Open a pack.

        Args:
            path: a `.rec` with its `.idx` next to it, or the folder of `train.rec` and `train.idx`. Without
                an `.idx` the records are looked for in the whole file. If a `property` file is there, it must
                give the right number of people.

        Raises:
            DataError: a file is missing or damaged, or they do not belong together.
        """
        path = Path(path)
        self.path = path / "train.rec" if path.is_dir() else path
        self._index = pack_index(self.path)
        self.labels = self._index.labels
        self.identities = tuple(map(str, range(self._people())))
        self._file = RandomAccessFile(self.path)

    @cached_property
    def version(self) -> str:
        """A hash of every image's key, place, length and label, the same wherever the pack lies."""
        digest = hashlib.sha256()
        for column in self._index:
            digest.update(np.ascontiguousarray(column, "<i8"))
        return f"records-{digest.hexdigest()[:16]}"

    def file(self, index: int) -> Path:
        """The one file of all images."""
        return self.path

    def encoded(self, index: int) -> bytes:
        """See `Source`; the record is checked against the index again."""
        offset, span = int(self._index.offsets[index]), int(self._index.spans[index])
        where = place(self.path, self._index.keys[index], offset)
        label, image = unpacked(joined(self._file.read(offset, span, where), 0, where)[0], where)
        if label != self.labels[index] or not image:
            raise DataError(f"{where} is not the one that was there when the file was indexed.")
        return image

    def name(self, index: int) -> str:
        """See `Source`: file, key and byte."""
        return place(self.path.name, self._index.keys[index], self._index.offsets[index])

    def _people(self) -> int:
        """How many people there are, one more than the greatest label; `property` must agree."""
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
            # Of four numbers, the first two are people and images, in either order.
            if people not in said[: len(said) - 2]:
                raise DataError(
                    f"{properties} says {said[0]} people, but the labels in {self.path.name} go from 0 to "
                    f"{people - 1}: expected {people}."
                )
        return people


def read_property(path: Path) -> tuple[int, ...]:
    """The numbers of a `property` file: people, height and width; or four, of which one counts the images.

    They stand on one line with commas between them, or each on a line of its own.

    Raises:
        DataError: it cannot be read or holds anything else.
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
