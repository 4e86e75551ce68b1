"""Face verification: embeddings or scores in, dataclasses out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

# Imported when they are first asked for: a training needs none of them, and SciPy's statistics take long.
_HOMES = {
    "CONVENTIONS": "trsfnet.evaluation.conventions",
    "FACENET": "trsfnet.evaluation.conventions",
    "FACENET_TRAINING": "trsfnet.evaluation.conventions",
    "INSIGHTFACE": "trsfnet.evaluation.conventions",
    "AllPairsResult": "trsfnet.evaluation.verification",
    "AllPairsScores": "trsfnet.evaluation.verification",
    "ClosedSetResult": "trsfnet.evaluation.identification",
    "Convention": "trsfnet.evaluation.conventions",
    "OpenSetResult": "trsfnet.evaluation.identification",
    "PairedTest": "trsfnet.evaluation.bootstrap",
    "TarAtFar": "trsfnet.evaluation.templates",
    "TemplateScores": "trsfnet.evaluation.template_scores",
    "TenFoldResult": "trsfnet.evaluation.lfw_protocol",
    "TenFoldScores": "trsfnet.evaluation.lfw_protocol",
    "TpirAtFpir": "trsfnet.evaluation.identification",
    "all_pairs": "trsfnet.evaluation.verification",
    "closed_set": "trsfnet.evaluation.identification",
    "compare": "trsfnet.evaluation.bootstrap",
    "intervals": "trsfnet.evaluation.bootstrap",
    "open_set": "trsfnet.evaluation.identification",
    "people_of_pairs": "trsfnet.evaluation.template_scores",
    "pool": "trsfnet.evaluation.templates",
    "read_scores": "trsfnet.evaluation.saved",
    "score_all_pairs": "trsfnet.evaluation.verification",
    "score_pairs": "trsfnet.evaluation.distances",
    "score_templates": "trsfnet.evaluation.templates",
    "tar_at_fars": "trsfnet.evaluation.templates",
    "ten_fold": "trsfnet.evaluation.lfw_protocol",
    "to_columns": "trsfnet.evaluation.saved",
}
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


def __getattr__(name: str) -> Any:
    """The public names, from the modules that they live in."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names, for completion and the reference."""
    return __all__
