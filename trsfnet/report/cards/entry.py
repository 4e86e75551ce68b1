"""A run of the study as its page shows it, with everything read in advance so that nothing fails later."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from trsfnet.analysis.held_out import chance_loss
from trsfnet.analysis.run import Run
from trsfnet.report.cards import description
from trsfnet.report.cards.readable import READ_ERRORS, cannot_be_shown
from trsfnet.report.run_state import state
from trsfnet.text import duration, percent


@dataclass(frozen=True, eq=False)
class Entry:
    """The data that the page shows for a run.

    Attributes:
        run: the run.
        fault: what is wrong with the record, in a sentence, or None; if set, the fields below are empty.
        outcome: how the run ended, in words.
        values: the final measures of the track, with a dash for each missing one.
        time: wall time of the run, in words.
        losses: mean training loss of each finished epoch: float64 [epochs].
        chance: loss of a network that considers all identities equally likely.
        settings: every field of the configuration, by name.
        circumstances: data, machine, libraries and times, by name.
        code: which code made the run, in a sentence.
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
        """Learning rate of the run; NaN if its record has none."""
        rate = self.run.config.get("learning_rate")
        return rate if isinstance(rate, int | float) else float("nan")

    @property
    def status(self) -> str:
        """Status of the run; `damaged` if the record has a fault."""
        return "damaged" if self.fault else self.run.status

    @property
    def name(self) -> str:
        """Name that distinguishes the run from the others on the page: learning rate and seed."""
        return f"rate {self.rate:g}, seed {self.run.seed}"


def entry(run: Run, fault: str | None) -> Entry:
    """Read everything that the page shows for a run, or the fault of its record.

    Args:
        run: a run of the study.
        fault: a known fault of its record, or None.
    """
    if fault:
        return Entry(run, fault)
    try:
        return _sound(run)
    except READ_ERRORS as error:
        return Entry(run, cannot_be_shown(run.path, error))


def _sound(run: Run) -> Entry:
    measures = run.measures
    return Entry(
        run,
        outcome=state(run),
        values=tuple(percent(run.metrics[m]) if m in run.metrics and run.done else "–" for m in measures),
        time=duration(run.info.get("seconds", 0.0)),
        losses=_losses(run),
        chance=chance_loss(run),
        settings={name: str(value) for name, value in description.settings(run)},
        circumstances={name: str(value) for name, value in description.circumstances(run)},
        code=description.code(run),
    )


def _losses(run: Run) -> np.ndarray:
    return np.empty(0) if run.history.empty else run.history["loss"].to_numpy(float)
