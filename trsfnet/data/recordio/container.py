"""The RecordIO container: records split into chunks in a `.rec` file, and their offsets in an `.idx` file.

A chunk consists of a magic number (the mark), a word whose upper 3 bits are its kind and whose lower 29 bits
are its length, and that many bytes, padded to a multiple of 4. No payload contains the mark at a multiple of
4 bytes: the writer splits the record there and drops the mark, and the reader joins the parts with it. A
reader that has lost its position can therefore find the next record.

The payload of an image record is a header (number of labels, label, key, 0), further float32 labels if the
header counts any, and the encoded image. All numbers are little-endian. Source: `python/mxnet/recordio.py` of
apache/mxnet and `src/recordio.cc` of dmlc/dmlc-core.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from mmap import mmap
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa
from pyarrow import csv

from trsfnet.data.arrow import arrow_file
from trsfnet.errors import DataError

MARK = 0xCED7230A
LENGTH_BITS = 29
MAX_PAYLOAD = 2**LENGTH_BITS - 1
WHOLE, START, MIDDLE, END = range(4)
CHUNK = struct.Struct("<II")
HEADER = struct.Struct("<IfQQ")
_MARK_BYTES = struct.pack("<I", MARK)


@overload
def padded(length: int) -> int: ...
@overload
def padded(length: np.ndarray) -> np.ndarray: ...
def padded(length: int | np.ndarray) -> int | np.ndarray:
    """Round `length` up to a multiple of 4."""
    return (length + 3) // 4 * 4


def chunked(payload: bytes) -> bytes:
    """Encode a record as in the file: its chunks with headers and padding.

    Raises:
        DataError: if it is 512 MiB or longer, which the format cannot represent.
    """
    if len(payload) > MAX_PAYLOAD:
        raise DataError(f"A RecordIO record holds at most {MAX_PAYLOAD} bytes, got {len(payload)}.")
    parts, start, at = [], 0, payload.find(_MARK_BYTES)
    while at >= 0:
        if at % 4 == 0:
            parts.append(payload[start:at])
            start = at + 4
        # Marks do not overlap: after one mark, the search continues behind it.
        at = payload.find(_MARK_BYTES, at + 4 if at % 4 == 0 else at + 1)
    parts.append(payload[start:])
    kinds = [WHOLE] if len(parts) == 1 else [START, *[MIDDLE] * (len(parts) - 2), END]
    return b"".join(
        CHUNK.pack(MARK, kind << LENGTH_BITS | len(part)) + part.ljust(padded(len(part)), b"\0")
        for kind, part in zip(kinds, parts, strict=True)
    )


def joined(data: bytes | mmap, start: int, place: str) -> tuple[bytes, int]:
    """Return the payload of the record whose first chunk begins at `start`, and the end of its last chunk.

    Args:
        data: the file, or a part of it.
        start: a byte offset in `data`.
        place: the file and the record, for error messages.

    Raises:
        DataError: if there is no record, or its end is missing; the message begins with `place`.
    """
    parts: list[bytes] = []
    at, size = start, 0
    while True:
        if at + CHUNK.size > len(data):
            raise DataError(f"{place} is cut short: its part {len(parts) + 1} is missing.")
        mark, word = CHUNK.unpack_from(data, at)
        kind, length = word >> LENGTH_BITS, word & MAX_PAYLOAD
        if mark != MARK or kind not in ((MIDDLE, END) if parts else (WHOLE, START)):
            raise DataError(
                f"{place} is damaged: no part {len(parts) + 1} of a record begins where it should."
            )
        body = at + CHUNK.size
        at = body + padded(length)
        if at > len(data):
            raise DataError(f"{place} is cut short: its part {len(parts) + 1} should have {length} bytes.")
        size += length + len(_MARK_BYTES) * bool(parts)
        if size > MAX_PAYLOAD:
            raise DataError(f"{place} is damaged: its parts make more than {MAX_PAYLOAD} bytes.")
        parts.append(data[body : body + length])
        if kind in (WHOLE, END):
            return _MARK_BYTES.join(parts), at


def packed(key: int, label: float | Sequence[float], image: bytes) -> bytes:
    """Build the payload of a record: a single `label` goes into the header, a sequence after it."""
    if isinstance(label, Sequence):
        labels = np.array(label, dtype="<f4").tobytes()
        return HEADER.pack(len(label), 0, key, 0) + labels + image
    return HEADER.pack(0, label, key, 0) + image


def unpacked(payload: bytes, place: str) -> tuple[float, bytes]:
    """Return the (first) label of a record and its encoded image, which may be empty.

    Raises:
        DataError: if the payload is shorter than its header states; the message begins with `place`.
    """
    if len(payload) < HEADER.size:
        raise DataError(f"{place} is damaged: {len(payload)} bytes are too few for a record's header.")
    count, label, _, _ = HEADER.unpack_from(payload)
    image = HEADER.size + 4 * count
    if image > len(payload):
        raise DataError(f"{place} is damaged: {len(payload)} bytes are too few for {count} labels.")
    if count:
        (label,) = struct.unpack_from("<f", payload, HEADER.size)
    return label, payload[image:]


def read_index(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the keys and byte offsets listed in an `.idx` file: int64 [N] each, in the order of the lines.

    Raises:
        DataError: if the file cannot be read or is empty; a line is not a key, a tab and an offset, both
            non-negative integers; or a key or an offset occurs twice.
    """
    integers = {"key": pa.int64(), "offset": pa.int64()}
    try:
        table = csv.read_csv(
            arrow_file(path),
            # With several threads, an error in a later block can hide one in an earlier block.
            read_options=csv.ReadOptions(column_names=list(integers), use_threads=False),
            parse_options=csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(column_types=integers, null_values=[]),
        )
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}.") from error
    except pa.ArrowInvalid as error:
        raise DataError(_bad_line(path)) from error
    keys, offsets = table["key"].to_numpy(), table["offset"].to_numpy()
    for what, values in (("key", keys), ("offset", offsets)):
        if values.min() < 0:
            line = int(values.argmin())
            raise DataError(f"{path}, line {line + 1}: the {what} {values[line]} is negative.")
        order = values.argsort(kind="stable")
        twice = np.flatnonzero(np.diff(values[order]) == 0)
        if len(twice):
            first, second = order[twice[0]], order[twice[0] + 1]
            raise DataError(
                f"{path}, line {second + 1}: the {what} {values[second]} is already in line {first + 1}."
            )
    return keys, offsets


def _bad_line(path: Path) -> str:
    """Return the error message for the first line that does not contain two integers."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(100), b""), start=1):
            fields = line.rstrip(b"\r\n").split(b"\t")
            if len(fields) != 2 or not all(f.isdigit() and len(f) < 19 for f in fields):
                return f"{path}, line {number}: expected a key, a tab and a byte offset, got {line[:40]!r}."
    return f"{path} is empty: expected lines of a key, a tab and a byte offset."
