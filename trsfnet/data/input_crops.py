"""Crops of a network's input size from any source."""

from __future__ import annotations

import hashlib

import numpy as np

from trsfnet.data.ijb import IjbImages
from trsfnet.data.lazy import LazyImages
from trsfnet.data.lfw import CROP, LfwSource
from trsfnet.data.source import Source


def input_crops(source: Source, size: int) -> LazyImages:
    """Return the images of `source` as uint8 [N, size, size, 3], RGB, decoded on demand.

    LFW's images as published are cropped at the centre, as on the `lfw` track; IJB's loose crops are warped
    to the 5-point template; all others are treated as face crops and resized if necessary.
    """
    if isinstance(source, LfwSource):
        return _CentralCrops(source, size)
    if isinstance(source, IjbImages):
        return _WarpedFaces(source, size)
    return LazyImages(source, size)


class _CentralCrops(LazyImages):
    _source: LfwSource

    def crop(self, index: int, encoded: bytes) -> np.ndarray:
        return self._source.central_crop(index, self.shape[1], encoded)

    def recipe(self, index: int) -> str:
        return f"central-{CROP}"


class _WarpedFaces(LazyImages):
    _source: IjbImages

    def crop(self, index: int, encoded: bytes) -> np.ndarray:
        return self._source.warped(index, self.shape[1], encoded)

    def recipe(self, index: int) -> str:
        landmarks = self._source.templates.landmarks[index].astype("<f4")
        return f"warp-{hashlib.blake2b(landmarks.tobytes(), digest_size=8).hexdigest()}"
