"""The pairs that a model gets wrong most clearly, by the names of their images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trsfnet.data.source import Source
from trsfnet.evaluation.distances import unit_rows

# Rows of the matrix of all similarities at a time.
_BLOCK = 1024


@dataclass(frozen=True)
class NamedPair:
    """A pair of images, or of templates.

    Attributes:
        left: name of one.
        right: name of the other.
        same: whether both show one person.
        similarity: the higher, the likelier one person, in the protocol's own measure.
    """

    left: str
    right: str
    same: bool
    similarity: float

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def worst_pairs(
    similarity: np.ndarray, same: np.ndarray, names: Callable[[int], tuple[str, str]], count: int
) -> list[NamedPair]:
    """The least similar pairs of one person and the most similar of two, the worst of each kind first.

    Args:
        similarity: [P], see `NamedPair`.
        same: bool [P].
        names: of both sides of a pair, by its number.
        count: how many of each kind.
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
    """As `worst_pairs`, of all pairs of images, by their cosines.

    Args:
        embeddings: float [N, D], any norm.
        labels: int [N], person of each.
        names: of an image, by its number.
        count: how many of each kind.
    """
    candidates = list(_candidates(unit_rows(embeddings), labels, count))
    left, right, cosine, same = (np.concatenate(part) for part in zip(*candidates, strict=True))
    return worst_pairs(cosine, same, lambda i: (names(int(left[i])), names(int(right[i]))), count)


def _candidates(unit: np.ndarray, labels: np.ndarray, count: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Of each block of rows the worst pairs of each kind: left, right, cosine, same."""
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
    """The names of the images of a pair, by its number, where `left` and `right` index `source`."""
    return lambda pair: (source.name(int(left[pair])), source.name(int(right[pair])))
