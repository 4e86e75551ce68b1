"""A run of the study as its page shows it: all that is read of its record, so that nothing fails later."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.run import Run as Record
from trsfnet.analysis.soundness import fault
from trsfnet.analysis.stability import chance_loss
from trsfnet.errors import TrsfnetError
from trsfnet.report.cards import details
from trsfnet.report.run_words import state
from trsfnet.text import duration, percent


@dataclass(frozen=True, eq=False)
class Entry:
    """What the page shows of a run.

    Attributes:
        record: of the run.
        harm: what is wrong with the record, in a sentence; of such a run nothing below is known.
        outcome: how it ended, in words.
        values: the final measures of its track, a dash for each that it has not.
        time: how long it took.
        losses: mean training loss of each epoch that was finished: float64 [epochs].
        chance: the loss of a network that takes every identity for equally likely.
        settings: every field of its configuration, by name.
        circumstances: data, machine and libraries, by name.
        code: which code made it, in a sentence.
    """

    record: Record
    harm: str | None = None
    outcome: str = ""
    values: tuple[str, ...] = ()
    time: str = ""
    losses: np.ndarray = field(default_factory=lambda: np.empty(0))
    chance: float = 0.0
    settings: dict[str, str] = field(default_factory=dict)
    circumstances: dict[str, str] = field(default_factory=dict)
    code: str = ""

    @property
    def rate(self) -> float:
        """Learning rate of the run; not a number where its record has none."""
        rate = self.record.config.get("learning_rate")
        return rate if isinstance(rate, int | float) else float("nan")

    @property
    def status(self) -> str:
        """Status of the run, or that its record is damaged."""
        return "damaged" if self.harm else self.record.status

    @property
    def name(self) -> str:
        """What tells it from the other runs on the page."""
        return f"rate {self.rate:g}, seed {self.record.seed}"


def entry(record: Record) -> Entry:
    """All that the page shows of a run, or what is wrong with its record."""
    try:
        harm = fault(record)
        return Entry(record, harm) if harm else _sound(record)
    except (TrsfnetError, KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        return Entry(record, f"The run record {record.path} cannot be shown: {error}")


def _sound(record: Record) -> Entry:
    measures = MEASURES[record.track]
    return Entry(
        record,
        outcome=state(record),
        values=tuple(percent(record.metrics[m]) if m in record.metrics else "–" for m in measures),
        time=duration(record.info.get("seconds", 0.0)),
        losses=_losses(record),
        chance=chance_loss(record),
        settings={name: str(value) for name, value in details.settings(record)},
        circumstances={name: str(value) for name, value in details.circumstances(record)},
        code=details.code(record),
    )


def _losses(record: Record) -> np.ndarray:
    return np.empty(0) if record.history.empty else record.history["loss"].to_numpy(float)
