"""From embeddings to distances and scores of pairs."""

from __future__ import annotations

import numpy as np

from trsfnet.errors import choice

DISTANCES = ("euclidean", "cosine")


def unit_rows(embeddings: np.ndarray) -> np.ndarray:
    """`embeddings` [N, D] with rows of unit length; a row of zeros, which has no direction, stays one."""
    return embeddings / _lengths(embeddings)[:, None]


def _lengths(rows: np.ndarray) -> np.ndarray:
    """Length of each row, 1 for a row of zeros."""
    lengths = np.linalg.norm(rows, axis=1)
    return np.where(lengths == 0, np.ones_like(lengths), lengths)


def score_pairs(embeddings: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Cosine similarity of the pairs (left[i], right[i]) of rows of `embeddings` [N, D]: float32 [P]."""
    unit = unit_rows(embeddings)
    return np.asarray(np.sum(unit[left] * unit[right], axis=1, dtype=np.float32))


def pair_distances(left: np.ndarray, right: np.ndarray, distance: str) -> np.ndarray:
    """Distance of each pair of rows.

    Args:
        left: [P, D] embeddings.
        right: [P, D] embeddings.
        distance: `euclidean` (squared; facenet's metric 0) or `cosine` (angle over pi; its metric 1).

    Returns:
        [P] distances, 0 for equal directions; by angle, a row of zeros is at right angles to all.
    """
    choice("distance", distance, DISTANCES)
    if distance == "euclidean":
        return np.sum(np.square(left - right), axis=1)
    norms = _lengths(left) * _lengths(right)
    # Rounding can leave a cosine just above 1, whose arccos facenet lets become NaN.
    return np.arccos(np.clip(np.sum(left * right, axis=1) / norms, -1, 1)) / np.pi


def fold_distances(
    left: np.ndarray, right: np.ndarray, fold: np.ndarray, *, distance: str, subtract_mean: bool
) -> np.ndarray:
    """Distances of pairs as `TenFoldScores` takes them.

    Args:
        left: [P, D] embeddings.
        right: [P, D] embeddings.
        fold: int [P], fold of each pair, from 0.
        distance: `euclidean` or `cosine`.
        subtract_mean: for each fold, subtract the mean embedding of the other folds before measuring.
    """
    if not subtract_mean:
        return pair_distances(left, right, distance)
    rows = []
    for number in range(int(fold.max()) + 1):
        train = fold != number
        mean = np.mean(np.concatenate([left[train], right[train]]), axis=0)
        rows.append(pair_distances(left - mean, right - mean, distance))
    return np.stack(rows)
