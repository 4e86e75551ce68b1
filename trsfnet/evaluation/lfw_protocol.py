"""LFW's View 2: ten folds of pairs, thresholds chosen on nine of them and applied to the tenth.

facenet's numbers, number for number; insightface computes the same from other embeddings, see
`trsfnet.evaluation.conventions`. TAR (true accept rate) is the share of same-person pairs that are accepted,
at a threshold that accepts the stated share FAR (false accept rate) of different-person pairs. facenet calls
it "validation rate"; it is the number in the paper's tables 1, 2 and 6.

Three cases are not facenet's:

- Embeddings that are nearly equal lie below the first step of its grid, where it accepts everybody: TAR 1 at
  a FAR of 1. Only the threshold 0 meets the stated FAR then, and TAR is 0 here. So it is wherever held-out
  folds meet a FAR so far above the stated one that no chance explains it; in sets of few pairs chance does.
- By cosine, two equal images may have a cosine just above 1, whose angle facenet lets become NaN, so that it
  refuses the pair. Here their distance is 0.
- At a target FAR of 1, facenet takes the lowest threshold that accepts every pair of two people, this the
  highest of its grid, which accepts every pair.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from trsfnet.errors import ConfigError
from trsfnet.evaluation.distances import fold_distances
from trsfnet.evaluation.names import far_name

TEN_FOLD_FARS = (1e-2, 1e-3)

# facenet's grids of distances.
_ACCURACY_THRESHOLDS = np.arange(0, 4, 0.01)
_TAR_THRESHOLDS = np.arange(0, 4, 0.001)

# The FAR on held-out folds that no chance explains: ten times the one aimed at, or the largest of these; with
# at least so many pairs of two people.
_FAR_EXCESS = 10
_ENOUGH_IMPOSTORS = 100


@dataclass(frozen=True)
class TenFoldResult:
    """facenet's LFW numbers: means over the folds, and population standard deviations between them.

    Attributes:
        accuracy: share of pairs judged correctly, threshold chosen on the other folds.
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


@dataclass(frozen=True)
class TenFoldScores:
    """Distances of pairs in folds: all that View 2 needs, and what resampling its people needs.

    Attributes:
        distances: [P], or [folds, P] where they depend on the fold that is held out (mean subtraction).
        same: bool [P], whether a pair shows one person.
        fold: int [P], fold of each pair, from 0.
        people: int [P, 2], labels of the persons of each pair; None if they are not known.
    """

    distances: np.ndarray
    same: np.ndarray
    fold: np.ndarray
    people: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Reject a fold in which there is nothing to measure."""
        for number in range(self.folds):
            held_out = self.same[self.fold == number]
            if held_out.all() or not held_out.any():
                raise ConfigError(f"Fold {number} must hold same-person pairs and different-person pairs.")

    @property
    def folds(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1

    @property
    def identities(self) -> int:
        """Number of persons in the pairs.

        Raises:
            ConfigError: they are not known.
        """
        return int(self._numbered.max()) + 1

    @cached_property
    def _numbered(self) -> np.ndarray:
        """The persons of each pair, numbered from 0 in the order of their labels: int [2, P]."""
        if self.people is None:
            raise ConfigError(
                "These scores do not identify the people in their pairs: they cannot be resampled."
            )
        return np.unique(self.people, return_inverse=True)[1].reshape(self.people.shape).T

    def result(self, far_target: float) -> TenFoldResult:
        """View 2's numbers, with TAR at `far_target`."""
        once = np.ones(len(self.same))
        accuracy = self._share(self._right(once), once)
        accepted = self._accepted(self._far_curves(once), far_target, once)
        tar = self._share(accepted, once * self.same)
        return TenFoldResult(
            accuracy=float(accuracy.mean()),
            accuracy_std=float(accuracy.std()),
            tar=float(tar.mean()),
            tar_std=float(tar.std()),
            far=float(self._share(accepted, once * ~self.same).mean()),
            far_target=far_target,
            folds=self.folds,
            pairs=len(self.same),
        )

    def metrics(self, weights: np.ndarray | None = None) -> dict[str, float]:
        """Accuracy and TAR at each of `TEN_FOLD_FARS` by name, with people counted by weight.

        Args:
            weights: int [identities], how many copies of each person there are; None for one each. Persons
                with v and w copies make v * w pairs of different people. w copies make w pairs of one
                person, each within a copy: a pair across two copies would be one of different people with a
                same-person score.

        Returns:
            Means over the folds that are left with pairs of the kind; NaN where none is.
        """
        if weights is None:
            pairs = np.ones(len(self.same))
        else:
            left, right = weights[self._numbered]
            pairs = np.where(self.same, left, left * right).astype(np.float64)
        with np.errstate(invalid="ignore"):  # a fold may be left empty
            by_fold = {"accuracy": self._share(self._right(pairs), pairs)}
            curves = self._far_curves(pairs)
            for far in TEN_FOLD_FARS:
                accepted = self._accepted(curves, far, pairs)
                by_fold[f"tar@{far_name(far)}"] = self._share(accepted, pairs * self.same)
        return {name: _mean(shares) for name, shares in by_fold.items()}

    def successes(self) -> dict[str, np.ndarray]:
        """What each metric counts: bool, by pair for accuracy and by same-person pair for TAR."""
        once = np.ones(len(self.same))
        curves = self._far_curves(once)
        tar = {f"tar@{far_name(far)}": self._accepted(curves, far, once)[self.same] for far in TEN_FOLD_FARS}
        return {"accuracy": self._right(once), **tar}

    def _share(self, counted: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """[folds], the share of each fold's weight that is counted."""
        return np.bincount(self.fold, weights * counted) / np.bincount(self.fold, weights)

    def _right(self, weights: np.ndarray) -> np.ndarray:
        """Whether each pair is judged correctly at the best threshold of the other folds: bool [P]."""
        gain = self._all.accepted(weights * np.where(self.same, 1, -1))[:, :-1]
        best = _ACCURACY_THRESHOLDS[np.argmax(gain, axis=1)]
        return (self.held_out < best[self.fold]) == self.same

    def _far_curves(self, weights: np.ndarray) -> np.ndarray:
        """[folds, thresholds], the FAR of the other folds at each of `_TAR_THRESHOLDS`."""
        accepted = self._impostors.accepted(weights)
        return accepted[:, :-1] / accepted[:, -1:]

    def _accepted(self, far_curves: np.ndarray, far_target: float, weights: np.ndarray) -> np.ndarray:
        """Whether each pair is accepted where the other folds' FAR is `far_target`: bool [P].

        None is where the held-out folds meet a FAR far above it: see the top of this file.
        """
        limits = _thresholds_at(far_curves, far_target).astype(self.held_out.dtype)
        accepted = self.held_out < limits[self.fold]
        impostors = weights * ~self.same
        allowed = _FAR_EXCESS * max(far_target, *TEN_FOLD_FARS) * impostors.sum()
        few = impostors.sum() < _ENOUGH_IMPOSTORS and limits.max() >= _TAR_THRESHOLDS[1]
        return accepted & (few or impostors[accepted].sum() <= allowed)

    @cached_property
    def held_out(self) -> np.ndarray:
        """[P], the distance of each pair when its own fold is held out."""
        if self.distances.ndim == 1:
            return self.distances
        return self.distances[self.fold, np.arange(len(self.same))]

    @cached_property
    def _all(self) -> _Training:
        return _Training(self, np.ones(len(self.same), dtype=bool), _ACCURACY_THRESHOLDS)

    @cached_property
    def _impostors(self) -> _Training:
        return _Training(self, ~self.same, _TAR_THRESHOLDS)


class _Training:
    """The training pairs of every fold, sorted into the gaps between thresholds once for all weights."""

    def __init__(self, scores: TenFoldScores, wanted: np.ndarray, thresholds: np.ndarray) -> None:
        number = np.arange(scores.folds)[:, None]
        held_out, self._pair = np.nonzero(wanted & (scores.fold != number))
        distances = np.broadcast_to(scores.distances, (scores.folds, len(wanted)))[held_out, self._pair]
        self._shape = scores.folds, len(thresholds) + 1
        # A distance is accepted from the first threshold above it.
        self._cell = held_out * self._shape[1] + np.searchsorted(thresholds, distances, side="right")

    def accepted(self, weights: np.ndarray) -> np.ndarray:
        """[folds, thresholds + 1], weight of the pairs below each threshold; last, of all pairs."""
        cells = np.bincount(self._cell, weights[self._pair], self._shape[0] * self._shape[1])
        return cells.reshape(self._shape).cumsum(axis=1)


def _thresholds_at(far: np.ndarray, target: float) -> np.ndarray:
    """Where each FAR curve [folds, thresholds], linearly interpolated, equals `target`: [folds].

    What `scipy.interpolate.interp1d(far, thresholds, kind="slinear")(target)` gave up to scipy 1.8.1;
    newer ones refuse the repeated values that such a curve always has. 0 where the curve stays below.
    """
    fold, last = np.arange(len(far)), far.shape[1] - 1
    i = np.sum(far <= target, axis=1) - 1
    j = np.minimum(i + 1, last)
    rise = far[fold, j] - far[fold, i]
    share = np.divide(target - far[fold, i], rise, out=np.zeros(len(far)), where=rise > 0)
    limits = _TAR_THRESHOLDS[i] + share * (_TAR_THRESHOLDS[j] - _TAR_THRESHOLDS[i])
    return np.where(far[:, last] >= target, limits, 0.0)


def _mean(shares: np.ndarray) -> float:
    """Mean of those that are numbers."""
    shares = shares[np.isfinite(shares)]
    return float(shares.mean()) if len(shares) else float("nan")


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
    """View 2 of pairs that stand fold by fold, as in `pairs.txt`.

    Args:
        left: [P, D] embeddings of unit length (or, with flipping, facenet's concatenated pair of them).
        right: [P, D] embeddings.
        same: bool [P], whether a pair shows one person.
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
    parts = np.array_split(np.arange(len(same)), folds)
    fold = np.repeat(np.arange(folds), [len(part) for part in parts])
    distances = fold_distances(left, right, fold, distance=distance, subtract_mean=subtract_mean)
    return TenFoldScores(distances, same, fold).result(far_target)
