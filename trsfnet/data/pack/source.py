"""Read packs as sources."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from trsfnet.data.random_access import RandomAccessFile
from trsfnet.data.source import Source
from trsfnet.errors import DataError

FORMAT = "trsfnet pack 1"


class PackSource(Source):
    """The images of a pack.

    Opening a pack reads everything except the images. Damage to labels and offsets is detected then, damage
    to an image when it is decoded.

    Attributes:
        folder: folder of the pack.
        size: side of the images in pixels.
        skipped: a sentence for each image that was left out when the pack was made.
    """

    def __init__(self, folder: Path) -> None:
        """Open a pack.

        Raises:
            DataError: if one of its files is missing or damaged, or it has a different format.
        """
        self.folder = folder
        meta = read_meta(folder)
        self.size: int = meta["size"]
        self.identities = tuple(meta["identities"])
        self.skipped = tuple(meta["skipped"])
        self.labels = _read_array(folder / "labels.npy", meta)
        self._offsets = _read_array(folder / "offsets.npy", meta)
        self._version = hashlib.sha256(json.dumps(meta["sha256"], sort_keys=True).encode()).hexdigest()[:16]
        self._file = RandomAccessFile(folder / "images.bin")
        self._check()

    @property
    def version(self) -> str:
        """Hash of the images' content and labels, independent of the pack's location."""
        return f"pack-{self._version}"

    def file(self, index: int) -> Path:
        """Return the path of the file that contains all images."""
        return self.folder / "images.bin"

    def encoded(self, index: int) -> bytes:
        """Return the content of one JPEG."""
        start, end = (int(offset) for offset in self._offsets[index : index + 2])
        where = f"{self.folder / self.name(index)}"
        data = self._file.read(start, end - start, where)
        if len(data) < end - start:
            raise DataError(f"{where} is cut short: the file ends in it.")
        return data

    def name(self, index: int) -> str:
        """Return the image's file, number and byte offset."""
        return f"images.bin, image {index} at byte {self._offsets[index]}"

    def _check(self) -> None:
        """Raise `DataError` unless offsets, labels and images are consistent."""
        offsets, labels, folder = self._offsets, self.labels, self.folder
        if len(labels) == 0 or len(offsets) != len(labels) + 1:
            raise DataError(
                f"{folder / 'offsets.npy'} must have one entry more than labels.npy, which cannot be empty: "
                f"they have {len(offsets)} and {len(labels)}."
            )
        falling = np.flatnonzero(offsets[1:] <= offsets[:-1])
        if offsets[0] != 0 or len(falling):
            at = int(falling[0]) + 1 if offsets[0] == 0 else 0
            raise DataError(f"{folder / 'offsets.npy'} must rise from 0, but entry {at} is {offsets[at]}.")
        size = self._file.size
        if size != offsets[-1]:
            raise DataError(
                f"{folder / 'images.bin'} has {size} bytes where offsets.npy announces {offsets[-1]}: it is "
                "cut short or belongs to another pack."
            )
        outside = np.flatnonzero((labels < 0) | (labels >= len(self.identities)))
        if len(outside):
            raise DataError(
                f"{folder / 'labels.npy'}, entry {outside[0]}: the label {labels[outside[0]]} is outside of "
                f"the {len(self.identities)} identities in pack.json."
            )


def read_meta(folder: Path) -> dict[str, Any]:
    """Read `pack.json`.

    Raises:
        DataError: if it is missing, damaged or of a different format.
    """
    path = folder / "pack.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged: {error}.") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        found = meta.get("format") if isinstance(meta, dict) else meta
        raise DataError(f"{path} must be of the format {FORMAT!r}, got {str(found)[:40]!r}: pack it again.")
    size, digests = meta.get("size"), meta.get("sha256")
    sound = (
        isinstance(size, int)
        and size > 0
        and isinstance(digests, dict)
        and all(isinstance(digests.get(name), str) for name in ("images.bin", "labels.npy", "offsets.npy"))
        and all(
            isinstance(texts := meta.get(name), list) and all(isinstance(text, str) for text in texts)
            for name in ("identities", "skipped")
        )
    )
    if not sound:
        raise DataError(f"{path} is damaged: size, identities, skipped or sha256 is missing or malformed.")
    return meta


def _read_array(path: Path, meta: dict[str, Any]) -> np.ndarray:
    """Read an int64 array [K] from a file, checking its digest against `meta`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    if hashlib.sha256(data).hexdigest() != meta["sha256"][path.name]:
        raise DataError(f"{path} is damaged: it is not the file that pack.json describes.")
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # NumPy raises many types of exceptions on malicious files
        raise DataError(f"{path} is not a NumPy array.") from error
    if not isinstance(array, np.ndarray) or array.dtype != np.int64 or array.ndim != 1:
        raise DataError(f"{path} must hold a one-dimensional array of int64.")
    return array
