"""What every source gives: decoded face crops with identities, and pairs to verify."""

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
        version: that of the source of `images`, where they are decoded only when asked for; else None.
    """

    images: np.ndarray | LazyImages
    labels: np.ndarray
    identities: tuple[str, ...]
    version: str | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of pixels, labels and names: two runs with the same one saw the same faces.

        The version stands for the pixels where there is one: hashing them would decode them all.
        """
        digest = hashlib.sha256(repr((self.images.shape, self.identities)).encode())
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8"))
        digest.update(np.ascontiguousarray(self.images) if self.version is None else self.version.encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Pairs:
    """Verification pairs over a `FaceSet`, in the order of their folds.

    Attributes:
        left: int64 [P], index of one image.
        right: int64 [P], index of the other.
        same: bool [P], whether both show one person.
        folds: int64 [P], fold of each pair, 0 first; no person appears in two folds of LFW's own.
    """

    left: np.ndarray
    right: np.ndarray
    same: np.ndarray
    folds: np.ndarray


@dataclass(frozen=True)
class TrackData:
    """The faces of one track.

    Attributes:
        train: what the network learns from.
        test: faces of people who are not in `train`.
        pairs: pairs of `test` in LFW's ten-fold protocol, or None to verify all pairs of `test`.
        all_pairs: whether all pairs of `test` are verified in addition to `pairs`.
        held_out: other images of the people in `train`, or None.
    """

    train: FaceSet
    test: FaceSet
    pairs: Pairs | None
    all_pairs: bool = False
    held_out: FaceSet | None = None
