"""LFW's View 2: ten folds of pairs, with thresholds chosen on nine folds and applied to the tenth.

Except in the three cases below, the results equal facenet's exactly; insightface applies the same protocol to
embeddings computed differently, see `trsfnet.evaluation.conventions`. TAR (true accept rate) is the share of
same-person pairs accepted at a threshold at which a given share FAR (false accept rate) of different-person
pairs is accepted. facenet calls TAR the "validation rate"; it is the quantity in the paper's tables 1, 2 and
6.

Three cases differ from facenet:

- If embeddings are nearly equal, all distances lie below the first step of facenet's grid, and it accepts
  every pair: TAR is 1 at a FAR of 1. Only the threshold 0 then keeps to the target FAR, and here TAR is 0.
  The same applies whenever the FAR of the held-out folds exceeds the target by more than chance can explain,
  unless the set has too few pairs to tell.
- With cosine distance, two equal images may have a cosine just above 1. facenet's angle then becomes NaN, and
  the pair is rejected. Here the distance is 0.
- At a target FAR of 1, facenet uses the lowest threshold that accepts every different-person pair; this
  module uses the highest threshold of the grid, which accepts every pair.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from trsfnet.errors import ConfigError
from trsfnet.evaluation.distances import fold_distances
from trsfnet.evaluation.names import far_name

TEN_FOLD_FARS = (1e-2, 1e-3)

# facenet's grids of distance thresholds.
_ACCURACY_THRESHOLDS = np.arange(0, 4, 0.01)
_TAR_THRESHOLDS = np.arange(0, 4, 0.001)

# A FAR on the held-out folds counts as too high to be chance if it is above `_FAR_EXCESS` times the target
# (or the largest of `TEN_FOLD_FARS`, if that is higher) and there are at least `_ENOUGH_IMPOSTORS`
# different-person pairs.
_FAR_EXCESS = 10
_ENOUGH_IMPOSTORS = 100


@dataclass(frozen=True)
class TenFoldResult:
    """facenet's LFW results: means over the folds, with population standard deviations.

    Attributes:
        accuracy: share of pairs judged correctly, with the threshold chosen on the other folds.
        accuracy_std: standard deviation of the accuracy over folds.
        tar: true accept rate at the target FAR, with the threshold chosen on the other folds ("VAL").
        tar_std: standard deviation of TAR over folds.
        far: false accept rate measured on the held-out folds.
        far_target: target false accept rate.
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
        """Return the fields by name, for a run record."""
        return asdict(self)


@dataclass(frozen=True)
class TenFoldScores:
    """Distances of pairs in folds: the input of View 2 and of resampling its people.

    Attributes:
        distances: [P], or [folds, P] if they depend on the held-out fold (mean subtraction).
        same: bool [P], True for same-person pairs.
        fold: int [P], fold of each pair, counted from 0.
        people: int [P, 2], labels of the two persons in each pair; None if unknown.
    """

    distances: np.ndarray
    same: np.ndarray
    fold: np.ndarray
    people: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Reject distances that are not finite, and folds that lack pairs of either kind."""
        pairs = len(self.same)
        known = pairs > 0 and self.fold.shape == (pairs,)
        if not known or self.distances.shape not in ((pairs,), (self.folds, pairs)):
            raise ConfigError(
                f"Each pair needs a label, a fold and a distance, or one distance for each fold, got "
                f"{self.same.shape}, {self.fold.shape} and {self.distances.shape}."
            )
        if not np.isfinite(self.distances).all():
            raise ConfigError("The distances of the pairs, and so the embeddings, must be finite.")
        check_folds(self.same, self.fold)

    @property
    def folds(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1

    @property
    def identities(self) -> int:
        """Number of persons in the pairs.

        Raises:
            ConfigError: if the people are unknown.
        """
        return int(self._numbered.max()) + 1

    @cached_property
    def _numbered(self) -> np.ndarray:
        """The persons in each pair, numbered from 0 in the order of their labels: int [2, P]."""
        if self.people is None:
            raise ConfigError(
                "These scores do not identify the people in their pairs, so the people cannot be resampled."
            )
        return np.unique(self.people, return_inverse=True)[1].reshape(self.people.shape).T

    def result(self, far_target: float) -> TenFoldResult:
        """Compute View 2's results, with TAR at `far_target`, from 0 to 1."""
        if not 0 <= far_target <= 1:
            raise ConfigError(f"far_target must be from 0 to 1, got {far_target}.")
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
        """Compute the accuracy and TAR at each of `TEN_FOLD_FARS`, by name, with people weighted.

        Args:
            weights: int [identities], number of copies of each person; None for one copy each. A
                different-person pair whose persons have v and w copies counts v * w times. A same-person pair
                counts w times, within each copy only: a pair across two copies would be a different-person
                pair with a same-person score.

        Returns:
            Means over the folds that still contain pairs of the required kind; NaN if none does.
        """
        if weights is None:
            pairs = np.ones(len(self.same))
        else:
            left, right = weights[self._numbered]
            pairs = np.where(self.same, left, left * right).astype(np.float64)
        with np.errstate(invalid="ignore"):  # a fold may end up empty
            by_fold = {"accuracy": self._share(self._right(pairs), pairs)}
            curves = self._far_curves(pairs)
            for far in TEN_FOLD_FARS:
                accepted = self._accepted(curves, far, pairs)
                by_fold[f"tar@{far_name(far)}"] = self._share(accepted, pairs * self.same)
        return {name: _mean(shares) for name, shares in by_fold.items()}

    def successes(self) -> dict[str, np.ndarray]:
        """Return what each metric counts as bool: all pairs for accuracy, same-person pairs for TAR."""
        once = np.ones(len(self.same))
        curves = self._far_curves(once)
        tar = {f"tar@{far_name(far)}": self._accepted(curves, far, once)[self.same] for far in TEN_FOLD_FARS}
        return {"accuracy": self._right(once), **tar}

    def _share(self, counted: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the weighted share of counted pairs in each fold: [folds]."""
        return np.bincount(self.fold, weights * counted) / np.bincount(self.fold, weights)

    def _right(self, weights: np.ndarray) -> np.ndarray:
        """Return whether each pair is judged correctly at the best threshold of the other folds: bool [P]."""
        gain = self._all.accepted(weights * np.where(self.same, 1, -1))[:, :-1]
        best = _ACCURACY_THRESHOLDS[np.argmax(gain, axis=1)]
        return (self.held_out < best[self.fold]) == self.same

    def _far_curves(self, weights: np.ndarray) -> np.ndarray:
        """Return the FAR of the other folds at each of `_TAR_THRESHOLDS`: [folds, thresholds]."""
        accepted = self._impostors.accepted(weights)
        return accepted[:, :-1] / accepted[:, -1:]

    def _accepted(self, far_curves: np.ndarray, far_target: float, weights: np.ndarray) -> np.ndarray:
        """Return whether each pair is accepted, as bool [P].

        The threshold of a fold is that at which the FAR of the other folds equals `far_target`. No pair is
        accepted if the FAR of the held-out folds is far above the target: see the module docstring.
        """
        limits = _thresholds_at(far_curves, far_target).astype(self.held_out.dtype)
        accepted = self.held_out < limits[self.fold]
        impostors = weights * ~self.same
        allowed = _FAR_EXCESS * max(far_target, *TEN_FOLD_FARS) * impostors.sum()
        few = impostors.sum() < _ENOUGH_IMPOSTORS and limits.max() >= _TAR_THRESHOLDS[1]
        return accepted & (few or impostors[accepted].sum() <= allowed)

    @cached_property
    def held_out(self) -> np.ndarray:
        """Distance of each pair when its own fold is held out: [P]."""
        if self.distances.ndim == 1:
            return self.distances
        return self.distances[self.fold, np.arange(len(self.same))]

    @cached_property
    def _all(self) -> _Training:
        return _Training(self, np.ones(len(self.same), dtype=bool), _ACCURACY_THRESHOLDS)

    @cached_property
    def _impostors(self) -> _Training:
        return _Training(self, ~self.same, _TAR_THRESHOLDS)


def check_folds(same: np.ndarray, fold: np.ndarray) -> None:
    """Raise `ConfigError` unless every fold has pairs of both kinds: same is bool [P], fold int [P]."""
    for number in range(int(fold.max()) + 1):
        held_out = same[fold == number]
        if held_out.all() or not held_out.any():
            raise ConfigError(f"Fold {number} must contain both same-person and different-person pairs.")


class _Training:
    """The training pairs of every fold, binned by threshold once so that any weights can be applied."""

    def __init__(self, scores: TenFoldScores, wanted: np.ndarray, thresholds: np.ndarray) -> None:
        number = np.arange(scores.folds)[:, None]
        held_out, self._pair = np.nonzero(wanted & (scores.fold != number))
        distances = np.broadcast_to(scores.distances, (scores.folds, len(wanted)))[held_out, self._pair]
        self._shape = scores.folds, len(thresholds) + 1
        # A pair is accepted at thresholds strictly above its distance.
        self._cell = held_out * self._shape[1] + np.searchsorted(thresholds, distances, side="right")

    def accepted(self, weights: np.ndarray) -> np.ndarray:
        """Return the weight below each threshold, then the total weight: [folds, thresholds + 1]."""
        cells = np.bincount(self._cell, weights[self._pair], self._shape[0] * self._shape[1])
        return cells.reshape(self._shape).cumsum(axis=1)


def _thresholds_at(far: np.ndarray, target: float) -> np.ndarray:
    """Return the threshold at which each FAR curve, linearly interpolated, equals `target`: [folds].

    `far` is [folds, thresholds]. The result is that of
    `scipy.interpolate.interp1d(far, thresholds, kind="slinear")(target)` up to SciPy 1.8.1; later versions
    reject repeated values, which such a curve always has. The threshold is 0 if the curve stays below
    `target`.
    """
    fold, last = np.arange(len(far)), far.shape[1] - 1
    i = np.sum(far <= target, axis=1) - 1
    j = np.minimum(i + 1, last)
    rise = far[fold, j] - far[fold, i]
    share = np.divide(target - far[fold, i], rise, out=np.zeros(len(far)), where=rise > 0)
    limits = _TAR_THRESHOLDS[i] + share * (_TAR_THRESHOLDS[j] - _TAR_THRESHOLDS[i])
    return np.where(far[:, last] >= target, limits, 0.0)


def _mean(shares: np.ndarray) -> float:
    """Return the mean of the finite values; NaN if there are none."""
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
    """Evaluate View 2 on pairs ordered by fold, as in `pairs.txt`.

    Args:
        left: [P, D] embeddings of unit length (or, with flipping, facenet's two concatenated).
        right: [P, D] embeddings.
        same: bool [P], True for same-person pairs.
        far_target: false accept rate at which TAR is measured.
        distance: `euclidean` or `cosine`.
        subtract_mean: subtract the mean embedding of the other folds before measuring.
        folds: number of contiguous folds, at least 2.

    Raises:
        ConfigError: if a number is out of range, the shapes disagree, an embedding is not finite, or a fold
            lacks same-person pairs or different-person pairs.
    """
    same = np.asarray(same, dtype=bool)
    if left.shape != right.shape or left.ndim != 2 or same.shape != left.shape[:1]:
        raise ConfigError(
            f"ten_fold needs two arrays of embeddings [P, D] and labels [P], got {left.shape}, {right.shape} "
            f"and {same.shape}."
        )
    if folds < 2:
        raise ConfigError(f"folds must be at least 2, since thresholds come from the others, got {folds}.")
    parts = np.array_split(np.arange(len(same)), folds)
    fold = np.repeat(np.arange(folds), [len(part) for part in parts])
    distances = fold_distances(left, right, fold, distance=distance, subtract_mean=subtract_mean)
    return TenFoldScores(distances, same, fold).result(far_target)
