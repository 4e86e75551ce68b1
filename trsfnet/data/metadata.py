"""Remove metadata from encoded images: comments, colour profiles and camera data.

Some programs write damaged metadata into intact images, which makes decoders fail.

Sources: the PNG specification (third edition), ITU-T T.81 (JPEG), RFC 9649 (WebP).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
# Segments that define how colours are stored (APP0, APP14), EXIF or XMP (APP1), the last application segment,
# comments, and the start of a scan.
_APP0, _APP1, _APP14, _APP15, _COMMENT, _SCAN = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE, 0xDA
# Chunks with EXIF or XMP, which may state the orientation.
_PNG_ORIENTATION = (
    *(b"eXIf", b"iTXtXML:com.adobe.xmp\0"),
    *(kind + b"Raw profile type exif\0" for kind in (b"tEXt", b"zTXt", b"iTXt")),
)
_WEBP_METADATA = (b"EXIF", b"XMP ", b"ICCP")
_WEBP_FLAGS = 0x20 | 0x08 | 0x04  # in VP8X: profile, EXIF and XMP present


def without_metadata(encoded: bytes, *, keep_orientation: bool) -> bytes | None:
    """Return a PNG, JPEG or WebP without metadata; None for other formats, or if there is none.

    Args:
        encoded: content of the file.
        keep_orientation: keep EXIF and XMP of a PNG or JPEG, which may state the orientation. Those of a WebP
            are always removed, since a decoder fails on no other metadata in it.
    """
    if encoded.startswith(_PNG):
        bare = _PNG + b"".join(_png_chunks(encoded, keep_orientation))
    elif encoded.startswith(_JPEG):
        bare = _JPEG + b"".join(_jpeg_segments(encoded, keep_orientation))
    elif encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP":
        body = b"WEBP" + b"".join(_webp_chunks(encoded))
        bare = b"RIFF" + struct.pack("<I", len(body)) + body
    else:
        return None
    return bare if len(bare) < len(encoded) else None


def _png_chunks(encoded: bytes, keep_orientation: bool) -> Iterator[bytes]:
    """Yield the critical chunks: those whose type begins with a capital letter."""
    at = len(_PNG)
    while at < len(encoded):
        end = at + 12 + int.from_bytes(encoded[at : at + 4], "big")
        kept = keep_orientation and encoded.startswith(_PNG_ORIENTATION, at + 4)
        if kept or encoded[at + 4 : at + 5].isupper():
            yield encoded[at:end]
        at = end


def _jpeg_segments(encoded: bytes, keep_orientation: bool) -> Iterator[bytes]:
    """Yield all segments except application segments and comments up to the first scan, then the rest."""
    at = len(_JPEG)
    while at + 4 <= len(encoded) and encoded[at] == 0xFF and encoded[at + 1] != _SCAN:
        kind = encoded[at + 1]
        end = at + 2 + int.from_bytes(encoded[at + 2 : at + 4], "big")
        segment = encoded[at:end]
        sound = {_APP0: len(segment) >= 16, _APP1: keep_orientation, _APP14: len(segment) >= 14}
        if sound.get(kind, not (_APP0 < kind <= _APP15 or kind == _COMMENT)):
            yield segment
        at = end
    yield encoded[at:]


def _webp_chunks(encoded: bytes) -> Iterator[bytes]:
    at = 12
    while at + 8 <= len(encoded):
        kind, size = encoded[at : at + 4], int.from_bytes(encoded[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        chunk = encoded[at:end]
        if kind == b"VP8X" and size:
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_FLAGS]) + chunk[9:]
        if kind not in _WEBP_METADATA:
            yield chunk
        at = end
