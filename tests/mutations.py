"""Accidents that happen to files: the same ones for the same seed.

Most of them know nothing of the file. The others know that many files are made of words, numbers and lines:
what comes of it is still a file of its kind, and gets past the first look that a reader takes.
"""

from __future__ import annotations

import random
import re
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
# What may stand where a number, a word or a text in quotation marks stood.
_VALUES = (
    *(b"0", b"-1", b"1.5", b"1e999", b"NaN", b"9223372036854775808", b"1" + b"0" * 30),
    *(b"null", b"true", b"[]", b"{}", b'""', b'"x"', b"[[[[]]]]", b"'", b"\xc3\xa9", b"x" * 300),
)
_TOKEN = re.compile(rb'"[^"\n]*"|[-+.\w]+')


def damaged(content: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """`content` after one to four accidents, some of them with pieces of `others`."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randint(0, len(data)), rng.randrange(12)
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
        elif kind < 10:
            _replace_token(data, at, rng, others)
        else:
            _move_line(data, at, rng)
    return bytes(data)


def _replace_token(data: bytearray, at: int, rng: random.Random, others: list[bytes]) -> None:
    """Another value where the next number, word or quoted text is: an odd one, or one of `others`."""
    token = _TOKEN.search(data, at)
    if token is None:
        return
    value: bytes = rng.choice(_VALUES)
    if rng.random() < 0.5:
        other = rng.choice(others)
        found = _TOKEN.search(other, rng.randint(0, len(other)))
        value = found[0] if found else value
    data[token.start() : token.end()] = value


def _move_line(data: bytearray, at: int, rng: random.Random) -> None:
    """Take the line at `at` out, or leave it, and put it in elsewhere, or nowhere."""
    start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at) + 1 or len(data)
    line = data[start:end]
    if rng.random() < 0.6:
        del data[start:end]
    if rng.random() < 0.6:
        place = data.find(b"\n", rng.randint(0, len(data))) + 1
        data[place:place] = line
