"""Decode image files of any supported format to RGB pixels, or reject them with an error naming the file."""

from __future__ import annotations

import functools
import io
import os
import re
import threading
from contextlib import nullcontext, suppress

import numpy as np
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from trsfnet.data.depth import eight_bits
from trsfnet.data.metadata import without_metadata
from trsfnet.errors import DataError

FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000"),
    *("PNG", "PPM", "PSD", "QOI", "SGI", "TIFF", "WEBP"),
)
"""Supported formats: those that Pillow identifies by content and decodes without other programs."""

# More pixels than most cameras produce. A larger JPEG is decoded at half its size.
MOST_PIXELS = 1 << 26
MOST_JPEG_PIXELS = 1 << 28
# Larger images are decoded one at a time, so that many threads do not need much more memory than a few.
_LARGE = 1 << 24
_one_large = threading.Lock()

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_ORIENTATION = 0x0112  # EXIF tag
# Pillow reads the first digit of an orientation in XMP, which may be part of a longer, invalid value.
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:=["\']|>)(?![1-8]["\'<])')
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
    """Create a new lock in a forked process, where a lock held by another thread would never be released."""
    global _one_large
    _one_large = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_new_lock)


@functools.cache
def _formats() -> tuple[str, ...]:
    """Return those of `FORMATS` that this machine's Pillow supports."""
    Image.init()
    return tuple(kind for kind in FORMATS if kind in Image.OPEN)


@functools.cache
def suffixes() -> frozenset[str]:
    """Return the suffixes of image files, in lower case, with the dot."""
    kinds = _formats()
    known = Image.registered_extensions()
    return frozenset({".mpo"} | {suffix for suffix, kind in known.items() if kind in kinds})


def decode(encoded: bytes, name: str) -> np.ndarray:
    """Decode an image file to uint8 [H, W, 3], RGB, upright.

    Greyscale, palette, CMYK, high bit depth and transparent images are converted; the orientation recorded by
    the camera is applied if it can be read. A JPEG of more than `MOST_PIXELS` is decoded at half its size.

    Args:
        encoded: content of a file in one of `FORMATS`.
        name: name of the image, for error messages.

    Raises:
        DataError: if it is not a complete image, or is too large; the message begins with `name`.
    """
    with open_image(encoded, name) as image:
        return np.array(image)


def open_image(encoded: bytes, name: str) -> Image.Image:
    """Decode an image file as `decode` does, but to a Pillow image in mode RGB."""
    if not encoded:
        raise DataError(f"{name} is empty: expected an image.")
    try:
        return _read(encoded, name)
    except DataError:
        raise
    except MemoryError as error:
        raise DataError(f"{name} needs more memory to be decoded than there is.") from error
    except Exception as error:  # Pillow raises many types of exceptions on malicious files
        # Perhaps only the metadata is damaged, and perhaps not the part that states the orientation.
        for keep_orientation in (True, False):
            bare = without_metadata(encoded, keep_orientation=keep_orientation)
            if bare is not None:
                with suppress(Exception):
                    return _read(bare, name)
        raise _refusal(encoded, name, error) from error


def _refusal(encoded: bytes, name: str, error: Exception) -> DataError:
    if isinstance(error, UnidentifiedImageError):
        if encoded[:4] in _TIFF:
            return DataError(
                f"{name} is a TIFF with pixels that cannot be decoded: expected integers of 8 or 16 bits, or "
                "a single channel of 32-bit integers or floats."
            )
        return DataError(f"{name} is not an image: it begins with {bytes(encoded[:12])!r}.")
    if isinstance(error, Image.DecompressionBombError):
        return _too_large(name, "extremely")
    said = " ".join(str(error).split())[:200].rstrip(". ")
    return DataError(f"{name} cannot be decoded: {said or type(error).__name__}.")


def _too_large(name: str, claimed: str) -> DataError:
    return DataError(
        f"{name} claims to be {claimed} large: expected at most {MOST_PIXELS:,} pixels, or a JPEG of at most "
        f"{MOST_JPEG_PIXELS:,}, which is read at reduced size."
    )


def _read(encoded: bytes, name: str) -> Image.Image:
    with _open(encoded) as image:
        _fit(image, name)
        with _one_large if image.width * image.height > _LARGE else nullcontext():
            image.load()
            turned = _upright(image)
            turned = eight_bits(turned, image, name)
            if turned.mode != "RGB":
                turned = turned.convert("RGB")
            # Return a plain image that keeps neither the file nor its metadata.
            return turned.copy() if turned is image else turned


def _open(encoded: bytes) -> Image.Image:
    """Open the image without decoding it."""
    file = io.BytesIO(encoded)
    if encoded[:3] == b"\xff\xd8\xff":
        # Image.open has a lower limit than JPEGs that are decoded at reduced size.
        return JpegImagePlugin.jpeg_factory(file)
    return Image.open(file, formats=_formats())


def _fit(image: Image.Image, name: str) -> None:
    """Set up a large JPEG for decoding at reduced size.

    Raises:
        DataError: if it is too large even so, or too large and not a JPEG.
    """
    width, height = image.size
    if width * height <= MOST_PIXELS:
        return
    if isinstance(image, JpegImagePlugin.JpegImageFile) and width * height <= MOST_JPEG_PIXELS:
        image.draft(None, (width // 2, height // 2))
    if image.width * image.height > MOST_PIXELS:
        raise _too_large(name, f"{width} x {height} pixels")


def _upright(image: Image.Image) -> Image.Image:
    """Rotate or mirror `image` by its recorded orientation; unchanged if that cannot be read."""
    try:
        for key in ("xmp", "XML:com.adobe.xmp"):
            xmp = image.info.get(key, b"")
            if _XMP_ORIENTATION.search(xmp.encode() if isinstance(xmp, str) else xmp):
                del image.info[key]
        method = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # many types of exceptions on damaged metadata
        method = None
    return image if method is None else image.transpose(method)
