"""The stability study: how each of its runs ended, and how far training had progressed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.contrasts import Effect, contrast, pooled_spread
from trsfnet.analysis.held_out import chance_loss
from trsfnet.analysis.run import Run
from trsfnet.experiments.budgets import protocol
from trsfnet.experiments.variants import STABILITY, Variant

_KEYS = {variant.key for variant in STABILITY}


class Ending(StrEnum):
    """The ways in which a run of the study can end."""

    NOT_COLLAPSED = "not collapsed"
    CHANCE = "ended at chance"
    EXPLODED = "gradients exploded"
    NOT_FINITE = "not finite"


_ENDINGS = {"chance": Ending.CHANCE, "explosion": Ending.EXPLODED}
"""Ending by kind of collapse; all other kinds mean that values were not finite."""


@dataclass(frozen=True, eq=False)
class StudyRun:
    """A run of the study that has ended."""

    run: Run

    @property
    def collapsed(self) -> bool:
        """True if the run collapsed."""
        return self.run.collapsed

    @property
    def ending(self) -> Ending:
        """How the run ended."""
        collapse = self.run.collapse
        return _ENDINGS.get(collapse.kind, Ending.NOT_FINITE) if collapse else Ending.NOT_COLLAPSED

    @property
    def step(self) -> int | None:
        """The step at which a collapse was detected, counted from 1; None if detected at the end or never."""
        return self.run.collapse.step if self.run.collapse else None

    @cached_property
    def losses(self) -> np.ndarray:
        """Mean training loss of each finished epoch: float64 [epochs]."""
        return np.empty(0) if self.run.history.empty else self.run.history["loss"].to_numpy(float)

    @property
    def accuracy(self) -> float:
        """Training accuracy in the last finished epoch, in 0..1; 0 without one."""
        return 0.0 if self.run.history.empty else float(self.run.history["train_accuracy"].iloc[-1])

    @property
    def epoch(self) -> int:
        """The epoch in which the run ended, counted from 1."""
        return len(self.losses) + (self.step is not None)

    @cached_property
    def astray_since(self) -> int | None:
        """The first epoch from which the loss stayed at or above chance level; None if it ended below."""
        # NaN compares as not below chance level.
        better = np.flatnonzero(self.losses < chance_loss(self.run))
        if not len(self.losses) or len(self.losses) - 1 in better:
            return None
        return int(better[-1]) + 2 if len(better) else 1


@dataclass(frozen=True, eq=False)
class Study:
    """Runs of the study's variants that differ only in variant, learning rate and seed.

    Attributes:
        campaign: the runs that have ended, with their verdicts.
        unended: runs of the same protocol with status `running` or `failed`.
    """

    campaign: Campaign
    unended: tuple[Run, ...]

    @cached_property
    def cells(self) -> dict[tuple[str, float], list[StudyRun]]:
        """The runs of each variant at each learning rate, ordered by seed."""
        found: dict[tuple[str, float], list[StudyRun]] = {}
        for (variant, rate, _), run in sorted(self.campaign.runs.items(), key=lambda item: item[0]):
            if variant in _KEYS:
                found.setdefault((variant, rate), []).append(StudyRun(run))
        return found

    def cell(self, variant: str, rate: float) -> list[StudyRun]:
        """Return the runs of a variant at a learning rate, ordered by seed; empty if there are none."""
        return self.cells.get((variant, rate), [])

    @cached_property
    def runs(self) -> list[StudyRun]:
        """All runs of the study that have ended."""
        return [run for cell in self.cells.values() for run in cell]

    @cached_property
    def collapses(self) -> list[StudyRun]:
        """The runs that collapsed."""
        return [run for run in self.runs if run.collapsed]

    @cached_property
    def rates(self) -> list[float]:
        """The learning rates, in ascending order."""
        return sorted({rate for _, rate in self.cells})

    @cached_property
    def variants(self) -> list[Variant]:
        """The variants with runs, in the order of the study."""
        run = {variant for variant, _ in self.cells}
        return [variant for variant in STABILITY if variant.key in run]

    def of(self, variant: str) -> list[StudyRun]:
        """Return all runs of a variant, ordered by learning rate and seed."""
        return [run for rate in self.rates for run in self.cell(variant, rate)]

    def at(self, rate: float) -> list[StudyRun]:
        """Return all runs at a learning rate."""
        return [run for (_, r), cell in self.cells.items() if r == rate for run in cell]

    def mean_accuracy(self, variant: str, rate: float) -> Effect | None:
        """Return the mean training accuracy over seeds; None with fewer than two seeds."""
        return self._accuracy({variant: 1.0}, rate)

    def accuracy_difference(self, first: str, second: str, rate: float) -> Effect | None:
        """Return the difference first - second in training accuracy; None with fewer than two seeds."""
        return self._accuracy({first: 1.0, second: -1.0}, rate)

    def _accuracy(self, weights: dict[str, float], rate: float) -> Effect | None:
        values = [{r.run.seed: r.accuracy for r in self.cell(variant, rate)} for variant in weights]
        # The spread is not pooled: it is small for variants that train well and large near a collapse.
        spreads = [spread for each in values if (spread := pooled_spread([each]))]
        return contrast(values, list(weights.values()), spreads) if len(spreads) == len(values) else None


def find_study(campaigns: Sequence[Campaign], runs: Sequence[Run]) -> Study | None:
    """Return the campaign of the study; if there are several, as with other images, the one with most runs.

    Args:
        campaigns: all campaigns. Other studies also train these variants at several learning rates.
        runs: all runs, used to find those that have not ended.

    Returns:
        The study; None if it has no runs at more than one learning rate.
    """
    own = [campaign for campaign in campaigns if any(run.in_stability_study for run in campaign.ordered)]
    studies = [Study(campaign, _unended(campaign, runs)) for campaign in own]
    studies = [study for study in studies if len(study.rates) > 1]
    return max(studies, key=lambda study: len(study.runs), default=None)


def _unended(campaign: Campaign, runs: Sequence[Run]) -> tuple[Run, ...]:
    waiting = [run for run in runs if run.status in ("running", "failed") and run.variant in _KEYS]
    shared = _without_rate(campaign.ordered[0])
    return tuple(run for run in waiting if _without_rate(run) == shared)


def _without_rate(run: Run) -> dict[str, object]:
    return {k: v for k, v in protocol(run.config).items() if k != "learning_rate"}
