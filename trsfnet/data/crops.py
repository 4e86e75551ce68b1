"""Crops of photographs: around a detected face, or from the centre."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from trsfnet.errors import ConfigError, DataError

_LARGEST_SIZE = 1024


def check_size(size: int) -> None:
    """Raise `ConfigError` unless `size` is a valid side of a crop in pixels."""
    if not 16 <= size <= _LARGEST_SIZE:
        raise ConfigError(f"size must be from 16 to {_LARGEST_SIZE} pixels, got {size}.")


def central_crop(image: np.ndarray, size: int, side: float | None = None) -> np.ndarray:
    """Crop a square from the centre of an image.

    Args:
        image: uint8 [H, W, 3].
        size: side of the crop in pixels.
        side: side in pixels of the square that is cut out of `image` before resizing; by default the shorter
            side of the image. Areas outside the image are black.

    Returns:
        uint8 [size, size, 3], resized with bicubic interpolation.
    """
    height, width = image.shape[:2]
    side = min(height, width) if side is None else side
    if side > min(height, width):
        border = int(np.ceil((side - min(height, width)) / 2))
        image = np.pad(image, ((border, border), (border, border), (0, 0)))
        height, width = image.shape[:2]
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    resized = Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC, box, reducing_gap=3)
    return np.asarray(resized)


def stretched(crop: Image.Image, size: int) -> np.ndarray:
    """Resize a face crop to a square without keeping its aspect ratio: uint8 [size, size, channels]."""
    if crop.size != (size, size):
        crop = crop.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3)
    return np.asarray(crop)


def margin_crop(image: np.ndarray, box: Sequence[float] | np.ndarray, size: int, margin: int) -> np.ndarray:
    """Crop the face in `box` with a margin, stretched to a square, as facenet-pytorch does.

    The arithmetic is that of facenet-pytorch's `extract_face`, where the margin is a share of the crop.

    Args:
        image: uint8 [H, W, 3].
        box: left, top, right and bottom of the face in pixels; parts of box and margin outside the image are
            cut off.
        size: side of the crop in pixels.
        margin: left and right margin together, in pixels of the crop.

    Returns:
        uint8 [size, size, 3], resized with bilinear interpolation.

    Raises:
        DataError: if the box does not overlap the image.
    """
    left, top, right, bottom = box
    margin_x, margin_y = (extent * margin / (size - margin) / 2 for extent in (right - left, bottom - top))
    return _cut(image, box, margin_x, margin_y, size)


def facenet_crop(image: np.ndarray, box: Sequence[float] | np.ndarray, size: int, margin: int) -> np.ndarray:
    """Crop the face in `box` with a margin, stretched to a square, as facenet itself does.

    The arithmetic is that of `align_dataset_mtcnn.py` of davidsandberg/facenet, where the margin is a number
    of pixels of the photograph, so that small faces get relatively more: with 44 pixels, a face of 100 to 145
    pixels gets 22 to 15 % of its width on each side, whereas `margin_crop` gives every face 12.5 % (32 of
    160).

    Args:
        image: uint8 [H, W, 3].
        box: left, top, right and bottom of the face in pixels; parts of box and margin outside the image are
            cut off.
        size: side of the crop in pixels.
        margin: left and right margin together, in pixels of the photograph.

    Returns:
        uint8 [size, size, 3], resized with bilinear interpolation.

    Raises:
        DataError: if the box does not overlap the image.
    """
    return _cut(image, box, margin / 2, margin / 2, size)


def _cut(
    image: np.ndarray, box: Sequence[float] | np.ndarray, margin_x: float, margin_y: float, size: int
) -> np.ndarray:
    """Cut out `box` with margins on both axes, clipped to the image, and resize it to a square."""
    height, width = image.shape[:2]
    left, top, right, bottom = (float(edge) for edge in box)
    cut = (
        int(max(left - margin_x, 0)),
        int(max(top - margin_y, 0)),
        int(min(right + margin_x, width)),
        int(min(bottom + margin_y, height)),
    )
    if cut[0] >= cut[2] or cut[1] >= cut[3]:
        raise DataError(
            f"The box of a face must overlap its image of {width} x {height} pixels, got "
            f"{[left, top, right, bottom]}."
        )
    face = Image.fromarray(image).crop(cut).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(face)
