"""A source that holds its images in memory."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from trsfnet.data.source import Source
from trsfnet.errors import DataError


def encoded(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def pattern(seed: int, height: int = 48, width: int | None = None) -> np.ndarray:
    """Smooth colours, so that a JPEG of them is close to them."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width or height, height), Image.Resampling.BICUBIC))


class MemorySource(Source):
    """Encoded images by name; a name's folder is its identity, and None is an image that is missing.

    `others` are identities without an image.
    """

    def __init__(self, images: dict[str, bytes | None], others: tuple[str, ...] = ()) -> None:
        self.images = images
        self._names = list(images)
        people = [name.rpartition("/")[0] for name in images]
        self.identities = tuple(dict.fromkeys([*people, *others]))
        self.labels = np.array([self.identities.index(person) for person in people], dtype=np.int64)

    @property
    def version(self) -> str:
        return f"memory-{len(self.images)}"

    def encoded(self, index: int) -> bytes:
        content = self.images[self._names[index]]
        if content is None:
            raise DataError(f"{self._names[index]} is missing.")
        return content

    def name(self, index: int) -> str:
        return self._names[index]
