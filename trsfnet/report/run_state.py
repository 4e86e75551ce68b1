"""What is said of one run: its state, its value, and where more is known of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from trsfnet.analysis.run import Run
from trsfnet.report.card_links import page, place
from trsfnet.report.display import popover
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


def card_link(run: Run, text: str) -> str:
    """`text` as a link to a run's card; where no cards were made next to the page, to its record.

    Pages are made in their own folder, which is the working folder.
    """
    return _link(run, text, place(run))


def runs_popover(name: str, runs: Iterable[tuple[str, Run]], button: str) -> str:
    """A button within a line that shows links to runs, each with what a reader should know at once.

    Args:
        name: unlike that of any other popover of the book.
        runs: each after what to call it, such as `seed 0: 12.3 %`.
        button: its words, such as `8 seeds`.
    """
    return popover(button, name, "<br>".join(_entry(run, text) for text, run in runs))


def _entry(run: Run, text: str) -> str:
    status = "" if run.done else f" ({run.status})"
    return f"{card_link(run, text)}{EARLIER if run.stale else ''}{status}"


def page_link(run: Run, text: str) -> str:
    """`text` as a link to the page that has a run's card, whether or not it has others."""
    return _link(run, text, page(run))


def _link(run: Run, text: str, where: str) -> str:
    if Path("runs", run.track, page(run)).is_file():
        return f"[{text}](runs/{run.track}/{where})"
    file = os.path.relpath(next(iter(run.record.files.values()), run.path)).replace(os.sep, "/")
    return f"[{text}]({file})"
