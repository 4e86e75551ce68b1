"""Convert images of more than 8 bits per channel to 8 bits, as an image viewer would show them."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from trsfnet.errors import DataError

_BITS, _PHOTOMETRIC, _PLANAR, _SAMPLE_FORMAT = 258, 262, 284, 339  # TIFF tags
_WHITE_IS_ZERO, _SEPARATE, _SIGNED = 0, 2, 2  # values of the last three
# Formats whose integer values Pillow scales to 16 bits, whatever the mode.
_SIXTEEN_BITS = ("PNG", "PPM", "JPEG2000")
# Resampled floats may exceed black and white by this share of white.
_OVERSHOOT = 0.125
# If the brightest pixel is below this share of white, white must have another value: the image would look
# black.
_DARK = 1 / 16


def eight_bits(image: Image.Image, source: Image.Image, name: str) -> Image.Image:
    """Convert `image` to 8 bits per channel, from 0 for black; returned unchanged if it has these already.

    In a 16-bit file the value of white is known, and in one of signed bytes it is 127. 32-bit integers and
    floats have no such convention: white is assumed to be the smallest of 1 (floats only), 255 and 65535 that
    no pixel exceeds, apart from the small overshoot of resampled floats.

    Args:
        image: an image in any of Pillow's modes.
        source: the image as opened, for its format and tags.
        name: name of the image, for error messages.

    Raises:
        DataError: if a pixel is negative, above 65535, or not a number; if all pixels are so dark that white
            must have another value; or if Pillow would read the wrong bytes.
    """
    tags = source.tag_v2 if isinstance(source, TiffImageFile) else {}
    bits = int(tags.get(_BITS, (16,))[0])
    if bits > 8 and image.mode[0] not in "IF" and tags.get(_PLANAR) == _SEPARATE:
        raise DataError(
            f"{name} stores each channel separately in {bits} bits: expected 8 bits or interleaved channels."
        )
    signed = _SIGNED in tags.get(_SAMPLE_FORMAT, ())
    signed_bytes = signed and image.mode == "L"
    if image.mode[0] not in "IF" and not signed_bytes:
        return image
    values = np.asarray(image)
    integers = bool(np.issubdtype(values.dtype, np.integer))
    if signed_bytes:
        values = values.view(np.int8)
        white = _white(values, (127,), name)
    elif image.mode.startswith("I;16") or (image.mode == "I" and source.format in _SIXTEEN_BITS):
        white = (1 << bits) - 1 if bits < 16 else 65535
    elif bits == 16 and signed:
        white = _white(values, (255, 32767), name)
    else:
        white = _white(values, (255, 65535) if integers else (1, 255, 65535), name)
    if 0 < values.max() < white * _DARK:
        raise DataError(
            f"{name} has no pixel above {values.max():g}, and nothing in it says which value is white: "
            f"expected values up to {white}."
        )
    if integers:
        # Rounded to nearest; ties cannot occur, because every white value is odd.
        shades = (values.astype(np.uint32) * 255 + white // 2) // white
    else:
        shades = np.rint(values * (255 / white))
    shades = np.clip(shades, 0, 255).astype(np.uint8)
    return Image.fromarray(255 - shades if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else shades)


def _white(values: np.ndarray, whites: tuple[int, ...], name: str) -> int:
    low, high = values.min(), values.max()
    beyond = 0 if np.issubdtype(values.dtype, np.integer) else _OVERSHOOT
    white = next((white for white in whites if high <= white * (1 + beyond)), None)
    if white is None or not low >= -white * beyond:  # also true for NaN
        raise DataError(
            f"{name} has pixels from {low:g} to {high:g}: expected 0 to {' or 0 to '.join(map(str, whites))}."
        )
    return white
