"""Verification sets as insightface's tools write them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from trsfnet.data.faces import Pairs
from trsfnet.data.source import Source


def write_verification_bin(path: Path, source: Source, pairs: Pairs) -> None:
    """Write pairs of a source's images; the format has no folds."""
    places = np.stack([pairs.left, pairs.right], axis=1).ravel()
    images = [source.encoded(index) for index in places.tolist()]
    path.write_bytes(pickle.dumps((images, pairs.same.tolist()), protocol=4))
