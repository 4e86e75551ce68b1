"""The final evaluation of a run, computed again from its saved scores: values, intervals, distributions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trsfnet.analysis.run import Run
from trsfnet.errors import ConfigError, TrsfnetError
from trsfnet.evaluation.bootstrap import intervals
from trsfnet.evaluation.lfw_protocol import TenFoldScores
from trsfnet.evaluation.statistics import Interval
from trsfnet.evaluation.template_scores import TemplateScores
from trsfnet.evaluation.verification import COSINE_STEP
from trsfnet.experiments.threshold import saved_scores, threshold_of

# Enough for bounds in steps of a tenth of their distance; a thousand for each card would hold up the book.
REPLICATES = 100

# The FAR that the book's verdicts rest on.
_FAR = 1e-3


@dataclass(frozen=True)
class Evaluated:
    """What the scores of a run say.

    Attributes:
        intervals: by name of the metric, 95 %, by resampling people; None where some draw left it undefined.
        genuine: cosines of same-person pairs.
        impostor: cosines of different-person pairs; of all pairs of a set only the highest are kept.
        impostor_pairs: how many different-person pairs there are in all.
        threshold: the cosine above which one in a thousand of these is accepted; None if there are fewer.
    """

    intervals: dict[str, Interval | None]
    genuine: np.ndarray
    impostor: np.ndarray
    impostor_pairs: int
    threshold: float | None


def evaluated(run: Run) -> Evaluated | None:
    """What a run's scores say; None if it has none, or none that can be read."""
    try:
        scores = saved_scores(run.record)
        found = intervals(scores, replicates=REPLICATES)
    except (TrsfnetError, OSError, ValueError, KeyError, IndexError):
        return None
    if isinstance(scores, TemplateScores):
        return None
    if isinstance(scores, TenFoldScores):
        distances = scores.distances if scores.distances.ndim == 1 else scores.distances.mean(axis=0)
        cosines = 1 - distances / 2
        genuine, impostor = cosines[scores.same], cosines[~scores.same]
        pairs = len(impostor)
    else:
        genuine, impostor = scores.genuine * COSINE_STEP, scores.impostor * COSINE_STEP
        pairs = scores.impostor_pairs
    try:
        limit = threshold_of(scores, _FAR, run.run_id)
    except ConfigError:
        limit = None
    return Evaluated(found, genuine, impostor, pairs, limit)
