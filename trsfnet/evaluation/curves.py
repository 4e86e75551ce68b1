"""Verification curves: TAR against FAR with a confidence band, computed from the scores of any protocol."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trsfnet.evaluation.bootstrap import Scores, people_drawn
from trsfnet.evaluation.rates import allowed
from trsfnet.evaluation.statistics import LEVEL
from trsfnet.evaluation.template_scores import TemplateScores
from trsfnet.evaluation.verification import COSINE_STEP, AllPairsScores

# Number of draws of people for a confidence band; more would make no visible difference.
BAND_REPLICATES = 200
_POINTS = 200


@dataclass(frozen=True)
class Similarities:
    """Scores of an evaluation in a common form: higher values mean more likely the same person.

    For a ten-fold evaluation, all folds are pooled; each pair has the distance measured when its own fold is
    held out.

    Attributes:
        genuine: float [G], similarities of same-person pairs.
        impostor: float [I], similarities of different-person pairs in descending order; some protocols keep
            only the highest.
        impostor_pairs: total number of different-person pairs.
        genuine_people: int [G], person in each same-person pair; None if unknown.
        impostor_people: int [I, 2], persons in each different-person pair; None if unknown.
        measure: what the similarities measure.
    """

    genuine: np.ndarray
    impostor: np.ndarray
    impostor_pairs: int
    genuine_people: np.ndarray | None
    impostor_people: np.ndarray | None
    measure: str

    def threshold(self, far: float) -> float | None:
        """Return the similarity that at most a share `far` of impostor pairs exceeds; None if unknown."""
        limit = int(allowed(far, self.impostor_pairs))
        return float(self.impostor[limit]) if 1 <= limit < len(self.impostor) else None


@dataclass(frozen=True)
class Roc:
    """TAR against FAR as a step function: at each point, the share of impostor pairs accepted is at most FAR.

    Attributes:
        far: float [K], ascending, starting at one different-person pair.
        tar: float [K], true accept rate at each FAR.
        low: float [K], lower bound of TAR at 95 %; masked where TAR is undefined in a draw of people, as at
            high FAR if too few scores were kept. None if the people in the pairs are unknown, or everything
            would be masked.
        high: float [K], upper bound; as for `low`.
    """

    far: np.ndarray
    tar: np.ndarray
    low: np.ma.MaskedArray | None
    high: np.ma.MaskedArray | None


def similarities(scores: Scores) -> Similarities:
    """Convert the scores of any protocol to similarities."""
    if isinstance(scores, AllPairsScores):
        return Similarities(
            scores.genuine * COSINE_STEP,
            scores.impostor * COSINE_STEP,
            scores.impostor_pairs,
            scores.genuine_person,
            scores.impostor_people,
            "cosine",
        )
    if isinstance(scores, TemplateScores):
        values, measure = scores.scores, "cosine of templates"
    else:
        values, measure = -scores.held_out, "minus the distance"
    different = np.flatnonzero(~scores.same)
    order = different[np.argsort(-values[different], kind="stable")]
    people = scores.people
    return Similarities(
        values[scores.same],
        values[order],
        len(order),
        None if people is None else people[scores.same, 0],
        None if people is None else people[order],
        measure,
    )


def roc(scores: Scores, *, replicates: int = BAND_REPLICATES, seed: int = 0) -> Roc:
    """Compute the ROC curve of `scores`, with a confidence band if the people in the pairs are known.

    Args:
        scores: scores of one model.
        replicates: number of bootstrap draws of people.
        seed: seed of the draws; with the same seed, the same people are drawn for every model.
    """
    pairs = similarities(scores)
    highest = (len(pairs.impostor) - 1) / pairs.impostor_pairs
    far = np.geomspace(1 / pairs.impostor_pairs, max(highest, 1 / pairs.impostor_pairs), _POINTS)
    own, theirs = np.ones(len(pairs.genuine)), np.ones(len(pairs.impostor))
    tar = _tar(pairs, far, own, theirs, pairs.impostor_pairs)
    if pairs.genuine_people is None or pairs.impostor_people is None:
        return Roc(far, tar, None, None)
    band = _band(scores, pairs, far, replicates, seed)
    # Without the undefined draws, the band would be that of the others only.
    low, high = np.ma.masked_invalid(np.quantile(band, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0))
    return Roc(far, tar, None, None) if low.mask.all() else Roc(far, tar, low, high)


def _band(scores: Scores, pairs: Similarities, far: np.ndarray, replicates: int, seed: int) -> np.ndarray:
    """Return TAR for each draw of people: [replicates, K]."""
    assert pairs.genuine_people is not None
    assert pairs.impostor_people is not None
    everybody = np.concatenate([pairs.genuine_people, pairs.impostor_people.ravel()])
    if isinstance(scores, AllPairsScores):
        numbers, identities = everybody, scores.identities
    else:
        people, numbers = np.unique(everybody, return_inverse=True)
        identities = len(people)
    own, theirs = numbers[: len(pairs.genuine)], numbers[len(pairs.genuine) :].reshape(-1, 2)
    rows = []
    for weights in people_drawn(identities, replicates, seed):
        impostors = weights[theirs[:, 0]] * weights[theirs[:, 1]]
        everyone = scores.impostors(weights) if isinstance(scores, AllPairsScores) else impostors.sum()
        rows.append(_tar(pairs, far, weights[own], impostors, everyone))
    return np.array(rows)


def _tar(
    pairs: Similarities, far: np.ndarray, own: np.ndarray, theirs: np.ndarray, impostor_pairs: float
) -> np.ndarray:
    """Return TAR at each FAR with weighted pairs: [K]; NaN where too few impostor scores were kept."""
    order = np.argsort(pairs.genuine, kind="stable")
    above = np.append(np.cumsum(own[order][::-1])[::-1], 0.0)  # total weight from each position on
    limit = np.searchsorted(np.cumsum(theirs), allowed(far, impostor_pairs), side="right")
    kept = limit < len(pairs.impostor)
    thresholds = pairs.impostor[np.where(kept, limit, 0)]
    with np.errstate(invalid="ignore"):
        tar = above[np.searchsorted(pairs.genuine[order], thresholds, side="right")] / own.sum()
    return np.where(kept, tar, np.nan)
