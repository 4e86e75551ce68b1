"""Several sources of images as one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from trsfnet.data.source import Source


class JoinedSource(Source):
    """The images of several sources, one source after the other; their names must differ."""

    def __init__(self, *parts: Source, passed_over: Mapping[str, int]) -> None:
        """Join sources; equal names of identities mean the same person.

        Args:
            parts: the sources.
            passed_over: see `Source`.
        """
        self._parts, self.passed_over = parts, passed_over
        self._starts = np.cumsum([0, *map(len, parts)])
        names = [name for part in parts for name in part.identities]
        self.identities = tuple(dict.fromkeys(names))
        place = {name: label for label, name in enumerate(self.identities)}
        labels = [
            np.array([place[name] for name in part.identities], np.int64)[part.labels] for part in parts
        ]
        self.labels = np.concatenate(labels)
        self.left_out = {name: why for part in parts for name, why in part.left_out.items()}

    @property
    def version(self) -> str:
        """Hash of the versions of all parts."""
        versions = " ".join(part.version for part in self._parts)
        return f"joined-{hashlib.sha256(versions.encode()).hexdigest()[:16]}"

    def name(self, index: int) -> str:
        """Return the image's name in its part."""
        part, row = self._place(index)
        return part.name(row)

    def file(self, index: int) -> Path | None:
        """Return the path of the image's file."""
        part, row = self._place(index)
        return part.file(row)

    def encoded(self, index: int) -> bytes:
        """Return the content of the image."""
        part, row = self._place(index)
        return part.encoded(row)

    def _place(self, index: int) -> tuple[Source, int]:
        """Return the part that contains an image, and the image's index in it."""
        which = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self._parts[which], index - int(self._starts[which])
