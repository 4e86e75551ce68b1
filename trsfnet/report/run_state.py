"""Descriptions of a run: its state, its final value, and its departures from the paper."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.analysis.held_out import chance_loss
from trsfnet.analysis.run import Run
from trsfnet.text import NBSP, percent, significant

EARLIER = "†"
"""Marks a run that was made by earlier code."""


def state(run: Run) -> str:
    """Describe the status of a run in words, with its progress, any message, and whether it is stale."""
    words = run.status
    if run.status == "running":
        words = f"running, {run.epochs_done} of {run.config['epochs']} epochs done"
    elif said := message(run):
        words = f"{run.status}: {said}"
    return f"{words} (made by earlier code)" if run.stale else words


def message(run: Run) -> str:
    """Return why a run collapsed or failed, in a sentence; empty if it did neither.

    Records of earlier versions say "no better than chance" even of a loss slightly below it.
    """
    at_chance = run.collapse and run.collapse.kind == "chance" and run.config["loss"] == "softmax"
    if at_chance and run.epochs_done:
        loss, chance = run.history["loss"].iloc[-1], chance_loss(run)
        if loss < chance:
            margin = f"{significant(100 * (1 - loss / chance))}{NBSP}%"
            return f"The loss ended at {loss:.2f}, only {margin} below chance ({chance:.2f})."
    return str(run.info.get("message", ""))


def value_of(run: Run, measure: str) -> str:
    """Return a run's final value of `measure` in percent, or its status if it is not done."""
    return percent(run.metrics[measure]) if run.done else run.status


def departures(run: Run) -> list[str]:
    """List how a run departs from the paper's variants and its track's protocol, such as `epochs 2`."""
    return [f"{name} {value}" for name, value in run.departures.items()]


def finished_or_all(runs: Sequence[Run]) -> list[Run]:
    """Return the finished runs, or all runs while none has finished.

    Unfinished runs must not represent a variant that has finished ones.
    """
    return [run for run in runs if run.done] or list(runs)
