"""Links to where the book shows a run: on a card of its own, or in a row of its variant's study page."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from trsfnet.analysis.run import Run
from trsfnet.experiments.budgets import budget_of
from trsfnet.experiments.variants import STABILITY, variant_from
from trsfnet.report.display import popover
from trsfnet.report.run_state import EARLIER
from trsfnet.training.config import track_defaults

STUDY = "stability"


def in_study(run: Run) -> bool:
    """Whether a run belongs to the stability study, which varies the learning rate too."""
    usual = track_defaults(run.track)["learning_rate"]
    of_budget = budget_of({**run.config, "learning_rate": usual}) == STUDY
    return of_budget and variant_from(run.config) in STABILITY


def page(run: Run) -> str:
    """The file that has the run's card, in the folder of its track."""
    # By the folder and not by the id in the record: equal names would be one page.
    return f"{STUDY}-{run.variant}.md" if in_study(run) else f"{run.path.name}.md"


def anchor(run: Run) -> str:
    """Name of the row that a run of the study has."""
    # Without dots, which the theme's script would take for classes.
    return f"run-{run.path.name.replace('.', '-')}"


def card_link(run: Run, text: str) -> str:
    """`text` as a link to a run's card; where no cards are made next to the page, to its record.

    Pages are made in their own folder, which is the working folder.
    """
    return _link(run, text, f"{page(run)}#{anchor(run)}" if in_study(run) else page(run))


def page_link(run: Run, text: str) -> str:
    """`text` as a link to the page that has a run's card, whether or not it has others."""
    return _link(run, text, page(run))


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


def _link(run: Run, text: str, where: str) -> str:
    # The book makes pages and cards at the same time, so the card may not be there yet.
    if Path("runs", run.track).is_dir():
        return f"[{text}](runs/{run.track}/{where})"
    file = os.path.relpath(next(iter(run.record.files.values()), run.path)).replace(os.sep, "/")
    return f"[{text}]({file})"
