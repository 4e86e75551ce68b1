"""Face verification: embeddings or scores in, dataclasses out."""

from trsfnet.evaluation.bootstrap import PairedTest, compare, intervals
from trsfnet.evaluation.conventions import (
    CONVENTIONS,
    FACENET,
    FACENET_TRAINING,
    INSIGHTFACE,
    Convention,
)
from trsfnet.evaluation.distances import score_pairs
from trsfnet.evaluation.lfw_protocol import TenFoldResult, TenFoldScores, ten_fold
from trsfnet.evaluation.saved import read_scores
from trsfnet.evaluation.verification import AllPairsResult, AllPairsScores, all_pairs, score_all_pairs

__all__ = [
    "CONVENTIONS",
    "FACENET",
    "FACENET_TRAINING",
    "INSIGHTFACE",
    "AllPairsResult",
    "AllPairsScores",
    "Convention",
    "PairedTest",
    "TenFoldResult",
    "TenFoldScores",
    "all_pairs",
    "compare",
    "intervals",
    "read_scores",
    "score_all_pairs",
    "score_pairs",
    "ten_fold",
]
