"""Saved scores, analysed again without the model.

`read_scores` turns saved columns, such as those of a record's `scores.parquet`, back into what its numbers
were computed from: every number follows from `metrics`, intervals and paired comparisons from
`trsfnet.evaluation.bootstrap`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from trsfnet.errors import DataError
from trsfnet.evaluation.bootstrap import Scores
from trsfnet.evaluation.lfw_protocol import TenFoldScores
from trsfnet.evaluation.template_scores import TemplateScores
from trsfnet.evaluation.verification import AllPairsScores

if TYPE_CHECKING:
    import pandas as pd

_PERSONS = ("left_person", "right_person")
_TEMPLATE_SCORE = "template_score"
_DISTANCE = "distance"  # or one column for each fold that is held out, `distance_0` and so on


def to_columns(scores: Scores) -> dict[str, np.ndarray]:
    """Columns of equal length, to be saved, from which `read_scores` makes the same scores again."""
    people: np.ndarray | None
    if isinstance(scores, AllPairsScores):
        people = np.concatenate([np.stack([scores.genuine_person] * 2, axis=1), scores.impostor_people])
        columns = {
            "score": np.concatenate([scores.genuine, scores.impostor]),
            "same": np.arange(len(people)) < len(scores.genuine),
        }
    elif isinstance(scores, TemplateScores):
        people = scores.people
        columns = {_TEMPLATE_SCORE: scores.scores, "same": scores.same}
    else:
        people = scores.people
        small = scores.fold.max(initial=0) <= np.iinfo(np.int8).max
        columns = {"same": scores.same, "fold": scores.fold.astype(np.int8 if small else np.int16)}
        if scores.distances.ndim == 1:
            columns[_DISTANCE] = scores.distances
        else:
            columns |= {f"{_DISTANCE}_{fold}": row for fold, row in enumerate(scores.distances)}
    if people is not None:
        columns |= dict(zip(_PERSONS, people.T.astype(np.int32), strict=True))
    return columns


def read_scores(
    columns: Mapping[str, np.ndarray] | pd.DataFrame, *, impostor_pairs: int | None = None
) -> Scores:
    """What the numbers of an evaluation are computed from, out of its saved scores.

    Args:
        columns: those of `Evaluation.scores` or `to_columns`, as a parquet file holds them.
        impostor_pairs: number of different-person pairs in all, which the details of an all-pairs
            evaluation state and its scores, being only the highest, cannot.

    Raises:
        DataError: columns are missing or of different lengths, or `impostor_pairs` is needed.
    """
    columns = {str(name): np.asarray(column) for name, column in columns.items()}
    needed = _needed(columns)
    missing = [name for name in needed if name not in columns]
    if missing:
        raise DataError(f"The saved scores lack the columns {', '.join(missing)}; they have {list(columns)}.")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"The columns of saved scores must have one length, got {lengths}.")
    same = columns["same"].astype(bool)
    if "fold" in columns:
        return TenFoldScores(_distances(columns), same, columns["fold"], _people(columns))
    if _TEMPLATE_SCORE in columns:
        return TemplateScores(columns[_TEMPLATE_SCORE], same, _people(columns))
    if impostor_pairs is None:
        raise DataError(
            "Saved scores of all pairs need impostor_pairs, as the details of their record state."
        )
    score, people = columns["score"], np.stack([columns[name] for name in _PERSONS], axis=1)
    return AllPairsScores(score[same], people[same, 0], score[~same], people[~same], impostor_pairs)


def _needed(columns: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """The columns without which nothing can be computed."""
    if _TEMPLATE_SCORE in columns or _fold_distances(columns):
        return ("same",)
    return ("score", "same", *(("left", "right") if "fold" in columns else _PERSONS))


def _fold_distances(columns: Mapping[str, np.ndarray]) -> list[str]:
    return [name for name in columns if name.startswith(_DISTANCE)]


def _distances(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """As `TenFoldScores` has them; from cosines where a run saved these."""
    names = _fold_distances(columns)
    if _DISTANCE in names:
        return columns[_DISTANCE]
    if names:
        return np.stack([columns[f"{_DISTANCE}_{fold}"] for fold in range(len(names))])
    # Squared distances of unit vectors, which rounding may not leave below zero.
    return np.maximum(2 - 2 * columns["score"].astype(np.float64), 0)


def _people(columns: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The persons of each pair: int [P, 2]; None if nothing tells."""
    if all(name in columns for name in _PERSONS):
        return np.stack([columns[name] for name in _PERSONS], axis=1)
    if "left" not in columns:
        return None
    # The first records named only the images. Same-person pairs link the images of a person; an image that
    # is in none of them counts as a person.
    images = np.stack([columns["left"], columns["right"]], axis=1)
    _, numbered = np.unique(images, return_inverse=True)
    numbered = numbered.reshape(images.shape)
    links = numbered[columns["same"].astype(bool)]
    size = numbered.max() + 1
    graph = coo_array((np.ones(len(links)), links.T), shape=(size, size))
    return connected_components(graph, directed=False)[1][numbered]
