"""Where the book shows a run: on a card of its own, or in a row of its variant's page in the study."""

from __future__ import annotations

from trsfnet.analysis.run import Run
from trsfnet.experiments.budgets import budget_of
from trsfnet.experiments.variants import STABILITY, variant_from
from trsfnet.training.config import track_defaults

STUDY = "stability"


def in_study(run: Run) -> bool:
    """Whether a run belongs to the study on stability, which varies the learning rate too."""
    usual = track_defaults(run.track)["learning_rate"]
    of_budget = budget_of({**run.config, "learning_rate": usual}) == STUDY
    return of_budget and variant_from(run.config) in STABILITY


def page(run: Run) -> str:
    """The file that has the run's card, in the folder of its track."""
    # By the folder and not by the id in the record: equal names would be one page.
    return f"{STUDY}-{run.variant}.md" if in_study(run) else f"{run.path.name}.md"


def place(run: Run) -> str:
    """That file, and where on it the run is."""
    return f"{page(run)}#{anchor(run)}" if in_study(run) else page(run)


def anchor(run: Run) -> str:
    """Name of the row that a run of the study has."""
    # Without dots, which the theme's script would take for classes.
    return f"run-{run.path.name.replace('.', '-')}"
