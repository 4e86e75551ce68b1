"""Any source as crops of a network's input size."""

from __future__ import annotations

import numpy as np

from trsfnet.data.crops import central_crop
from trsfnet.data.ijb import IjbImages
from trsfnet.data.lazy import LazyImages
from trsfnet.data.lfw import CROP, LfwSource
from trsfnet.data.source import Source


def input_crops(source: Source, size: int) -> LazyImages:
    """The images of `source` as uint8 [N, size, size, 3], RGB, decoded as they are asked for.

    Of LFW's images as published the middle is taken, as on the `lfw` track; IJB's loose crops are warped to
    the 5-point template; all others are taken for crops of faces, and resized if they are of another size.
    """
    if isinstance(source, LfwSource):
        return _CentralCrops(source, size)
    if isinstance(source, IjbImages):
        return _WarpedFaces(source, size)
    return LazyImages(source, size)


class _CentralCrops(LazyImages):
    _source: LfwSource

    def _pixels(self, index: int) -> np.ndarray:
        return central_crop(self._source.image(index), self.shape[1], CROP)


class _WarpedFaces(LazyImages):
    _source: IjbImages

    def _pixels(self, index: int) -> np.ndarray:
        return self._source.warped(index, self.shape[1])
