"""Common interface of all sources of face images: encoded images, each with the label of its identity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from trsfnet.data.decode import decode
from trsfnet.data.files import stamp_of


class Source(ABC):
    """Encoded face images with their identities, in a fixed order.

    Reading is thread-safe, and sources can be pickled and forked, so data-loading workers may share one.

    Attributes:
        labels: int64 [N], index into `identities`.
        identities: name of each label.
        left_out: why images, or whole identities, are excluded from the source: a sentence without a full
            stop for each name.
        passed_over: number of files of each kind among the images that are not images, such as
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

        It covers names, sizes and index files, requires no decoding, and excludes times and absolute paths.
        """

    @abstractmethod
    def encoded(self, index: int) -> bytes:
        """Return the content of one image as stored.

        Raises:
            DataError: if it is missing or its location is damaged; the message says where.
        """

    @abstractmethod
    def name(self, index: int) -> str:
        """Return the image's name, unique within the source: a relative path, or file and record."""

    def file(self, index: int) -> Path | None:
        """Return the file that contains the image, alone or with others; None if it is not in a file."""
        return None

    def stamp(self, index: int) -> str:
        """Return size and times of the file that contains the image, see `stamp_of`; empty if there is none.

        If the stamp is unchanged, so is the image; if it has changed, the image may have changed.
        """
        file = self.file(index)
        try:
            state = file.stat() if file else None
        except OSError:
            state = None
        return stamp_of(state) if state else ""

    def image(self, index: int) -> np.ndarray:
        """Decode one image: uint8 [H, W, 3], RGB.

        Raises:
            DataError: if it is missing or cannot be decoded.
        """
        return decode(self.encoded(index), self.name(index))
