"""The final evaluation of a run, recomputed from its saved scores: intervals and score distributions."""

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

# Enough to resolve the bounds to about a tenth of the interval's width; a thousand would slow down the book.
REPLICATES = 100

# The FAR on which the book's verdicts are based.
_FAR = 1e-3


@dataclass(frozen=True)
class Evaluated:
    """The final evaluation of a run.

    Attributes:
        intervals: 95 % intervals by metric, from resampling people; None if undefined in some resample.
        genuine: cosines of same-person pairs.
        impostor: cosines of different-person pairs; if all pairs of a set are evaluated, only the highest.
        impostor_pairs: total number of different-person pairs.
        threshold: cosine above which one in a thousand different-person pairs is accepted; None if there are
            too few pairs.
    """

    intervals: dict[str, Interval | None]
    genuine: np.ndarray
    impostor: np.ndarray
    impostor_pairs: int
    threshold: float | None


def evaluated(run: Run) -> Evaluated | None:
    """Evaluate a run's saved scores; None if there are none, if they cannot be read, or for templates."""
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
