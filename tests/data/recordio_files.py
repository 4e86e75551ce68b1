"""Face packs put together by hand, byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from tests.data.memory import encoded
from trsfnet.data.source import Source

MARK = 0xCED7230A


def png(seed: int) -> bytes:
    return encoded(np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8))


def chunk(payload: bytes, kind: int = 0) -> bytes:
    return struct.pack("<II", MARK, kind << 29 | len(payload)) + payload + b"\0" * (-len(payload) % 4)


def record(label: float, image: bytes = b"", *more: float, key: int = 0) -> bytes:
    """A record with one label, or with an array of `label` and `more`."""
    if not more:
        return chunk(struct.pack("<IfQQ", 0, label, key, 0) + image)
    labels = struct.pack(f"<{1 + len(more)}f", label, *more)
    return chunk(struct.pack("<IfQQ", 1 + len(more), 0.0, key, 0) + labels + image)


def save(folder: Path, records: dict[int, bytes], people: str | None = None) -> Path:
    """A pack of ready-made records, in the order given."""
    offset, index = 0, ""
    for key, data in records.items():
        index += f"{key}\t{offset}\n"
        offset += len(data)
    (folder / "train.idx").write_text(index)
    (folder / "train.rec").write_bytes(b"".join(records.values()))
    if people is not None:
        (folder / "property").write_text(people)
    return folder


def content(source: Source) -> list[tuple[bytes, str]]:
    return [(source.encoded(i), source.identities[label]) for i, label in enumerate(source.labels)]


# In insightface's order: record 0 between the images and the identity records.
INSIGHTFACE = {
    1: record(0.0, b"one", 1.0),
    2: record(0.0, b"second"),
    3: record(1.0, b"third"),
    0: record(4.0, b"", 6.0),
    4: record(1.0, b"", 3.0),
    5: record(3.0, b"", 4.0),
}
IM2REC = {5: record(1.0, b"five"), 2: record(0.0, b"two"), 2**24 + 1: record(0.0, b"large")}
