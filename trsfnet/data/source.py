"""The one interface of every source of face images: encoded images, each with the label of its identity."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from trsfnet.data.decode import decode


class Source(ABC):
    """Encoded face images with their identities, in a fixed order.

    Reading is thread-safe, and survives pickling and forks: data-loading workers may share a source.

    Attributes:
        labels: int64 [N], index into `identities`.
        identities: name of each label.
    """

    labels: np.ndarray
    identities: tuple[str, ...]

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

    def image(self, index: int) -> np.ndarray:
        """One image decoded: uint8 [H, W, 3], RGB.

        Raises:
            DataError: it is missing or cannot be decoded.
        """
        return decode(self.encoded(index), self.name(index))
