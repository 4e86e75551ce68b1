"""A run of the study as its page shows it: all that is read of its run, so that nothing fails later."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.run import Run
from trsfnet.analysis.stability import chance_loss
from trsfnet.report.cards import description
from trsfnet.report.cards.readable import READ_ERRORS, cannot_be_shown
from trsfnet.report.run_state import state
from trsfnet.text import duration, percent


@dataclass(frozen=True, eq=False)
class Entry:
    """What the page shows of a run.

    Attributes:
        run: the run.
        fault: what is wrong with the record, in a sentence; of such a run nothing below is known.
        outcome: how it ended, in words.
        values: the final measures of its track, a dash for each that it has not.
        time: how long it took.
        losses: mean training loss of each epoch that was finished: float64 [epochs].
        chance: the loss of a network that takes every identity for equally likely.
        settings: every field of its configuration, by name.
        circumstances: data, machine and libraries, by name.
        code: which code made it, in a sentence.
    """

    run: Run
    fault: str | None = None
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
        rate = self.run.config.get("learning_rate")
        return rate if isinstance(rate, int | float) else float("nan")

    @property
    def status(self) -> str:
        """Status of the run, or that its record is damaged."""
        return "damaged" if self.fault else self.run.status

    @property
    def name(self) -> str:
        """What tells it from the other runs on the page."""
        return f"rate {self.rate:g}, seed {self.run.seed}"


def entry(run: Run, fault: str | None) -> Entry:
    """All that the page shows of a run, or what is wrong with its run.

    Args:
        run: of the study.
        fault: what is known to be wrong with its run.
    """
    if fault:
        return Entry(run, fault)
    try:
        return _sound(run)
    except READ_ERRORS as error:
        return Entry(run, cannot_be_shown(run.path, error))


def _sound(run: Run) -> Entry:
    measures = MEASURES[run.track]
    return Entry(
        run,
        outcome=state(run),
        values=tuple(percent(run.metrics[m]) if m in run.metrics else "–" for m in measures),
        time=duration(run.info.get("seconds", 0.0)),
        losses=_losses(run),
        chance=chance_loss(run),
        settings={name: str(value) for name, value in description.settings(run)},
        circumstances={name: str(value) for name, value in description.circumstances(run)},
        code=description.code(run),
    )


def _losses(run: Run) -> np.ndarray:
    return np.empty(0) if run.history.empty else run.history["loss"].to_numpy(float)
