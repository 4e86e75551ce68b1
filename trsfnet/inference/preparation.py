"""Convert image files to the crops that a network takes as input."""

from __future__ import annotations

from functools import cache

import numpy as np

from trsfnet.data.align import Detector, MarginCrop, Mtcnn, WarpCrop, choose
from trsfnet.data.crops import stretched
from trsfnet.data.decode import decode, open_image
from trsfnet.data.lfw import central_face
from trsfnet.errors import ConfigError, DataError, choice
from trsfnet.interop.description import Description

PREPARATIONS = {
    "photograph": "photographs, in which MTCNN finds the face",
    "warp": "photographs, in which the face is warped as for ArcFace",
    "lfw": "images of LFW, cropped at the centre",
    "crop": "crops of faces",
}
"""Kinds of images, and how each is converted to the network's input."""


def preparation_for(description: Description, images: str) -> str:
    """Return the preparation of a kind of images for a network: photographs are cropped as in its training.

    Args:
        description: the network.
        images: one of `PREPARATIONS`.

    Raises:
        ConfigError: if `images` is `photograph`, but the network does not state how its faces were cropped.
    """
    if images != "photograph":
        return images
    if description.warped is None:
        raise ConfigError(
            f"{description.name} does not state how the faces of its training were cropped: images must be "
            "'warp' for photographs and one of insightface's networks, or 'crop' for crops that you made."
        )
    return "warp" if description.warped else "photograph"


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
        DataError: if the file is not an image, no face is found in it, or an image of LFW is not 250 x 250.
    """
    choice("images", preparation, tuple(PREPARATIONS))
    if preparation == "crop":
        return stretched(open_image(encoded, name), size)  # as everywhere else that crops are taken
    image = decode(encoded, name)
    if preparation == "lfw":
        advice = "choose 'photograph' for photographs, or 'crop' for crops of faces"
        return central_face(image, name, size, advice)
    try:
        (faces,) = _detector()(image[None])
    except DataError as error:
        raise DataError(f"No face was cropped out of {name}. {error}") from error
    if not faces:
        raise DataError(f"MTCNN finds no face in {name}: use a photograph with a larger face, or a crop.")
    face = choose(faces, *image.shape[:2])
    if preparation == "warp":
        return WarpCrop(size)(image, face)
    return MarginCrop(size, round(size * MarginCrop.margin / MarginCrop.size))(image, face)


@cache
def _detector() -> Detector:
    """Return MTCNN's networks, created once."""
    return Mtcnn()
