"""The one interface of every source of face images: encoded images, each with the label of its identity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from trsfnet.data.decode import decode


class Source(ABC):
    """Encoded face images with their identities, in a fixed order.

    Reading is thread-safe, and survives pickling and forks: data-loading workers may share a source.

    Attributes:
        labels: int64 [N], index into `identities`.
        identities: name of each label.
        left_out: why pictures, or all of an identity, are no part of the source: a sentence without a full
            stop for each name.
        passed_over: how many files of which kind lie among the pictures and are none, such as
            `{".heic files": 3}`.
    """

    labels: np.ndarray
    identities: tuple[str, ...]
    left_out: Mapping[str, str] = MappingProxyType({})
    passed_over: Mapping[str, int] = MappingProxyType({})

    def __len__(self) -> int:
        return len(self.labels)

    @property
    @abstractmethod
    def version(self) -> str:
        """A short hash that changes when the images do and is the same for the same images on any machine.

        It is of names, sizes and index files, found without decoding, and has no times or absolute paths.
        """

    @abstractmethod
    def encoded(self, index: int) -> bytes:
        """The bytes of one image as stored.

        Raises:
            DataError: it is missing, or its place is damaged; the sentence says where.
        """

    @abstractmethod
    def name(self, index: int) -> str:
        """Which image this is, unique within the source: a relative path, or file and record."""

    def file(self, index: int) -> Path | None:
        """The file that holds the image, alone or among others; None if it is not in a file."""
        return None

    def stamp(self, index: int) -> str:
        """Size and time of change of the file that holds the image; empty if there is none.

        Where it is the same as before, so is the image; where it is not, the image may be.
        """
        file = self.file(index)
        try:
            state = file.stat() if file else None
        except OSError:
            state = None
        return f"{state.st_size}-{state.st_mtime_ns}" if state else ""

    def image(self, index: int) -> np.ndarray:
        """One image decoded: uint8 [H, W, 3], RGB.

        Raises:
            DataError: it is missing or cannot be decoded.
        """
        return decode(self.encoded(index), self.name(index))
