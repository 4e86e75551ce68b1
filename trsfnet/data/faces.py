"""The data that sources provide: decoded face crops with identities, and verification pairs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trsfnet.data.lazy import LazyImages


@dataclass(frozen=True)
class FaceSet:
    """Face crops of one size with their identities.

    Attributes:
        images: uint8 [N, size, size, 3], RGB.
        labels: int64 [N], index into `identities`.
        identities: name of each label.
        version: version of the images' source if they are decoded on demand; otherwise None.
    """

    images: np.ndarray | LazyImages
    labels: np.ndarray
    identities: tuple[str, ...]
    version: str | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of pixels, labels and names: runs with equal fingerprints used the same faces.

        If there is a version, it replaces the pixels, because hashing them would decode all images.
        """
        digest = hashlib.sha256(repr((self.images.shape, self.identities)).encode())
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8"))
        digest.update(np.ascontiguousarray(self.images) if self.version is None else self.version.encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Pairs:
    """Verification pairs over a `FaceSet`, ordered by fold.

    Attributes:
        left: int64 [P], index of the first image.
        right: int64 [P], index of the second image.
        same: bool [P], True if both show the same person.
        folds: int64 [P], fold of each pair, counted from 0; in LFW's own folds, no person appears in two.
    """

    left: np.ndarray
    right: np.ndarray
    same: np.ndarray
    folds: np.ndarray


@dataclass(frozen=True)
class TrackData:
    """The faces of one track.

    Attributes:
        train: training faces.
        test: faces of people who are not in `train`.
        pairs: pairs of `test` in LFW's ten-fold protocol, or None to verify all pairs of `test`.
        all_pairs: verify all pairs of `test` in addition to `pairs`.
        held_out: other images of the people in `train`, or None.
    """

    train: FaceSet
    test: FaceSet
    pairs: Pairs | None
    all_pairs: bool = False
    held_out: FaceSet | None = None
