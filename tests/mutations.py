"""Accidents that happen to files: the same ones for the same seed."""

from __future__ import annotations

import random
import struct

_EDGES = (0, 1, 2**24, 2**29, 2**31 - 1, 2**31, 2**32 - 4, 2**32 - 1, 0x7FC00000, 0x7F800000)
_WORDS = (
    b"\0",
    b"\n",
    b"\t",
    b" ",
    b",",
    b'"',
    b"-1",
    b"0",
    b"1e999",
    b"nan",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"../",
)


def damaged(content: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """`content` after one to four accidents, some of them with pieces of `others`."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randint(0, len(data)), rng.randrange(8)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            del data[at : at + rng.randint(1, 40)]
        elif kind == 3:
            data[at:at] = data[at : at + rng.randint(1, 40)]
        elif kind == 4:
            data[at:at] = rng.randbytes(rng.randint(1, 8))
        elif kind == 5:
            data[at // 4 * 4 : at // 4 * 4 + 4] = struct.pack("<I", rng.choice(_EDGES))
        elif kind == 6:
            data[at:at] = rng.choice(_WORDS)
        elif kind == 7:
            other = rng.choice(others)
            start = rng.randint(0, len(other))
            data[at : at + rng.randint(0, 20)] = other[start : start + rng.randint(1, 60)]
    return bytes(data)
