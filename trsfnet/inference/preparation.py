"""Image files to the crops that a network takes."""

from __future__ import annotations

from functools import cache

import numpy as np

from trsfnet.data.align import Detector, MarginCrop, Mtcnn, choose
from trsfnet.data.crops import central_crop
from trsfnet.data.decode import decode
from trsfnet.data.lfw import CROP
from trsfnet.errors import DataError, choice

PREPARATIONS = {
    "photograph": "photographs, in which MTCNN finds the face",
    "lfw": "images of LFW, of which the middle is taken",
    "crop": "crops of faces",
}
"""What images may be, and how they become what the network takes."""


def prepare(encoded: bytes, name: str, preparation: str, size: int) -> np.ndarray:
    """An image file as a network takes it.

    Args:
        encoded: the file's bytes.
        name: the file's name, for errors.
        preparation: one of `PREPARATIONS`.
        size: side of the network's input in pixels.

    Returns:
        uint8 [size, size, 3], RGB.

    Raises:
        ConfigError: unknown preparation, or facenet-pytorch is needed and not installed.
        DataError: it is no image, or no face is found in it.
    """
    choice("images", preparation, tuple(PREPARATIONS))
    image = decode(encoded, name)
    if preparation == "crop":
        return central_crop(image, size)
    if preparation == "lfw":
        return central_crop(image, size, CROP)
    try:
        (faces,) = _detector()(image[None])
    except DataError as error:
        raise DataError(f"No face was cropped out of {name}. {error}") from error
    if not faces:
        raise DataError(f"MTCNN finds no face in {name}: give a photograph with a larger one, or a crop.")
    margin = round(size * MarginCrop.margin / MarginCrop.size)
    return MarginCrop(size, margin)(image, choose(faces, *image.shape[:2]))


@cache
def _detector() -> Detector:
    """MTCNN's networks, made once."""
    return Mtcnn()
