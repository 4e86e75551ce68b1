"""Encoded images to RGB pixels: whatever a folder holds, decoded to one form or refused by name."""

from __future__ import annotations

import functools
import io
import os
import threading
from contextlib import nullcontext

import numpy as np
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from trsfnet.data.depth import eight_bits
from trsfnet.data.metadata import without_metadata
from trsfnet.errors import DataError

FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000"),
    *("PNG", "PPM", "PSD", "QOI", "SGI", "TIFF", "WEBP"),
)
"""Of what Pillow knows: pictures in files that say what they are, decoded without other programs."""

# More than most cameras' photographs have. A JPEG beyond it is decoded at half its size.
MOST_PIXELS = 1 << 26
MOST_JPEG_PIXELS = 1 << 28
# Pictures beyond this are decoded one at a time, so that many threads need no more memory than a few.
_LARGE = 1 << 24
_one_large = threading.Lock()

_ORIENTATION = 0x0112  # in EXIF
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _new_lock() -> None:
    """In a forked process, in which nobody would give back a lock that another thread held."""
    global _one_large
    _one_large = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_new_lock)


@functools.cache
def _formats() -> tuple[str, ...]:
    """Those of `FORMATS` with which this machine's Pillow was built."""
    Image.init()
    return tuple(kind for kind in FORMATS if kind in Image.OPEN)


@functools.cache
def suffixes() -> frozenset[str]:
    """By which a file is known to be a picture: in lower case, with the dot."""
    kinds = _formats()
    known = Image.registered_extensions()
    return frozenset({".mpo"} | {suffix for suffix, kind in known.items() if kind in kinds})


def decode(encoded: bytes, name: str) -> np.ndarray:
    """The pixels of an encoded image: uint8 [H, W, 3], RGB, upright.

    Grey, palette, CMYK, deep and transparent images are converted; the orientation that cameras note is
    applied, unless it cannot be read. A JPEG of more than `MOST_PIXELS` comes at half its size.

    Args:
        encoded: a file of one of `FORMATS`.
        name: where it comes from, for the error.

    Raises:
        DataError: it is not a whole image, or too large; the sentence begins with `name`.
    """
    with open_image(encoded, name) as image:
        return np.array(image)


def open_image(encoded: bytes, name: str) -> Image.Image:
    """As `decode`, but a Pillow image in mode RGB."""
    if not encoded:
        raise DataError(f"{name} is empty: expected an image.")
    try:
        return _read(encoded, name)
    except DataError:
        raise
    except MemoryError as error:
        raise DataError(f"{name} needs more memory to be decoded than there is.") from error
    except Exception as error:  # Pillow raises many types on hostile bytes
        # What cannot be read may be the metadata alone.
        bare = without_metadata(encoded)
        if bare is not None:
            try:
                return _read(bare, name)
            except Exception:
                pass
        raise _refusal(encoded, name, error) from error


def _refusal(encoded: bytes, name: str, error: Exception) -> DataError:
    if isinstance(error, UnidentifiedImageError):
        return DataError(f"{name} is not an image: it begins with {bytes(encoded[:12])!r}.")
    if isinstance(error, Image.DecompressionBombError):
        return DataError(f"{name} claims to be far larger than the {MOST_PIXELS:,} pixels that are read.")
    said = " ".join(str(error).split())[:200].rstrip(". ")
    return DataError(f"{name} cannot be decoded: {said or type(error).__name__}.")


def _read(encoded: bytes, name: str) -> Image.Image:
    with _open(encoded) as image:
        _fit(image, name)
        with _one_large if image.width * image.height > _LARGE else nullcontext():
            image.load()
            turned = _upright(image)
            if turned.mode != "RGB":
                turned = eight_bits(turned, image, name).convert("RGB")
            # A plain image, which holds neither the file nor its metadata.
            return turned.copy() if turned is image else turned


def _open(encoded: bytes) -> Image.Image:
    """The image, not decoded yet."""
    file = io.BytesIO(encoded)
    if encoded[:3] == b"\xff\xd8\xff":
        # Not by Image.open, whose limit is lower than that of what is decoded at reduced size.
        return JpegImagePlugin.jpeg_factory(file)
    return Image.open(file, formats=_formats())


def _fit(image: Image.Image, name: str) -> None:
    """Have a large JPEG decoded at reduced size.

    Raises:
        DataError: it is too large even so, or large and no JPEG.
    """
    width, height = image.size
    if width * height <= MOST_PIXELS:
        return
    if isinstance(image, JpegImagePlugin.JpegImageFile) and width * height <= MOST_JPEG_PIXELS:
        image.draft(None, (width // 2, height // 2))
    if image.width * image.height > MOST_PIXELS:
        raise DataError(
            f"{name} claims to be {width} x {height} pixels large: expected at most {MOST_PIXELS:,} pixels, "
            f"or a JPEG of at most {MOST_JPEG_PIXELS:,}, which is read at reduced size."
        )


def _upright(image: Image.Image) -> Image.Image:
    """`image` turned as its camera noted; as it is where that cannot be read."""
    try:
        method = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # many types, on damaged metadata
        method = None
    return image if method is None else image.transpose(method)
