"""Images of a source that behave like an array in memory but are decoded on demand."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from trsfnet.data.crops import stretched
from trsfnet.data.decode import open_image
from trsfnet.data.source import Source


class LazyImages:
    """All images of a source as uint8 [N, size, size, 3], RGB, for `FaceSet.images`.

    Pillow decodes outside Python's global lock, so a batch is decoded by as many threads as there are cores.

    Args:
        source: face crops; those of a different size are resized, without keeping their aspect ratio.
        size: side in pixels.
    """

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self.shape = (len(source), size, size, 3)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return the images of `rows`: uint8 [B, size, size, 3].

        Raises:
            DataError: if an image is missing or cannot be decoded.
        """
        indices = np.arange(len(self))[rows]
        images = np.empty((len(indices), *self.shape[1:]), dtype=np.uint8)
        workers = os.cpu_count() or 1

        def fill(first: int) -> None:
            for place in range(first, len(indices), workers):
                index = int(indices[place])
                images[place] = self.crop(index, self._source.encoded(index))

        with ThreadPoolExecutor(workers) as threads:
            list(threads.map(fill, range(workers)))
        return images

    def crop(self, index: int, encoded: bytes) -> np.ndarray:
        """Return one image from its content as stored: uint8 [size, size, 3].

        Raises:
            DataError: if it cannot be decoded.
        """
        return stretched(open_image(encoded, self._source.name(index)), self.shape[1])

    def recipe(self, index: int) -> str:
        """Return what determines the crop besides the image's content; empty for images that are resized."""
        return ""
