"""Analyse saved scores again without the model.

`read_scores` turns saved columns, such as those of a record's `scores.parquet`, back into the scores from
which its results were computed: `metrics` gives the results, and `trsfnet.evaluation.bootstrap` gives
confidence intervals and paired comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from trsfnet.errors import ConfigError, DataError
from trsfnet.evaluation.bootstrap import Scores
from trsfnet.evaluation.lfw_protocol import TenFoldScores
from trsfnet.evaluation.template_scores import TemplateScores
from trsfnet.evaluation.verification import AllPairsScores

if TYPE_CHECKING:
    import pandas as pd

_PERSONS = ("left_person", "right_person")
_NUMBERED = (*_PERSONS, "left", "right", "fold")
_TEMPLATE_SCORE = "template_score"
_DISTANCE = "distance"  # or `distance_0`, `distance_1`, ...: one column per held-out fold


def to_columns(scores: Scores) -> dict[str, np.ndarray]:
    """Convert scores to columns of equal length that can be saved and read back with `read_scores`."""
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
    """Reconstruct the scores of an evaluation from saved columns.

    Args:
        columns: columns as in `Evaluation.scores` or from `to_columns`, for example read from a parquet file.
        impostor_pairs: total number of different-person pairs. Required for all-pairs scores, which include
            only the highest different-person scores; the details of an all-pairs evaluation state this
            number.

    Raises:
        DataError: if columns are missing, of different lengths or empty, hold values that scores cannot have,
            or `impostor_pairs` is needed but not given.
    """
    columns = {str(name): np.asarray(column) for name, column in columns.items()}
    needed = _needed(columns)
    missing = [name for name in needed if name not in columns]
    if missing:
        raise DataError(f"The saved scores lack the columns {', '.join(missing)}; they have {list(columns)}.")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"The columns of saved scores must all have the same length, got {lengths}.")
    _check(columns)
    same = columns["same"].astype(bool)
    if "fold" in columns:
        try:
            return TenFoldScores(_distances(columns), same, columns["fold"], _people(columns))
        except ConfigError as error:
            raise DataError(f"The saved scores are those of no ten-fold evaluation: {error}") from error
    if _TEMPLATE_SCORE in columns:
        return TemplateScores(columns[_TEMPLATE_SCORE], same, _people(columns))
    if impostor_pairs is None:
        raise DataError(
            "Saved scores of all pairs need impostor_pairs, which the details of their record state."
        )
    score, people = columns["score"], np.stack([columns[name] for name in _PERSONS], axis=1)
    genuine, impostor = score[same], score[~same]
    if not len(genuine) or not len(impostor) or (impostor[1:] > impostor[:-1]).any():
        raise DataError(
            "Saved scores of all pairs need same-person pairs and different-person pairs, the latter by "
            "descending score."
        )
    if not isinstance(impostor_pairs, Integral) or impostor_pairs < len(impostor):
        raise DataError(
            f"impostor_pairs must be the number of all different-person pairs, of which {len(impostor):,} "
            f"are saved, got {impostor_pairs!r}."
        )
    return AllPairsScores(genuine, people[same, 0], impostor, people[~same], int(impostor_pairs))


def _check(columns: Mapping[str, np.ndarray]) -> None:
    """Reject values that no evaluation gives."""
    if not len(columns["same"]):
        raise DataError("The saved scores are empty: expected at least one pair.")
    for name, column in columns.items():
        counted = name in _NUMBERED or (name == "score" and "fold" not in columns)  # in `COSINE_STEP`
        if counted and column.dtype.kind not in "iu":
            raise DataError(f"The column {name} of saved scores must be whole numbers, got {column.dtype}.")
        if name in _NUMBERED and column.min() < 0:
            raise DataError(f"The column {name} of saved scores must not be negative, got {column.min()}.")
        if column.dtype.kind not in "biuf" or not np.isfinite(column).all():
            raise DataError(f"The column {name} of saved scores must be finite numbers.")


def _needed(columns: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Return the names of the columns that are required."""
    if _TEMPLATE_SCORE in columns:
        return ("same",)
    if distances := _fold_distances(columns):
        by_fold = () if _DISTANCE in distances else range(len(distances))
        return ("same", "fold", *(f"{_DISTANCE}_{fold}" for fold in by_fold))
    return ("score", "same", *(("left", "right") if "fold" in columns else _PERSONS))


def _fold_distances(columns: Mapping[str, np.ndarray]) -> list[str]:
    return [name for name in columns if name.startswith(_DISTANCE)]


def _distances(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return distances as `TenFoldScores` has them, computed from cosines if only cosines were saved."""
    names = _fold_distances(columns)
    if _DISTANCE in names:
        return columns[_DISTANCE]
    if names:
        return np.stack([columns[f"{_DISTANCE}_{fold}"] for fold in range(len(names))])
    # Squared distances of unit vectors; rounding must not make them negative.
    return np.maximum(2 - 2 * columns["score"].astype(np.float64), 0)


def _people(columns: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Return the persons in each pair as int [P, 2]; None if the columns do not determine them."""
    if all(name in columns for name in _PERSONS):
        return np.stack([columns[name] for name in _PERSONS], axis=1)
    if "left" not in columns:
        return None
    # The oldest records identify only the images. Same-person pairs link the images of a person; an image in
    # no same-person pair counts as a person of its own.
    images = np.stack([columns["left"], columns["right"]], axis=1)
    _, numbered = np.unique(images, return_inverse=True)
    numbered = numbered.reshape(images.shape)
    links = numbered[columns["same"].astype(bool)]
    size = numbered.max() + 1
    graph = coo_array((np.ones(len(links)), links.T), shape=(size, size))
    return connected_components(graph, directed=False)[1][numbered]
