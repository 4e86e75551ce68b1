"""Index of a face pack's images and labels, read from the record headers and cached on disk.

MS1MV2 has 5.8 million records, of which only the first 36 bytes matter here. They are read once, and the
result is cached.

Packs have one of two layouts. In insightface's, record 0 has no image but two labels: the keys at which the
images and the identity records end. The images have the keys 1, 2, ..., followed by one record per identity,
whose labels are its first key and the key after its last. In the layout of MXNet's `im2rec`, every record is
an image.

Labels are float32, which is exact for integers only up to 2^24, and some packs have more records (Glint360K:
17 million). Therefore the end of the images is determined from the records themselves, as the last one with
an image, and every key stored as a label is compared as float32.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from trsfnet.data.cache import cache_root
from trsfnet.data.files import new_folder, stamp_of
from trsfnet.data.recordio.container import (
    CHUNK,
    HEADER,
    LENGTH_BITS,
    MARK,
    MAX_PAYLOAD,
    START,
    WHOLE,
    joined,
    padded,
    read_index,
    unpacked,
)
from trsfnet.errors import DataError

MAX_LABEL = 2**24 - 1
_BLOCK = 2**16


class PackIndex(NamedTuple):
    """The images of a pack, in ascending order of keys.

    Attributes:
        keys: int64 [N], keys of the records.
        offsets: int64 [N], byte offset of each record in the `.rec` file.
        spans: int64 [N], number of bytes of each record in the file, with headers and padding.
        labels: int64 [N], from 0 to `MAX_LABEL`.
    """

    keys: np.ndarray
    offsets: np.ndarray
    spans: np.ndarray
    labels: np.ndarray


def place(path: Path | str, key: int, offset: int) -> str:
    """Name a record for error messages."""
    return f"{path}, record {key} at byte {offset}"


def stamp(path: Path) -> str:
    """Return a value that changes when the pack does: names, sizes and times of its `.rec` and `.idx`.

    Raises:
        DataError: if the `.rec` file is missing, or one of them cannot be accessed.
    """
    index = path.with_suffix(".idx")
    try:
        states = [(file.name, file.stat()) for file in (path, index) if file == path or index.exists()]
    except OSError as error:
        raise DataError(f"Cannot read {error.filename}: {error.strerror}.") from error
    return ", ".join(f"{name} {stamp_of(state)}" for name, state in states)


def pack_index(path: Path) -> PackIndex:
    """Return the images of the pack at `path`, a `.rec` file with or without an `.idx` file next to it.

    Raises:
        DataError: if the `.rec` file is missing, either file is damaged, or they do not match; the message
            names the first record affected.
    """
    digest = hashlib.sha256(os.fsencode(f"1 {path.resolve()} {stamp(path)}")).hexdigest()[:16]
    stored = cache_root() / f"records-{digest}.npz"
    try:
        with np.load(stored, allow_pickle=False) as arrays:
            return PackIndex(*(arrays[name] for name in PackIndex._fields))
    except Exception:  # not there yet, or damaged in one of many possible ways
        index = _scan(path)
    # A cache that cannot be written costs only time.
    with contextlib.suppress(OSError), new_folder(stored.parent, ".index-") as aside:
        np.savez(aside / "index.npz", **index._asdict())
        os.replace(aside / "index.npz", stored)
    return index


@dataclass(frozen=True)
class _Places:
    """Keys and offsets of records, in the order of the file."""

    path: Path
    keys: np.ndarray
    offsets: np.ndarray

    def refuse(self, bad: np.ndarray, why: str) -> None:
        """Raise `DataError` for the first record where `bad` is true."""
        if bad.any():
            i = int(bad.argmax())
            raise DataError(f"{place(self.path, self.keys[i], self.offsets[i])} {why}.")


@dataclass(frozen=True)
class _Records(_Places):
    """Content of the headers: `labels` are float32 as stored, `filled` is True for records with an image."""

    spans: np.ndarray
    labels: np.ndarray
    filled: np.ndarray

    def take(self, which: np.ndarray | slice) -> _Records:
        """Return a selection of the records, or all in a different order."""
        arrays = (self.keys, self.offsets, self.spans, self.labels, self.filled)
        return _Records(self.path, *(array[which] for array in arrays))


def _scan(path: Path) -> PackIndex:
    records = _read_headers(_read_places(path))
    records = records.take(records.keys.argsort())
    images, people = records, records.take(slice(0))
    if records.keys[0] == 0 and not records.filled[0]:
        images, people = _split_at_end(records)
    images.refuse(~images.filled, "holds no image")
    labels = images.labels
    with np.errstate(invalid="ignore"):
        whole = (labels >= 0) & (labels <= MAX_LABEL) & (labels == np.floor(labels))
    if not whole.all():
        wrong = labels[whole.argmin()]
        images.refuse(~whole, f"has the label {wrong}, expected a whole number from 0 to {MAX_LABEL}")
    if len(people.keys):
        _check_people(images, people)
    return PackIndex(images.keys, images.offsets, images.spans, labels.astype(np.int64))


def _read_places(path: Path) -> _Places:
    index = path.with_suffix(".idx")
    keys, offsets = read_index(index) if index.exists() else _walk(path)
    order = offsets.argsort()
    places = _Places(path, keys[order], offsets[order])
    places.refuse(places.offsets % 4 != 0, "cannot be there: records begin at multiples of 4")
    size = path.stat().st_size
    outside = places.offsets > size - CHUNK.size - HEADER.size
    places.refuse(outside, f"is outside of the file, which has {size} bytes")
    return places


def _walk(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return keys and offsets of all records of a file without an index, from the records: int64 [N] each.

    The keys are those in the record headers, or 0, 1, 2, ... if they are not distinct or out of range.
    """
    keys: list[int] = []
    offsets: list[int] = []
    at = 0
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        with tqdm(
            total=size, desc=f"indexing {path.name}", unit="B", unit_scale=True, disable=None
        ) as progress:
            while at < size:
                payload, end = joined(data, at, f"{path}, record {len(offsets)} at byte {at}")
                offsets.append(at)
                keys.append(HEADER.unpack_from(payload)[2] if len(payload) >= HEADER.size else -1)
                progress.update(end - at)
                at = end
    if not offsets:
        raise DataError(f"{path} is empty: expected records.")
    if len(set(keys)) < len(keys) or not 0 <= min(keys) <= max(keys) < 2**63:
        keys = list(range(len(offsets)))
    return np.array(keys, np.int64), np.array(offsets, np.int64)


def _read_headers(places: _Places) -> _Records:
    """Read the records at all offsets, which must fill the file without gaps."""
    path, keys, offsets = places.path, places.keys, places.offsets
    progress = tqdm(total=len(keys), desc=f"indexing {path.name}", unit="record", disable=None)
    blocks = []
    try:
        with path.open("rb") as file, progress:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            for start in range(0, len(keys), _BLOCK):
                block = slice(start, start + _BLOCK)
                blocks.append(_read_block(data, _Places(path, keys[block], offsets[block])))
                progress.update(len(blocks[-1][0]))
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    ends, labels, filled = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
    places.refuse(ends > len(data), f"is cut short: the file ends at byte {len(data)}")
    following = np.append(offsets[1:], len(data))
    places.refuse(ends > following, "runs into the next: its length or an offset in the .idx is wrong")
    places.refuse(ends < following, "is followed by bytes that the .idx does not list")
    return _Records(path, keys, offsets, ends - offsets, labels, filled)


def _read_block(data: mmap.mmap, places: _Places) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read each record's end (int64), label (float32) and whether it has an image (bool) from its header."""
    words = np.frombuffer(data, "<u4", count=len(data) // 4)
    starts = places.offsets // 4
    mark, kind, length = words[starts], words[starts + 1] >> LENGTH_BITS, words[starts + 1] & MAX_PAYLOAD
    places.refuse((mark != MARK) | (kind > START), "is damaged or not there: no record begins at that byte")
    body = CHUNK.size // 4
    count, label = words[starts + body].astype(np.int64), words[starts + body + 1]
    listed = words[np.minimum(starts + body + HEADER.size // 4, len(words) - 1)]
    image = HEADER.size + 4 * count
    length = length.astype(np.int64)
    ends = places.offsets + CHUNK.size + padded(length)
    whole = kind == WHOLE
    places.refuse(whole & (image > length), "is damaged: it is too short for its header and labels")
    labels = np.where(count > 0, listed, label).view("<f4").astype(np.float32)
    filled = image < length
    for i in np.flatnonzero(~whole):
        name = place(places.path, places.keys[i], places.offsets[i])
        payload, ends[i] = joined(data, int(places.offsets[i]), name)
        labels[i], encoded = unpacked(payload, name)
        filled[i] = len(encoded) > 0
    return ends, labels, filled


def _split_at_end(records: _Records) -> tuple[_Records, _Records]:
    """Split the records into images and identity records, at the key that record 0 states."""
    last = int(np.flatnonzero(records.filled).max(initial=0))
    if last == 0:
        raise DataError(f"{records.path} holds no image.")
    images, people = records.take(slice(1, last + 1)), records.take(slice(last + 1, None))
    gap = images.keys != np.arange(1, last + 1)
    if gap.any():
        raise DataError(
            f"{records.path.with_suffix('.idx')} does not list the image record {gap.argmax() + 1}."
        )
    end = records.labels[0]
    if end != np.float32(last + 1):
        records.refuse(
            records.keys == 0, f"says that images end before key {end}, but record {last} is the last"
        )
    return images, people


def _check_people(images: _Records, people: _Records) -> None:
    """Check that labels and identity records begin new people at the same keys; a mismatch reveals damage."""
    begins = images.keys[np.append(True, images.labels[1:] != images.labels[:-1])]
    claimed = np.sort(people.labels)
    both = min(len(begins), len(claimed))
    differ = begins[:both].astype(np.float32) != claimed[:both]
    if differ.any():
        i = int(differ.argmax())
        images.refuse(
            images.keys == begins[i],
            f"begins person {i + 1} by its label, but by the identity records record {claimed[i]:.0f} does",
        )
    if len(begins) != len(claimed):
        raise DataError(
            f"{images.path} has {len(begins)} people by its labels, but {len(claimed)} identity records."
        )
