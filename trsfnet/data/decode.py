"""Encoded images to RGB pixels: whatever a folder holds, decoded to one form or refused by name."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from trsfnet.errors import DataError

# More than any camera's photograph; what claims more is an attack on memory.
_MOST_PIXELS = 1 << 26
# Modes of 16 bits or more: Pillow's own conversion clips them instead of scaling.
_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def decode(encoded: bytes, name: str) -> np.ndarray:
    """The pixels of an encoded image: uint8 [H, W, 3], RGB, upright.

    Grey, palette, CMYK, 16-bit and transparent images are converted; the orientation that cameras note is
    applied.

    Args:
        encoded: a JPEG, PNG, WebP, BMP or whatever else Pillow reads.
        name: where it comes from, for the error.

    Raises:
        DataError: it is not a whole image; the sentence begins with `name`.
    """
    with open_image(encoded, name) as image:
        return np.array(image)


def open_image(encoded: bytes, name: str) -> Image.Image:
    """As `decode`, but a Pillow image in mode RGB."""
    if not encoded:
        raise DataError(f"{name} is empty: expected an image.")
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise DataError(f"{name} claims to be {image.width} x {image.height} pixels large.")
            return _rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        start = bytes(encoded[:12])
        raise DataError(f"{name} is not an image: it begins with {start!r}.") from error
    except DataError:
        raise
    except Exception as error:  # Pillow raises many types on hostile bytes
        raise DataError(f"{name} cannot be decoded: {str(error).rstrip('.')}.") from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in _DEEP_MODES:
        values = np.asarray(image).astype(np.float64)
        image = Image.fromarray((values / 257).round().clip(0, 255).astype(np.uint8))
    return image.convert("RGB")
