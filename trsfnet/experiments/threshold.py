"""The decision thresholds of a run, recomputed from the scores of its evaluation."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from trsfnet.errors import ConfigError, RecordError, TrsfnetError
from trsfnet.evaluation import AllPairsScores, TemplateScores, TenFoldScores, read_scores
from trsfnet.evaluation.names import far_name
from trsfnet.evaluation.rates import allowed
from trsfnet.experiments.record import Record

# The kinds of scores that the evaluation of a run produces.
RunScores = TenFoldScores | AllPairsScores

# The false acceptance rates for which exported files state thresholds, in descending order.
FARS = (1e-1, 1e-2, 1e-3, 1e-4)


def saved_scores(record: Record) -> RunScores:
    """Return the scores of a run's evaluation, from which its metrics were computed.

    Raises:
        RecordError: the run has no scores because it has not finished, or they are scores of templates, on
            which no run is evaluated.
    """
    details = record.info.get("evaluation", {}).get("results", [])
    pairs = details[0].get("impostor_pairs") if details else None
    scores = read_scores(record.scores(), impostor_pairs=pairs)
    if isinstance(scores, TemplateScores):
        raise RecordError(f"{record.path} has scores of templates: expected those of pairs of images.")
    return scores


def check_far(far: float) -> None:
    """Raise `ConfigError` unless `far` lies between 0 and 1."""
    if not 0 < far < 1:
        raise ConfigError(f"far must lie between 0 and 1, got {far:g}.")


def threshold(record: Record, far: float) -> float:
    """Return the cosine similarity that at most a share `far` of the different-person pairs exceeds.

    A ten-fold evaluation sets one threshold per fold; here all folds are combined.

    Args:
        record: record of a run with scores.
        far: the false acceptance rate, above 0 and below 1.

    Raises:
        RecordError: the run has no scores because it has not finished.
        ConfigError: `far` is out of range, or there are too few scores for it, or the stored scores do not
            extend to it.
    """
    check_far(far)
    return threshold_of(saved_scores(record), far, record.run_id)


def thresholds(record: Record) -> dict[str, float]:
    """Return the thresholds of a run, by name of each FAR in `FARS` that its scores support.

    The result is empty if the run has no scores.
    """
    try:
        scores = saved_scores(record)
    except TrsfnetError:
        return {}
    return thresholds_of(scores, record.run_id)


def thresholds_of(scores: RunScores, run: str) -> dict[str, float]:
    """Return the same as `thresholds` for scores already read; `run` is the name used in error messages."""
    found: dict[str, float] = {}
    for far in FARS:
        with suppress(ConfigError):
            found[far_name(far)] = threshold_of(scores, far, run)
    return found


def threshold_of(scores: RunScores, far: float, run: str) -> float:
    """Return the same as `threshold` for scores already read; reading them is slow because they are large.

    Args:
        scores: the scores, as returned by `saved_scores`.
        far: the false acceptance rate, above 0 and below 1.
        run: name of the run, for error messages.

    Raises:
        ConfigError: there are too few scores for this FAR, or the stored scores do not extend to it.
    """
    pairs = scores.impostor_pairs if isinstance(scores, AllPairsScores) else int(np.sum(~scores.same))
    if allowed(far, pairs) < 1:
        raise ConfigError(
            f"far must be at least 1 / {pairs:,}, got {far_name(far)}: {run} was evaluated "
            "on that many pairs of different people."
        )
    if isinstance(scores, AllPairsScores):
        return scores.result(far).threshold
    distances = np.sort(scores.distances[~scores.same])
    # Convert the squared distance of unit vectors of the first pair that must be rejected to a cosine.
    return float(1 - distances[min(int(allowed(far, pairs)), pairs - 1)] / 2)
