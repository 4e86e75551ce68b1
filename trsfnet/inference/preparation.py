"""Convert image files to the crops that a network takes as input."""

from __future__ import annotations

from functools import cache

import numpy as np

from trsfnet.data.align import Detector, MarginCrop, Mtcnn, choose
from trsfnet.data.crops import central_crop, stretched
from trsfnet.data.decode import decode, open_image
from trsfnet.data.lfw import CROP
from trsfnet.errors import DataError, choice

PREPARATIONS = {
    "photograph": "photographs, in which MTCNN finds the face",
    "lfw": "images of LFW, cropped at the centre",
    "crop": "crops of faces",
}
"""Kinds of images, and how each is converted to the network's input."""


def prepare(encoded: bytes, name: str, preparation: str, size: int) -> np.ndarray:
    """Convert an image file to a network's input.

    Args:
        encoded: content of the file.
        name: name of the file, for error messages.
        preparation: one of `PREPARATIONS`.
        size: side of the network's input in pixels.

    Returns:
        uint8 [size, size, 3], RGB.

    Raises:
        ConfigError: if the preparation is unknown, or facenet-pytorch is needed but not installed.
        DataError: if the file is not an image, or no face is found in it.
    """
    choice("images", preparation, tuple(PREPARATIONS))
    if preparation == "crop":
        return stretched(open_image(encoded, name), size)  # as everywhere else that crops are taken
    image = decode(encoded, name)
    if preparation == "lfw":
        return central_crop(image, size, CROP)
    try:
        (faces,) = _detector()(image[None])
    except DataError as error:
        raise DataError(f"No face was cropped out of {name}. {error}") from error
    if not faces:
        raise DataError(f"MTCNN finds no face in {name}: use a photograph with a larger face, or a crop.")
    margin = round(size * MarginCrop.margin / MarginCrop.size)
    return MarginCrop(size, margin)(image, choose(faces, *image.shape[:2]))


@cache
def _detector() -> Detector:
    """Return MTCNN's networks, created once."""
    return Mtcnn()
