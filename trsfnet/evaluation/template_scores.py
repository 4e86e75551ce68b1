"""Scores of template pairs: the input of 1:1 verification and of resampling its people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trsfnet.data.ijb_meta import Searches, TemplatePairs
from trsfnet.errors import ConfigError
from trsfnet.evaluation.names import far_name
from trsfnet.evaluation.protocol import SPARE
from trsfnet.evaluation.rates import allowed
from trsfnet.evaluation.templates import FARS, TarAtFar, tar_at_fars


@dataclass(frozen=True)
class TemplateScores:
    """Scores of template pairs.

    Attributes:
        scores: float32 [P], higher for pairs more likely to show the same person.
        same: bool [P], True if both templates show the same person.
        people: int [P, 2], the two persons in each pair; None if unknown.
    """

    scores: np.ndarray
    same: np.ndarray
    people: np.ndarray | None = None

    @cached_property
    def results(self) -> list[TarAtFar]:
        """TAR at each of `FARS`."""
        return tar_at_fars(self.scores, self.same)

    @property
    def identities(self) -> int:
        """Number of persons in the pairs.

        Raises:
            ConfigError: if the people are unknown.
        """
        return int(self._numbered.max()) + 1

    def metrics(self, weights: np.ndarray | None = None) -> dict[str, float]:
        """Compute TAR at each of `FARS`, by name, with people weighted.

        Args:
            weights: int [identities], number of copies of each person; None for one copy each. Pairs are
                weighted as in `TenFoldScores.metrics`.

        Returns:
            TAR by metric name; NaN if the weights leave no same-person pair, or if too few scores were kept.
        """
        if weights is None:
            return {f"tar@{far_name(result.far_target)}": result.tar for result in self.results}
        own = weights[self._genuine_person]
        accepted = np.concatenate([[0], np.cumsum(own)])
        left, right = self._top_people
        impostors = np.cumsum(weights[left] * weights[right])
        impostor_pairs = float(weights @ (self._impostor_pairs @ weights.astype(np.float32)))
        named = {}
        for far in FARS:
            # The first impostor that must be rejected.
            limit = np.searchsorted(impostors, allowed(far, impostor_pairs), side="right")
            kept = limit < len(impostors) and accepted[-1] > 0
            tar = accepted[self._above[limit]] / accepted[-1] if kept else float("nan")
            named[f"tar@{far_name(far)}"] = float(tar)
        return named

    def successes(self) -> dict[str, np.ndarray]:
        """Return whether each same-person pair is accepted at each FAR, as bool arrays by metric name."""
        genuine = self.scores[self.same]
        return {f"tar@{far_name(r.far_target)}": genuine > r.threshold for r in self.results}

    @cached_property
    def _numbered(self) -> np.ndarray:
        """The persons in each pair, numbered from 0 in the order of their labels: int [P, 2]."""
        if self.people is None:
            raise ConfigError(
                "These scores do not identify the people in their pairs, so the people cannot be resampled."
            )
        return np.unique(self.people, return_inverse=True)[1].reshape(self.people.shape)

    @cached_property
    def _descending(self) -> np.ndarray:
        """Indices of the highest impostors by descending score; as many as any draw should need."""
        impostors = np.flatnonzero(~self.same)
        keep = min(int(SPARE * max(FARS) * len(impostors)) + 2, len(impostors))
        turned = -self.scores[impostors]
        top = impostors[np.argpartition(turned, keep - 1)[:keep]]
        return top[np.argsort(-self.scores[top], kind="stable")]

    @cached_property
    def _top_people(self) -> np.ndarray:
        """The persons in each of the highest impostor pairs: int [2, K]."""
        return np.ascontiguousarray(self._numbered[self._descending].T)

    @cached_property
    def _genuine(self) -> np.ndarray:
        """Indices of the same-person pairs, by descending score."""
        genuine = np.flatnonzero(self.same)
        return genuine[np.argsort(-self.scores[genuine], kind="stable")]

    @cached_property
    def _genuine_person(self) -> np.ndarray:
        return self._numbered[self._genuine, 0]

    @cached_property
    def _above(self) -> np.ndarray:
        """Number of same-person pairs that score above each of the highest impostors."""
        return np.searchsorted(-self.scores[self._genuine], -self.scores[self._descending], side="left")

    @cached_property
    def _impostor_pairs(self) -> np.ndarray:
        """Number of different-person pairs of any two persons: float32 [identities, identities]."""
        size = self.identities
        left, right = self._numbered[~self.same].T
        counts = np.bincount(left * size + right, minlength=size * size)
        return counts.reshape(size, size).astype(np.float32)


def people_of_pairs(pairs: TemplatePairs, searches: Searches, templates: int) -> np.ndarray | None:
    """Determine the persons in each pair from the files of 1:N identification; those of 1:1 do not name them.

    Args:
        pairs: template pairs.
        searches: the templates of galleries and probes, with their subjects.
        templates: number of templates.

    Returns:
        int [P, 2]; None if a template of a pair is not in `searches`, or if the subjects contradict the
        pairs.
    """
    subjects = np.full(templates, -1, np.int64)
    for part in (*searches.galleries, searches.probes):
        subjects[part.rows] = part.subjects
    _, numbers = np.unique(subjects, return_inverse=True)
    numbers = np.where(subjects < 0, -1, numbers).astype(np.int32)
    people = np.stack([numbers[pairs.left], numbers[pairs.right]], axis=1)
    if (people < 0).any() or not np.array_equal(people[:, 0] == people[:, 1], pairs.same):
        return None
    return people
