"""Distances and similarity scores of pairs of embeddings."""

from __future__ import annotations

import numpy as np

from trsfnet.errors import choice

DISTANCES = ("euclidean", "cosine")


def unit_rows(embeddings: np.ndarray) -> np.ndarray:
    """Scale the rows of `embeddings` [N, D] to unit length; rows of zeros are left unchanged."""
    return embeddings / _lengths(embeddings)[:, None]


def _lengths(rows: np.ndarray) -> np.ndarray:
    """Return the length of each row, with 1 for rows of zeros."""
    lengths = np.linalg.norm(rows, axis=1)
    return np.where(lengths == 0, np.ones_like(lengths), lengths)


def score_pairs(embeddings: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the cosine similarity of rows left[i] and right[i] of `embeddings` [N, D] as float32 [P]."""
    unit = unit_rows(embeddings)
    return np.asarray(np.sum(unit[left] * unit[right], axis=1, dtype=np.float32))


def pair_distances(left: np.ndarray, right: np.ndarray, distance: str) -> np.ndarray:
    """Compute the distance of each pair of rows.

    Args:
        left: [P, D] embeddings.
        right: [P, D] embeddings.
        distance: `euclidean` (squared; facenet's metric 0) or `cosine` (angle divided by pi; its metric 1).

    Returns:
        [P] distances, 0 for identical rows (for `cosine`, rows of equal direction). For `cosine`, a row of
        zeros counts as orthogonal to every other row.
    """
    choice("distance", distance, DISTANCES)
    if distance == "euclidean":
        return np.sum(np.square(left - right), axis=1)
    norms = _lengths(left) * _lengths(right)
    # Rounding can push a cosine just above 1; facenet's arccos then returns NaN.
    return np.arccos(np.clip(np.sum(left * right, axis=1) / norms, -1, 1)) / np.pi


def fold_distances(
    left: np.ndarray, right: np.ndarray, fold: np.ndarray, *, distance: str, subtract_mean: bool
) -> np.ndarray:
    """Compute the distances of pairs in the form that `TenFoldScores` expects.

    Args:
        left: [P, D] embeddings.
        right: [P, D] embeddings.
        fold: int [P], fold of each pair, counted from 0.
        distance: `euclidean` or `cosine`.
        subtract_mean: for each fold, subtract the mean embedding of the other folds before measuring.

    Returns:
        [P], or [folds, P] with `subtract_mean`.
    """
    if not subtract_mean:
        return pair_distances(left, right, distance)
    rows = []
    for number in range(int(fold.max()) + 1):
        train = fold != number
        mean = np.mean(np.concatenate([left[train], right[train]]), axis=0)
        rows.append(pair_distances(left - mean, right - mean, distance))
    return np.stack(rows)
