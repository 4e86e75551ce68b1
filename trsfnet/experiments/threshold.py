"""The threshold of a run, recomputed from the scores of its evaluation."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from trsfnet.errors import ConfigError, RecordError, TrsfnetError
from trsfnet.evaluation import AllPairsScores, TemplateScores, TenFoldScores, read_scores
from trsfnet.evaluation.names import far_name
from trsfnet.experiments.record import Record

# What a run can be evaluated by.
RunScores = TenFoldScores | AllPairsScores

# The rates of false acceptance at which an exported file states thresholds, from the highest down.
FARS = (1e-1, 1e-2, 1e-3, 1e-4)


def saved_scores(record: Record) -> RunScores:
    """The scores of a run's evaluation, from which its numbers follow.

    Raises:
        RecordError: the run has none, because it has not finished; or they are of templates, which no run
            is evaluated on.
    """
    details = record.info.get("evaluation", {}).get("results", [])
    pairs = details[0].get("impostor_pairs") if details else None
    scores = read_scores(record.scores(), impostor_pairs=pairs)
    if isinstance(scores, TemplateScores):
        raise RecordError(f"{record.path} has scores of templates: expected those of pairs of images.")
    return scores


def threshold(record: Record, far: float) -> float:
    """The cosine that the allowed share of different-person pairs of a run's evaluation exceeds, and no more.

    A ten-fold evaluation sets one for each fold; here all folds count together.

    Args:
        record: of a run with scores.
        far: the share allowed, above 0 and below 1.

    Raises:
        RecordError: the run has no scores: it has not finished.
        ConfigError: the scores are too few for this FAR, or were not kept down to it.
    """
    if not 0 < far < 1:
        raise ConfigError(f"far must lie between 0 and 1, got {far:g}.")
    return threshold_of(saved_scores(record), far, record.run_id)


def thresholds(record: Record) -> dict[str, float]:
    """The thresholds of a run at those of `FARS` that its scores can tell, by name; none before its end."""
    try:
        scores = saved_scores(record)
    except TrsfnetError:
        return {}
    return thresholds_of(scores, record.run_id)


def thresholds_of(scores: RunScores, run: str) -> dict[str, float]:
    """The same of scores; `run` names what they are of."""
    found: dict[str, float] = {}
    for far in FARS:
        with suppress(ConfigError):
            found[far_name(far)] = threshold_of(scores, far, run)
    return found


def threshold_of(scores: RunScores, far: float, run: str) -> float:
    """The same of a run's scores, which are large, once they are read.

    Args:
        scores: what `saved_scores` gives.
        far: the share allowed, above 0 and below 1.
        run: its name, for what is wrong.

    Raises:
        ConfigError: the scores are too few for this FAR, or were not kept down to it.
    """
    pairs = scores.impostor_pairs if isinstance(scores, AllPairsScores) else int(np.sum(~scores.same))
    if far * pairs < 1:
        raise ConfigError(
            f"far must be at least 1 / {pairs:,}, got {far_name(far)}: {run} was evaluated "
            "on that many pairs of different people."
        )
    if isinstance(scores, AllPairsScores):
        return scores.result(far).threshold
    distances = np.sort(scores.distances[~scores.same])
    # Squared distances of unit vectors; the first pair that may not be accepted.
    return float(1 - distances[int(far * pairs)] / 2)
