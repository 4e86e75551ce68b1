"""Saved scores, analysed again without the model.

`read_scores` turns the columns of a record's `scores.parquet` back into what its numbers were computed from:
every number follows from `metrics`, intervals and paired comparisons from `trsfnet.evaluation.bootstrap`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from trsfnet.errors import DataError
from trsfnet.evaluation.bootstrap import Scores
from trsfnet.evaluation.lfw_protocol import TenFoldScores
from trsfnet.evaluation.verification import AllPairsScores

_PERSONS = ("left_person", "right_person")


def read_scores(columns: Mapping[str, np.ndarray], *, impostor_pairs: int | None = None) -> Scores:
    """What the numbers of an evaluation are computed from, out of its saved scores.

    Args:
        columns: those of `Evaluation.scores`, as `scores.parquet` holds them; a data frame will do.
        impostor_pairs: number of different-person pairs in all, which the details of an all-pairs
            evaluation state and its scores, being only the highest, cannot.

    Raises:
        DataError: columns are missing or of different lengths, or `impostor_pairs` is needed.
    """
    columns = {name: np.asarray(column) for name, column in columns.items()}
    ten_fold = "fold" in columns
    needed = ("score", "same", *(("left", "right") if ten_fold else _PERSONS))
    missing = [name for name in needed if name not in columns]
    if missing:
        raise DataError(f"The saved scores lack the columns {', '.join(missing)}; they have {list(columns)}.")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"The columns of saved scores must have one length, got {lengths}.")
    score, same = columns["score"], columns["same"].astype(bool)
    if ten_fold:
        # Squared distances of unit vectors, which rounding may not leave below zero.
        distances = np.maximum(2 - 2 * score.astype(np.float64), 0)
        return TenFoldScores(distances, same, columns["fold"], _people(columns))
    if impostor_pairs is None:
        raise DataError(
            "Saved scores of all pairs need impostor_pairs, as the details of their record state."
        )
    people = _people(columns)
    return AllPairsScores(score[same], people[same, 0], score[~same], people[~same], impostor_pairs)


def _people(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The persons of each pair: int [P, 2]."""
    if all(name in columns for name in _PERSONS):
        return np.stack([columns[name] for name in _PERSONS], axis=1)
    # The first records named only the images. Same-person pairs link the images of a person; an image that
    # is in none of them counts as a person.
    images = np.stack([columns["left"], columns["right"]], axis=1)
    _, numbered = np.unique(images, return_inverse=True)
    numbered = numbered.reshape(images.shape)
    links = numbered[columns["same"].astype(bool)]
    size = numbered.max() + 1
    graph = coo_array((np.ones(len(links)), links.T), shape=(size, size))
    return connected_components(graph, directed=False)[1][numbered]
