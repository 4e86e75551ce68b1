"""Face verification: embeddings or scores in, dataclasses out."""

from trsfnet.evaluation.verification import (
    AllPairsResult,
    AllPairsScores,
    TenFoldResult,
    all_pairs,
    score_all_pairs,
    score_pairs,
    ten_fold,
)

__all__ = [
    "AllPairsResult",
    "AllPairsScores",
    "TenFoldResult",
    "all_pairs",
    "score_all_pairs",
    "score_pairs",
    "ten_fold",
]
