"""The study on collapse: how each of its runs ended, and how far it had got."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.contrasts import Effect, contrast, pooled_spread
from trsfnet.analysis.run import Run
from trsfnet.experiments.budgets import protocol
from trsfnet.experiments.variants import STABILITY, Variant

_KEYS = {variant.key for variant in STABILITY}


class Ending(StrEnum):
    """How a run of the study ended."""

    TRAINED = "trained"
    CHANCE = "ended at chance"
    EXPLODED = "gradients exploded"
    NOT_FINITE = "not finite"


_ENDINGS = {"chance": Ending.CHANCE, "explosion": Ending.EXPLODED}
"""By kind of collapse; all others are numbers that were not finite."""


@dataclass(frozen=True, eq=False)
class StudyRun:
    """A run of the study that ended."""

    run: Run

    @property
    def collapsed(self) -> bool:
        """Whether it collapsed."""
        return self.run.collapsed

    @property
    def ending(self) -> Ending:
        """How it ended."""
        collapse = self.run.collapse
        return _ENDINGS.get(collapse.kind, Ending.NOT_FINITE) if collapse else Ending.TRAINED

    @property
    def step(self) -> int | None:
        """The step at which a collapse was seen, counted from 1; None where the end of training showed it."""
        return self.run.collapse.step if self.run.collapse else None

    @cached_property
    def losses(self) -> np.ndarray:
        """Mean training loss of each epoch that was finished: float64 [epochs]."""
        return np.empty(0) if self.run.history.empty else self.run.history["loss"].to_numpy(float)

    @property
    def accuracy(self) -> float:
        """Share of the training images classified correctly in the last epoch finished; 0 without one."""
        return 0.0 if self.run.history.empty else float(self.run.history["train_accuracy"].iloc[-1])

    @property
    def epoch(self) -> int:
        """The epoch in which the run ended, counted from 1."""
        return len(self.losses) + (self.step is not None)

    @cached_property
    def astray_since(self) -> int | None:
        """The epoch after which the loss stayed no better than chance; None if it ended better."""
        # What is not a number is not below chance either.
        better = np.flatnonzero(self.losses < chance_loss(self.run))
        if not len(self.losses) or len(self.losses) - 1 in better:
            return None
        return int(better[-1]) + 2 if len(better) else 1


def chance_loss(run: Run) -> float:
    """Cross-entropy, in nats, of a network that takes every identity for equally likely."""
    return math.log(run.info["data"]["train"]["identities"])


@dataclass(frozen=True, eq=False)
class Study:
    """Runs of the study's variants that differ in variant, learning rate and seed alone.

    Attributes:
        campaign: the runs that ended, with its verdicts.
        unended: runs of the same protocol that are still running, or failed for a reason of their machine.
    """

    campaign: Campaign
    unended: tuple[Run, ...]

    @cached_property
    def cells(self) -> dict[tuple[str, float], list[StudyRun]]:
        """The runs of each variant at each learning rate, by seed."""
        found: dict[tuple[str, float], list[StudyRun]] = {}
        for (variant, rate, _), run in sorted(self.campaign.runs.items(), key=lambda item: item[0]):
            if variant in _KEYS:
                found.setdefault((variant, rate), []).append(StudyRun(run))
        return found

    def cell(self, variant: str, rate: float) -> list[StudyRun]:
        """The runs of a variant at a learning rate, by seed; none if it was not run there."""
        return self.cells.get((variant, rate), [])

    @cached_property
    def runs(self) -> list[StudyRun]:
        """All of them."""
        return [run for cell in self.cells.values() for run in cell]

    @cached_property
    def collapses(self) -> list[StudyRun]:
        """Those that collapsed."""
        return [run for run in self.runs if run.collapsed]

    @cached_property
    def rates(self) -> list[float]:
        """The learning rates, from the smallest."""
        return sorted({rate for _, rate in self.cells})

    @cached_property
    def variants(self) -> list[Variant]:
        """The study's variants that were run, in its order."""
        run = {variant for variant, _ in self.cells}
        return [variant for variant in STABILITY if variant.key in run]

    def of(self, variant: str) -> list[StudyRun]:
        """All runs of a variant, by learning rate and seed."""
        return [run for rate in self.rates for run in self.cell(variant, rate)]

    def at(self, rate: float) -> list[StudyRun]:
        """All runs at a learning rate."""
        return [run for (_, r), cell in self.cells.items() if r == rate for run in cell]

    def mean_accuracy(self, variant: str, rate: float) -> Effect | None:
        """Training accuracy over seeds; None with fewer than two."""
        return self._accuracy({variant: 1.0}, rate)

    def accuracy_difference(self, first: str, second: str, rate: float) -> Effect | None:
        """Training accuracy of one variant less that of another; None with fewer than two seeds."""
        return self._accuracy({first: 1.0, second: -1.0}, rate)

    def _accuracy(self, weights: dict[str, float], rate: float) -> Effect | None:
        values = [{r.run.seed: r.accuracy for r in self.cell(variant, rate)} for variant in weights]
        # Each has its own: those that train well lie close together, those on the verge far apart.
        spreads = [spread for each in values if (spread := pooled_spread([each]))]
        return contrast(values, list(weights.values()), spreads) if len(spreads) == len(values) else None


def find_study(campaigns: Sequence[Campaign], runs: Sequence[Run]) -> Study | None:
    """The campaign with the most runs of the study's variants at several learning rates; None without one.

    Args:
        campaigns: all that there are.
        runs: all that there are, for those that have not ended.
    """
    studies = [Study(campaign, _unended(campaign, runs)) for campaign in campaigns]
    studies = [study for study in studies if len(study.rates) > 1]
    return max(studies, key=lambda study: len(study.runs), default=None)


def _unended(campaign: Campaign, runs: Sequence[Run]) -> tuple[Run, ...]:
    waiting = [run for run in runs if run.status in ("running", "failed") and run.variant in _KEYS]
    shared = _without_rate(campaign.ordered[0])
    return tuple(run for run in waiting if _without_rate(run) == shared)


def _without_rate(run: Run) -> dict[str, object]:
    return {k: v for k, v in protocol(run.config).items() if k != "learning_rate"}
