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
from trsfnet.evaluation.identification import (
    ClosedSetResult,
    OpenSetResult,
    TpirAtFpir,
    closed_set,
    open_set,
)
from trsfnet.evaluation.lfw_protocol import TenFoldResult, TenFoldScores, ten_fold
from trsfnet.evaluation.saved import read_scores, to_columns
from trsfnet.evaluation.template_scores import TemplateScores, people_of_pairs
from trsfnet.evaluation.templates import TarAtFar, pool, score_templates, tar_at_fars
from trsfnet.evaluation.verification import AllPairsResult, AllPairsScores, all_pairs, score_all_pairs

__all__ = [
    "CONVENTIONS",
    "FACENET",
    "FACENET_TRAINING",
    "INSIGHTFACE",
    "AllPairsResult",
    "AllPairsScores",
    "ClosedSetResult",
    "Convention",
    "OpenSetResult",
    "PairedTest",
    "TarAtFar",
    "TemplateScores",
    "TenFoldResult",
    "TenFoldScores",
    "TpirAtFpir",
    "all_pairs",
    "closed_set",
    "compare",
    "intervals",
    "open_set",
    "people_of_pairs",
    "pool",
    "read_scores",
    "score_all_pairs",
    "score_pairs",
    "score_templates",
    "tar_at_fars",
    "ten_fold",
    "to_columns",
]
