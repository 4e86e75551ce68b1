"""The evaluation of a track: one set of embeddings in, every number and score of its protocol out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trsfnet.data.faces import FaceSet, Pairs
from trsfnet.evaluation.verification import all_pairs, score_all_pairs, score_pairs, ten_fold

TEN_FOLD_FARS = (1e-2, 1e-3)
ALL_PAIRS_FARS = (1e-2, 1e-3, 1e-4)


def far_name(far: float) -> str:
    """`1e-3` for 0.001: how a FAR is written in the names of metrics."""
    mantissa, exponent = f"{far:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


@dataclass(frozen=True)
class Evaluation:
    """Results of one evaluation.

    Attributes:
        protocol: `ten-fold` or `all-pairs`.
        metrics: the numbers to plot and compare, such as `tar@1e-3`.
        details: the full result at each FAR.
        scores: columns of equal length, from which everything above can be recomputed.
    """

    protocol: str
    metrics: dict[str, float]
    details: list[dict[str, float]]
    scores: dict[str, np.ndarray]


def evaluate(test: FaceSet, pairs: Pairs | None, embeddings: np.ndarray) -> Evaluation:
    """Ten-fold verification of `pairs`, or of all pairs of `test` where there are none.

    Args:
        test: the faces.
        pairs: pairs of them in LFW's protocol, or None.
        embeddings: float32 [len(test), D], rows of unit length.
    """
    return _all_pairs(test, embeddings) if pairs is None else _ten_fold(pairs, embeddings)


def _ten_fold(pairs: Pairs, embeddings: np.ndarray) -> Evaluation:
    left, right = embeddings[pairs.left], embeddings[pairs.right]
    results = [ten_fold(left, right, pairs.same, far_target=far) for far in TEN_FOLD_FARS]
    metrics = {"accuracy": results[0].accuracy}
    metrics |= {f"tar@{far_name(r.far_target)}": r.tar for r in results}
    scores = {
        "score": score_pairs(embeddings, pairs.left, pairs.right),
        "same": pairs.same,
        "fold": pairs.folds.astype(np.int8),
        "left": pairs.left.astype(np.int32),
        "right": pairs.right.astype(np.int32),
    }
    return Evaluation("ten-fold", metrics, [r.to_dict() for r in results], scores)


def _all_pairs(test: FaceSet, embeddings: np.ndarray) -> Evaluation:
    kept = score_all_pairs(embeddings, test.labels, highest_far=max(ALL_PAIRS_FARS))
    results = [all_pairs(kept, far) for far in ALL_PAIRS_FARS]
    metrics = {f"tar@{far_name(r.far_target)}": r.tar for r in results}
    metrics |= {f"tar_by_person@{far_name(r.far_target)}": r.tar_by_person for r in results}
    people = np.concatenate([np.stack([kept.genuine_person] * 2, axis=1), kept.impostor_people])
    scores = {
        "score": np.concatenate([kept.genuine, kept.impostor]),
        "same": np.arange(len(people)) < len(kept.genuine),
        "left_person": people[:, 0].astype(np.int32),
        "right_person": people[:, 1].astype(np.int32),
    }
    return Evaluation("all-pairs", metrics, [r.to_dict() for r in results], scores)
