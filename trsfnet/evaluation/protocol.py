"""Evaluation of a track: from one set of embeddings to all metrics and scores of its protocol."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trsfnet.data.faces import FaceSet, Pairs
from trsfnet.evaluation.distances import pair_distances, score_pairs
from trsfnet.evaluation.lfw_protocol import TEN_FOLD_FARS, TenFoldScores
from trsfnet.evaluation.names import far_name
from trsfnet.evaluation.verification import ALL_PAIRS_FARS, score_all_pairs

# Keep this many times the different-person scores that the highest FAR needs: when people are resampled,
# other pairs move to the top.
SPARE = 1.5


@dataclass(frozen=True)
class Evaluation:
    """Results of one evaluation.

    Attributes:
        protocol: `ten-fold` or `all-pairs`.
        metrics: metrics to plot and compare, by name, such as `tar@1e-3`.
        details: the full result at each FAR.
        scores: columns of equal length from which all of the above can be recomputed, see
            `trsfnet.evaluation.saved`.
    """

    protocol: str
    metrics: dict[str, float]
    details: list[dict[str, float]]
    scores: dict[str, np.ndarray]


def evaluate(
    test: FaceSet, pairs: Pairs | None, embeddings: np.ndarray, *, all_pairs: bool = False
) -> Evaluation:
    """Evaluate ten-fold verification of `pairs`, or verification of all pairs of `test` if `pairs` is None.

    Args:
        test: the test faces.
        pairs: pairs of these faces in LFW's protocol, or None.
        embeddings: float32 [len(test), D], rows of unit length.
        all_pairs: also compute TAR over all pairs of `test`, named `all_pairs_tar@1e-3` and so on.
    """
    if pairs is None:
        return _all_pairs(test, embeddings)
    evaluation = _ten_fold(test, pairs, embeddings)
    if not all_pairs:
        return evaluation
    found = score_all_pairs(embeddings, test.labels, highest_far=max(ALL_PAIRS_FARS)).metrics()
    # Every person has the same number of images here, so the mean over people would be the same.
    names = [f"tar@{far_name(far)}" for far in ALL_PAIRS_FARS]
    more = {f"all_pairs_{name}": found[name] for name in names}
    return replace(evaluation, metrics=evaluation.metrics | more)


def _ten_fold(test: FaceSet, pairs: Pairs, embeddings: np.ndarray) -> Evaluation:
    people = np.stack([test.labels[pairs.left], test.labels[pairs.right]], axis=1)
    distances = pair_distances(embeddings[pairs.left], embeddings[pairs.right], "euclidean")
    kept = TenFoldScores(distances, pairs.same, pairs.folds, people)
    results = [kept.result(far) for far in TEN_FOLD_FARS]
    scores = {
        "score": score_pairs(embeddings, pairs.left, pairs.right),
        "same": pairs.same,
        "fold": pairs.folds.astype(np.int8),
        "left": pairs.left.astype(np.int32),
        "right": pairs.right.astype(np.int32),
        "left_person": people[:, 0].astype(np.int32),
        "right_person": people[:, 1].astype(np.int32),
    }
    return Evaluation("ten-fold", kept.metrics(), [r.to_dict() for r in results], scores)


def _all_pairs(test: FaceSet, embeddings: np.ndarray) -> Evaluation:
    kept = score_all_pairs(embeddings, test.labels, highest_far=SPARE * max(ALL_PAIRS_FARS))
    results = [kept.result(far) for far in ALL_PAIRS_FARS]
    people = np.concatenate([np.stack([kept.genuine_person] * 2, axis=1), kept.impostor_people])
    scores = {
        "score": np.concatenate([kept.genuine, kept.impostor]),
        "same": np.arange(len(people)) < len(kept.genuine),
        "left_person": people[:, 0].astype(np.int32),
        "right_person": people[:, 1].astype(np.int32),
    }
    return Evaluation("all-pairs", kept.metrics(), [r.to_dict() for r in results], scores)
