"""Face verification on pairs: facenet's ten-fold LFW protocol, and TAR at FAR over all pairs.

TAR (true accept rate) is the share of same-person pairs that are accepted, at a threshold that accepts
the stated share FAR (false accept rate) of different-person pairs. facenet calls it "validation rate"; it
is the number in the paper's tables 1, 2 and 6.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from trsfnet.errors import ConfigError, choice

DISTANCES = ("euclidean", "cosine")

# facenet's grids of squared Euclidean distances, between 0 and 4 for unit vectors.
_ACCURACY_THRESHOLDS = np.arange(0, 4, 0.01)
_TAR_THRESHOLDS = np.arange(0, 4, 0.001)


@dataclass(frozen=True)
class TenFoldResult:
    """facenet's LFW numbers: means over the folds, and population standard deviations between them.

    Attributes:
        accuracy: share of pairs judged rightly, threshold chosen on the other folds.
        accuracy_std: its standard deviation over folds.
        tar: true accept rate at the target FAR, threshold set on the other folds ("VAL").
        tar_std: its standard deviation over folds.
        far: false accept rate really met on the held-out folds.
        far_target: the one aimed at.
        folds: number of folds.
        pairs: number of pairs.
    """

    accuracy: float
    accuracy_std: float
    tar: float
    tar_std: float
    far: float
    far_target: float
    folds: int
    pairs: int

    def to_dict(self) -> dict[str, float]:
        """The fields by name, for a run record."""
        return asdict(self)


def pair_distances(left: np.ndarray, right: np.ndarray, distance: str) -> np.ndarray:
    """Distance of each pair of rows.

    Args:
        left: [P, D] embeddings.
        right: [P, D] embeddings.
        distance: `euclidean` (squared; facenet's metric 0) or `cosine` (angle over pi; its metric 1).

    Returns:
        [P] distances, 0 for equal directions.
    """
    choice("distance", distance, DISTANCES)
    if distance == "euclidean":
        return np.sum(np.square(left - right), axis=1)
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    # Rounding can leave a cosine just above 1, whose arccos facenet lets become NaN.
    return np.arccos(np.clip(np.sum(left * right, axis=1) / norms, -1, 1)) / np.pi


def ten_fold(
    left: np.ndarray,
    right: np.ndarray,
    same: np.ndarray,
    *,
    far_target: float = 1e-3,
    distance: str = "euclidean",
    subtract_mean: bool = False,
    folds: int = 10,
) -> TenFoldResult:
    """Facenet's ten-fold verification, number for number.

    Args:
        left: [P, D] embeddings of unit length (or, with flipping, facenet's concatenated pair of them).
        right: [P, D] embeddings.
        same: bool [P]; pairs stand fold by fold, as in `pairs.txt`.
        far_target: false accept rate at which TAR is taken.
        distance: `euclidean` or `cosine`.
        subtract_mean: subtract the mean embedding of the other folds before measuring.
        folds: number of contiguous folds.

    Raises:
        ConfigError: shapes that do not agree, or a fold without pairs of either kind.
    """
    same = np.asarray(same, dtype=bool)
    if left.shape != right.shape or left.ndim != 2 or same.shape != left.shape[:1]:
        raise ConfigError(
            f"ten_fold needs embeddings [P, D] twice and labels [P], got {left.shape}, {right.shape} "
            f"and {same.shape}."
        )
    distances = None if subtract_mean else pair_distances(left, right, distance)
    rows = []
    for number, test in enumerate(np.array_split(np.arange(len(same)), folds)):
        train = np.ones(len(same), dtype=bool)
        train[test] = False
        held_out = same[test]
        if held_out.all() or not held_out.any():
            raise ConfigError(f"Fold {number} must hold pairs of one person and pairs of two.")
        if subtract_mean:
            mean = np.mean(np.concatenate([left[train], right[train]]), axis=0)
            d = pair_distances(left - mean, right - mean, distance)
        else:
            d = distances
        rows.append(_one_fold(d[train], same[train], d[test], held_out, far_target))
    accuracy, tar, far = np.array(rows).T
    return TenFoldResult(
        accuracy=float(accuracy.mean()),
        accuracy_std=float(accuracy.std()),
        tar=float(tar.mean()),
        tar_std=float(tar.std()),
        far=float(far.mean()),
        far_target=far_target,
        folds=folds,
        pairs=len(same),
    )


def _accepted(distances: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """How many `distances` lie strictly below each threshold."""
    return np.searchsorted(np.sort(distances), thresholds, side="left")


def _one_fold(
    train: np.ndarray, train_same: np.ndarray, test: np.ndarray, test_same: np.ndarray, far_target: float
) -> tuple[float, float, float]:
    """(accuracy, TAR, FAR) on the test pairs at the thresholds that the training pairs choose."""
    genuine, impostor = train[train_same], train[~train_same]
    right = _accepted(genuine, _ACCURACY_THRESHOLDS) - _accepted(impostor, _ACCURACY_THRESHOLDS)
    best = _ACCURACY_THRESHOLDS[np.argmax(right)]
    accuracy = np.mean((test < best) == test_same)
    limit = _threshold_at(_accepted(impostor, _TAR_THRESHOLDS) / len(impostor), far_target)
    accepted = test < limit
    return float(accuracy), float(accepted[test_same].mean()), float(accepted[~test_same].mean())


def _threshold_at(far: np.ndarray, target: float) -> float:
    """Where the FAR curve over `_TAR_THRESHOLDS`, linearly interpolated, equals `target`.

    What `scipy.interpolate.interp1d(far, thresholds, kind="slinear")(target)` gave up to scipy 1.8.1;
    newer ones refuse the repeated values that such a curve always has. 0 where the curve stays below.
    """
    if far[-1] < target:
        return 0.0
    i = int(np.searchsorted(far, target, side="right")) - 1
    if far[i] == target:
        return float(_TAR_THRESHOLDS[i])
    share = (target - far[i]) / (far[i + 1] - far[i])
    return float(_TAR_THRESHOLDS[i] + share * (_TAR_THRESHOLDS[i + 1] - _TAR_THRESHOLDS[i]))


def score_pairs(embeddings: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Cosine similarity of the pairs (left[i], right[i]) of rows of `embeddings` [N, D]: float32 [P]."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.sum(unit[left] * unit[right], axis=1, dtype=np.float32)


# Cosines of all pairs are kept as whole numbers of this step: 2 bytes each, and far finer than the
# spread between training runs. TAR is computed from what is kept, so that it can be recomputed exactly.
COSINE_STEP = 1 / 32767


@dataclass(frozen=True)
class AllPairsScores:
    """What TAR over all pairs needs: every same-person score, the top of the others, who is in them.

    Attributes:
        genuine: int16 [G], scores of same-person pairs in units of `COSINE_STEP`.
        genuine_person: int32 [G], label of that person.
        impostor: int16 [I], the highest scores of different-person pairs, descending.
        impostor_people: int32 [I, 2], the two labels.
        impostor_pairs: number of different-person pairs in all.
    """

    genuine: np.ndarray
    genuine_person: np.ndarray
    impostor: np.ndarray
    impostor_people: np.ndarray
    impostor_pairs: int


@dataclass(frozen=True)
class AllPairsResult:
    """TAR over all pairs at one FAR.

    Attributes:
        far_target: the false accept rate allowed.
        threshold: cosine above which a pair is accepted.
        tar: share of same-person pairs accepted; a person with n images has n(n-1)/2 of them.
        tar_by_person: the same share for each person, averaged over people: each counts once. In LFW's
            sets 8-10 one man is in nine of ten same-person pairs, so `tar` is mostly about him.
        genuine_pairs: number of same-person pairs.
        impostor_pairs: number of different-person pairs.
        people: number of people with two images or more.
    """

    far_target: float
    threshold: float
    tar: float
    tar_by_person: float
    genuine_pairs: int
    impostor_pairs: int
    people: int

    def to_dict(self) -> dict[str, float]:
        """The fields by name, for a run record."""
        return asdict(self)


def score_all_pairs(
    embeddings: np.ndarray, labels: np.ndarray, *, highest_far: float = 1e-2
) -> AllPairsScores:
    """Cosine scores of all pairs of images, keeping what TAR at FARs up to `highest_far` needs.

    Args:
        embeddings: float [N, D], any norm.
        labels: int [N], person of each image.
        highest_far: share of different-person scores to keep, from the top.

    Raises:
        ConfigError: there is no same-person pair or no different-person pair.
    """
    unit = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    counts = np.unique(labels, return_counts=True)[1]
    genuine_pairs = int((counts * (counts - 1) // 2).sum())
    impostor_pairs = len(labels) * (len(labels) - 1) // 2 - genuine_pairs
    if not genuine_pairs or not impostor_pairs:
        raise ConfigError("Verification needs two images of one person and images of two people.")
    # One more than may be accepted: the threshold lies on the first that may not be.
    keep = min(int(highest_far * impostor_pairs) + 1, impostor_pairs)
    genuine, people, impostor, pairs = [], [], np.empty(0, np.int16), np.empty((0, 2), np.int32)
    for start in range(0, len(unit), 1024):
        block = np.arange(start, min(start + 1024, len(unit)))
        cosines = np.rint(unit[block] @ unit[start:].T / COSINE_STEP).clip(-32767, 32767).astype(np.int16)
        row, column = np.nonzero(np.arange(start, len(unit)) > block[:, None])
        score, a, b = cosines[row, column], labels[block[row]], labels[start + column]
        equal = a == b
        genuine.append(score[equal])
        people.append(a[equal])
        impostor = np.concatenate([impostor, score[~equal]])
        pairs = np.concatenate([pairs, np.stack([a[~equal], b[~equal]], axis=1).astype(np.int32)])
        if len(impostor) > keep:
            top = np.argpartition(-impostor.astype(np.int32), keep - 1)[:keep]
            impostor, pairs = impostor[top], pairs[top]
    order = np.argsort(-impostor.astype(np.int32), kind="stable")
    return AllPairsScores(
        np.concatenate(genuine),
        np.concatenate(people).astype(np.int32),
        impostor[order],
        pairs[order],
        impostor_pairs,
    )


def all_pairs(scores: AllPairsScores, far_target: float) -> AllPairsResult:
    """TAR at `far_target`: as many false accepts as the target allows, and no more when scores tie.

    Raises:
        ConfigError: the scores were not kept down to this FAR.
    """
    allowed = int(far_target * scores.impostor_pairs)
    if allowed >= len(scores.impostor):
        raise ConfigError(
            f"Scores were kept for FAR up to {(len(scores.impostor) - 1) / scores.impostor_pairs:.2g}, "
            f"not {far_target}."
        )
    accepted = scores.genuine > scores.impostor[allowed]
    _, person, counts = np.unique(scores.genuine_person, return_inverse=True, return_counts=True)
    by_person = np.bincount(person, weights=accepted) / counts
    return AllPairsResult(
        far_target=far_target,
        threshold=float(scores.impostor[allowed] * COSINE_STEP),
        tar=float(accepted.mean()),
        tar_by_person=float(by_person.mean()),
        genuine_pairs=len(accepted),
        impostor_pairs=scores.impostor_pairs,
        people=len(counts),
    )
