"""Convert images of more than 8 bits per channel to 8 bits, as an image viewer would show them."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from trsfnet.errors import DataError

_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # TIFF tags
# Formats whose integer values Pillow scales to 16 bits, whatever the mode.
_SIXTEEN_BITS = ("PNG", "PPM", "JPEG2000")


def eight_bits(image: Image.Image, source: Image.Image, name: str) -> Image.Image:
    """Convert `image` to 8 bits per channel; returned unchanged if it has no more.

    In a 16-bit file the value of white is known. 32-bit integers and floats have no such convention: white is
    assumed to be the smallest of 1 (floats only), 255 and 65535 that no pixel exceeds.

    Args:
        image: an image in any of Pillow's modes.
        source: the image as opened, for its format and tags.
        name: name of the image, for error messages.

    Raises:
        DataError: if a pixel is negative, above 65535, or not a number.
    """
    if image.mode[0] not in "IF":
        return image
    values = np.asarray(image)
    tags = source.tag_v2 if isinstance(source, TiffImageFile) else {}
    if image.mode.startswith("I;16") or (image.mode == "I" and source.format in _SIXTEEN_BITS):
        bits = int(tags.get(_BITS, (16,))[0])
        white = (1 << bits) - 1 if bits < 16 else 65535
    else:
        white = _white(values, name)
    if np.issubdtype(values.dtype, np.integer):
        # Rounded to nearest; ties cannot occur, because every white value is odd.
        shades = (values.astype(np.uint32) * 255 + white // 2) // white
    else:
        shades = np.rint(values * (255 / white))
    shades = np.minimum(shades, 255).astype(np.uint8)
    return Image.fromarray(255 - shades if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else shades)


def _white(values: np.ndarray, name: str) -> int:
    low, high = values.min(), values.max()
    whites = (255, 65535) if np.issubdtype(values.dtype, np.integer) else (1, 255, 65535)
    if not (low >= 0 and high <= whites[-1]):  # this comparison also rejects NaN
        raise DataError(
            f"{name} has pixels from {low:g} to {high:g}: expected 0 to {' or 0 to '.join(map(str, whites))}."
        )
    return next(white for white in whites if high <= white)
