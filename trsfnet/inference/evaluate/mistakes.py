"""The pairs that a model gets most clearly wrong, with the names of their images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trsfnet.data.source import Source
from trsfnet.evaluation.distances import unit_rows

# Number of rows of the similarity matrix computed at a time.
_BLOCK = 1024


@dataclass(frozen=True)
class NamedPair:
    """A pair of images or templates.

    Attributes:
        left: name of the first.
        right: name of the second.
        same: True if both show the same person.
        similarity: similarity in the protocol's own measure; higher means more likely the same person.
    """

    left: str
    right: str
    same: bool
    similarity: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def worst_pairs(
    similarity: np.ndarray, same: np.ndarray, names: Callable[[int], tuple[str, str]], count: int
) -> list[NamedPair]:
    """Find the least similar same-person pairs, then the most similar different-person pairs, worst first.

    Args:
        similarity: [P], see `NamedPair`.
        same: bool [P], True for same-person pairs.
        names: maps the index of a pair to the names of its two sides.
        count: number of pairs of each kind.
    """
    found = []
    for kind, wrongness in ((True, -similarity), (False, similarity)):
        rows = np.flatnonzero(same == kind)
        rows = rows[np.argsort(-wrongness[rows], kind="stable")[:count]]
        found += [NamedPair(*names(int(row)), kind, float(similarity[row])) for row in rows]
    return found


def worst_of_all_pairs(
    embeddings: np.ndarray, labels: np.ndarray, names: Callable[[int], str], count: int
) -> list[NamedPair]:
    """Find the worst pairs, as `worst_pairs` does, among all pairs of images, compared by cosine.

    Args:
        embeddings: float [N, D], of any norm.
        labels: int [N], person of each image.
        names: maps the index of an image to its name.
        count: number of pairs of each kind.
    """
    candidates = list(_candidates(unit_rows(embeddings), labels, count))
    left, right, cosine, same = (np.concatenate(part) for part in zip(*candidates, strict=True))
    return worst_pairs(cosine, same, lambda i: (names(int(left[i])), names(int(right[i]))), count)


def _candidates(unit: np.ndarray, labels: np.ndarray, count: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield left, right, cosine and same of the worst pairs of each kind in each block of rows."""
    for start in range(0, len(unit), _BLOCK):
        cosines = unit[start : start + _BLOCK] @ unit[start:].T
        row, column = np.nonzero(np.triu(np.ones(cosines.shape, dtype=bool), 1))
        cosine = cosines[row, column]
        same = labels[start + row] == labels[start + column]
        for kind, wrongness in ((True, -cosine), (False, cosine)):
            of_kind = np.flatnonzero(same == kind)
            if len(of_kind) > count:
                of_kind = of_kind[np.argpartition(-wrongness[of_kind], count)[:count]]
            yield start + row[of_kind], start + column[of_kind], cosine[of_kind], same[of_kind]


def image_names(source: Source, left: np.ndarray, right: np.ndarray) -> Callable[[int], tuple[str, str]]:
    """Return a function from the index of a pair to its image names; `left` and `right` index `source`."""
    return lambda pair: (source.name(int(left[pair])), source.name(int(right[pair])))
