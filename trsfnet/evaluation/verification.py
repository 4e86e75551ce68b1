"""Verification of all pairs of images: TAR at FAR, averaged over pairs and over people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from trsfnet.errors import ConfigError, DataError
from trsfnet.evaluation.distances import unit_rows
from trsfnet.evaluation.names import far_name
from trsfnet.evaluation.rates import allowed

ALL_PAIRS_FARS = (1e-2, 1e-3, 1e-4)

# Cosines of all pairs are stored as integer multiples of this step: 2 bytes each, with a resolution far finer
# than the spread between training runs. TAR is computed from the stored values, so it can be recomputed
# exactly.
COSINE_STEP = 1 / 32767


@dataclass(frozen=True)
class AllPairsResult:
    """TAR over all pairs at one FAR.

    Attributes:
        far_target: target false accept rate.
        threshold: cosine above which a pair is accepted.
        tar: share of same-person pairs accepted; a person with n images has n(n-1)/2 of them.
        tar_by_person: the share for each person, averaged over people, so that each person counts once. In
            LFW's sets 8-10, one man is in nine out of ten same-person pairs, so `tar` is mostly about him.
        genuine_pairs: number of same-person pairs.
        impostor_pairs: number of different-person pairs.
        people: number of people with at least two images.
    """

    far_target: float
    threshold: float
    tar: float
    tar_by_person: float
    genuine_pairs: int
    impostor_pairs: int
    people: int

    def to_dict(self) -> dict[str, float]:
        """Return the fields by name, for a run record."""
        return asdict(self)


@dataclass(frozen=True)
class AllPairsScores:
    """Input of TAR over all pairs: every same-person score, the highest other scores, and the people in them.

    Persons are numbered from 0, and each has at least one image.

    Attributes:
        genuine: int16 [G], scores of same-person pairs in units of `COSINE_STEP`.
        genuine_person: int32 [G], label of the person in each same-person pair.
        impostor: int16 [I], the highest scores of different-person pairs, in descending order.
        impostor_people: int32 [I, 2], labels of the two persons in each of these.
        impostor_pairs: total number of different-person pairs.
    """

    genuine: np.ndarray
    genuine_person: np.ndarray
    impostor: np.ndarray
    impostor_people: np.ndarray
    impostor_pairs: int

    @property
    def identities(self) -> int:
        """Number of persons."""
        return len(self._images)

    def result(self, far_target: float) -> AllPairsResult:
        """Compute TAR at `far_target`; tied scores never push false accepts above the target.

        Raises:
            ConfigError: if too few different-person scores were kept for this FAR.
        """
        (threshold, tar, by_person), *_ = self._at([far_target], np.ones(self.identities))
        if math.isnan(threshold):
            raise ConfigError(
                f"Scores were kept for FARs up to {(len(self.impostor) - 1) / self.impostor_pairs:.2g}, "
                f"which excludes {far_target}."
            )
        return AllPairsResult(
            far_target=far_target,
            threshold=threshold * COSINE_STEP,
            tar=tar,
            tar_by_person=by_person,
            genuine_pairs=len(self.genuine),
            impostor_pairs=self.impostor_pairs,
            people=int(np.sum(self._images > 1)),
        )

    def metrics(self, weights: np.ndarray | None = None) -> dict[str, float]:
        """Compute TAR and TAR by person at each of `ALL_PAIRS_FARS`, by name, with people weighted.

        Args:
            weights: int [identities], number of copies of each person; None for one copy each. A
                different-person pair whose persons have v and w copies counts v * w times. A same-person pair
                counts w times, within each copy only: a pair across two copies would be a different-person
                pair with a same-person score.

        Returns:
            Values by metric name; NaN if too few different-person scores were kept to find the threshold.
        """
        found = self._at(ALL_PAIRS_FARS, np.ones(self.identities) if weights is None else weights)
        named: dict[str, float] = {}
        for far, (_, tar, by_person) in zip(ALL_PAIRS_FARS, found, strict=True):
            named |= {f"tar@{far_name(far)}": tar, f"tar_by_person@{far_name(far)}": by_person}
        return named

    def impostors(self, weights: np.ndarray) -> float:
        """Return the total weight of different-person pairs, with people weighted as in `metrics`."""
        images = weights * self._images
        # All pairs of images minus the pairs within a person.
        return (images.sum() ** 2 - np.sum(images**2)) / 2

    def successes(self) -> dict[str, np.ndarray]:
        """Return whether each same-person pair is accepted, at each FAR that the scores reach."""
        found = self._at(ALL_PAIRS_FARS, np.ones(self.identities))
        return {
            f"tar@{far_name(far)}": self.genuine > threshold
            for far, (threshold, *_) in zip(ALL_PAIRS_FARS, found, strict=True)
            if not math.isnan(threshold)
        }

    def _at(self, far_targets: Sequence[float], weights: np.ndarray) -> list[tuple[float, float, float]]:
        """Return threshold (in units of `COSINE_STEP`), TAR and TAR by person at each FAR; NaN if unknown."""
        left, right = weights[self.impostor_people.T]
        impostors = np.cumsum(left * right, dtype=np.float64)
        impostor_pairs = self.impostors(weights)
        several = self._images > 1
        pairs = (self._images * (self._images - 1) // 2)[several]
        weights = weights[several]
        descending, person = self._genuine_descending
        found = []
        for far in far_targets:
            # The first impostor that must be rejected.
            limit = np.searchsorted(impostors, allowed(far, impostor_pairs), side="right")
            if limit == len(impostors) or not weights.any():
                found.append((math.nan, math.nan, math.nan))
                continue
            threshold = float(self.impostor[limit])
            accepted = person[: np.searchsorted(descending, -threshold)]
            hits = np.bincount(accepted, minlength=self.identities)[several]
            tar = np.sum(weights * hits) / np.sum(weights * pairs)
            by_person = np.sum(weights * (hits / pairs)) / np.sum(weights)
            found.append((threshold, float(tar), float(by_person)))
        return found

    @cached_property
    def _images(self) -> np.ndarray:
        """Images per person: int64 [identities]; n images make n(n-1)/2 pairs of that person."""
        several = _images_of(np.bincount(self.genuine_person))  # 1 for people without a pair
        alone = int(_images_of(len(self.genuine) + self.impostor_pairs)) - int(several.sum())
        if alone < 0 or self.impostor_people.max() >= len(several) + alone:
            raise DataError(
                f"{len(self.genuine)} same-person pairs of up to {len(several)} persons do not match "
                f"{self.impostor_pairs} pairs of different people in which person "
                f"{self.impostor_people.max()} appears."
            )
        return np.concatenate([several, np.ones(alone, dtype=np.int64)])

    @cached_property
    def _genuine_descending(self) -> tuple[np.ndarray, np.ndarray]:
        """Negated same-person scores in ascending order (highest score first), and the person of each."""
        turned = -self.genuine.astype(np.int32)
        order = np.argsort(turned, kind="stable")
        return turned[order], self.genuine_person[order]


def _images_of(pairs: np.ndarray | int) -> np.ndarray:
    """Return the number of images n that make n(n-1)/2 = `pairs` pairs."""
    return np.rint((1 + np.sqrt(1 + 8 * np.asarray(pairs))) / 2).astype(np.int64)


def score_all_pairs(
    embeddings: np.ndarray, labels: np.ndarray, *, highest_far: float = 1e-2
) -> AllPairsScores:
    """Compute cosine scores of all pairs of images, keeping what TAR at FARs up to `highest_far` needs.

    Args:
        embeddings: float [N, D], of any norm.
        labels: int [N], person of each image; the scores number the persons from 0 in the order of their
            labels.
        highest_far: share of different-person scores to keep, from the highest down.

    Raises:
        ConfigError: if the shapes disagree, an embedding is not finite, or there are no same-person pairs or
            no different-person pairs.
    """
    if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1]:
        raise ConfigError(
            "score_all_pairs needs an array of embeddings [N, D] and labels [N], got "
            f"{embeddings.shape} and {labels.shape}."
        )
    if not np.isfinite(embeddings).all():
        raise ConfigError("The embeddings of all images must be finite.")
    unit = unit_rows(embeddings).astype(np.float32)
    _, labels, counts = np.unique(labels, return_inverse=True, return_counts=True)
    genuine_pairs = int((counts * (counts - 1) // 2).sum())
    impostor_pairs = len(labels) * (len(labels) - 1) // 2 - genuine_pairs
    if not genuine_pairs or not impostor_pairs:
        raise ConfigError(
            "Verification needs at least two images of one person and images of at least two people."
        )
    # One more than may be accepted: the threshold is the score of the first that must be rejected.
    keep = min(int(allowed(highest_far, impostor_pairs)) + 1, impostor_pairs)
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
