"""What is said of one run: its state, its value, and how it departs from the paper's."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.analysis.run import Run
from trsfnet.text import percent

EARLIER = "†"
"""Next to a run that other code than the present made."""


def state(run: Run) -> str:
    """Status of a run in words, with what a reader should know about it."""
    words = run.status
    if run.status == "running":
        words = f"running, {run.epochs_done} of {run.config['epochs']} epochs done"
    elif run.info.get("message"):
        words = f"{run.status}: {run.info['message']}"
    return f"{words} (made by earlier code)" if run.stale else words


def value_of(run: Run, measure: str) -> str:
    """A run's final value, or its status where it has none."""
    return percent(run.metrics[measure]) if run.done else run.status


def departures(run: Run) -> list[str]:
    """How a run departs from the paper's variants and its track's protocol, such as `epochs 2`."""
    return [f"{name} {value}" for name, value in run.departures.items()]


def finished_or_all(runs: Sequence[Run]) -> list[Run]:
    """The finished runs; while there is none, all: an early end must not stand for a variant."""
    return [run for run in runs if run.done] or list(runs)
