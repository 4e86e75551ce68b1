"""The runs of the study on collapse, and how each ended."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trsfnet.errors import RecordError
from trsfnet.experiments.budgets import protocol
from trsfnet.experiments.record import Record
from trsfnet.experiments.variants import STABILITY, Variant
from trsfnet.models.inception_resnet import ARCHITECTURES, PAPER_SCALE
from trsfnet.report.claims import Judged
from trsfnet.report.verdicts.evidence import Run

TRAINED, CHANCE, EXPLODED, NOT_FINITE = "trained", "ended at chance", "gradients exploded", "not finite"
FATES = (TRAINED, CHANCE, EXPLODED, NOT_FINITE)

# What a scale is: a constant, or trained, one for a block or one for a channel of it.
KINDS = ("Constant", "Trainable, one a block", "Trainable, one a channel")
# Trainable scales that others proposed: SkipInit and ReZero start one a block at 0, LayerScale one a channel
# near it.
_RELATIVES = {(1, 0.0): " (SkipInit, ReZero)", (1, PAPER_SCALE): " (TRSF)", (2, PAPER_SCALE): " (LayerScale)"}

# The questions of the study, and the claims whose verdicts answer them.
QUESTIONS = {
    "Does a small constant prevent collapse, against a constant of 1?": "large-constant-diverges",
    "Does a small start of a trainable scale, against a start at 1?": "small-start-stable",
    "Does training the scale, against the same constant 0.1?": "trainable-more-stable-than-equal-constant",
    "Does TRSF, against the constants of the original network?": "trainable-more-stable",
}


@dataclass(frozen=True, eq=False)
class Outcome:
    """How one run ended."""

    run: Run

    @property
    def record(self) -> Record:
        """The run's record."""
        return self.run.record

    @cached_property
    def fate(self) -> str:
        """One of `FATES`, by the message that the training left."""
        if not self.run.collapsed:
            return TRAINED
        message = str(self.record.info.get("message", ""))
        if "chance" in message:
            return CHANCE
        return EXPLODED if message.startswith("The gradients exploded") else NOT_FINITE

    @cached_property
    def step(self) -> int | None:
        """The step at which a collapse was seen, counted from 1; None where the end of training showed it."""
        named = re.search(r"\bstep (\d+)", str(self.record.info.get("message", "")))
        return int(named[1]) if self.run.collapsed and named else None

    @cached_property
    def losses(self) -> np.ndarray:
        """Mean training loss of each epoch that was finished: float64 [epochs]."""
        try:
            return self.record.history()["loss"].to_numpy(float)
        except RecordError:
            return np.empty(0)

    @cached_property
    def accuracy(self) -> float:
        """Share of the training images classified rightly in the last epoch finished; 0 without one."""
        try:
            return float(self.record.history()["train_accuracy"].iloc[-1])
        except (RecordError, IndexError):
            return 0.0

    @property
    def epoch(self) -> int:
        """The epoch in which the run ended, counted from 1."""
        return len(self.losses) + (self.step is not None)

    @cached_property
    def astray_since(self) -> int | None:
        """The epoch after which the loss stayed no better than chance; None if it ended better."""
        # What is not a number is not below chance either.
        better = np.flatnonzero(self.losses < chance_loss(self.record))
        if not len(self.losses) or len(self.losses) - 1 in better:
            return None
        return int(better[-1]) + 2 if len(better) else 1


def chance_loss(record: Record) -> float:
    """Cross-entropy, in nats, of a network that takes every identity for equally likely."""
    return math.log(record.info["data"]["train"]["identities"])


@dataclass(frozen=True, eq=False)
class Study:
    """Runs of the study's settings that differ in setting, learning rate and seed alone.

    Attributes:
        judged: the group of comparable runs, and its verdicts.
        unended: runs of the same protocol that go on, or failed for a reason of their machine.
    """

    judged: Judged
    unended: tuple[Record, ...]

    @cached_property
    def outcomes(self) -> dict[tuple[str, float], list[Outcome]]:
        """How the runs of each setting at each learning rate ended, by seed."""
        found: dict[tuple[str, float], list[Outcome]] = {}
        for (setting, rate, _), run in sorted(self.judged.campaign.runs.items()):
            if setting in _KEYS:
                found.setdefault((setting, rate), []).append(Outcome(run))
        return found

    @property
    def every(self) -> list[Outcome]:
        """All of them."""
        return [outcome for cell in self.outcomes.values() for outcome in cell]

    @property
    def rates(self) -> list[float]:
        """The learning rates, from the smallest."""
        return sorted({rate for _, rate in self.outcomes})

    @property
    def settings(self) -> list[Variant]:
        """The study's settings that were run, in its order."""
        run = {setting for setting, _ in self.outcomes}
        return [setting for setting in STABILITY if setting.key in run]

    def of(self, setting: str) -> list[Outcome]:
        """How all runs of a setting ended, by learning rate and seed."""
        return [outcome for rate in self.rates for outcome in self.outcomes.get((setting, rate), [])]


_KEYS = {setting.key for setting in STABILITY}


def find_study(groups: Sequence[Judged], records: Sequence[Record]) -> Study | None:
    """The group with the most runs of the study's settings at several learning rates; None if there is none.

    Args:
        groups: all that were judged.
        records: all that there are, for those that have not ended.
    """
    studies = [Study(group, _unended(group, records)) for group in groups]
    studies = [study for study in studies if len(study.rates) > 1]
    return max(studies, key=lambda study: len(study.every), default=None)


def _unended(group: Judged, records: Sequence[Record]) -> tuple[Record, ...]:
    shared = _without_rate(group.records[0])
    return tuple(
        record
        for record in records
        if record.status in ("running", "failed")
        and record.setting in _KEYS
        and _without_rate(record) == shared
    )


def _without_rate(record: Record) -> dict[str, object]:
    return {k: v for k, v in protocol(record.config).items() if k != "learning_rate"}


def kind(setting: Variant) -> int:
    """Index of what its scales are, in `KINDS`."""
    return 2 if setting.trsf_per_channel else int(setting.trsf)


def start(setting: Variant) -> float | None:
    """Where its scales start or stay; None for facenet's constants, which differ between stages."""
    return PAPER_SCALE if setting.trsf and setting.scale_init is None else setting.scale_init


def label(setting: Variant) -> str:
    """The setting within its kind, such as `from 0.1 (TRSF)`."""
    value = start(setting)
    if value is None:
        network = ARCHITECTURES[setting.arch]
        scales = (stage.scale for stage in (network.block35, network.block17, network.block8))
        return f"{', '.join(f'{scale:g}' for scale in scales)} (facenet)"
    return f"{'from ' if setting.trsf else ''}{value:g}{_RELATIVES.get((kind(setting), value), '')}"
