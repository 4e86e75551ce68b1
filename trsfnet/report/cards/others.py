"""Links from a card to the other runs of its variant on its track."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trsfnet.analysis.run import Run
from trsfnet.experiments.budgets import departures_from
from trsfnet.report.card_links import page
from trsfnet.report.cards.readable import READ_ERRORS, CardRun
from trsfnet.report.names import measure_name
from trsfnet.report.run_state import departures, value_of
from trsfnet.text import joined

# Settings that a budget varies and whose names do not explain themselves.
_IN_WORDS = {
    "decayed": "decay of {} only",
    "projection_gain": "initial kernels that the scales multiply, times {}",
    "slope_floor": "slopes at least {}",
}


@dataclass(frozen=True)
class Link:
    """A link to a run that has its own card.

    Attributes:
        path: path of the record.
        seed: seed of the run.
        told_apart: budget of the run, with those settings that differ between the budget's runs; without a
            budget, its departures from the nearest one.
        page: file name of the card.
        value: final value of the track's first measure, or the status.
    """

    path: Path
    seed: int
    told_apart: str
    page: str
    value: str


class Others:
    """Links to the runs of a variant on a track, created once for all of their cards.

    Attributes:
        links: links to the runs that have their own card, sorted by seed.
        shared: the number of runs on each page that runs of the study share.
    """

    def __init__(self, runs: Sequence[CardRun]) -> None:
        found = [link for each in runs if not each.in_study and (link := _link(each))]
        self.links = sorted(found, key=lambda link: (link.seed, link.told_apart, link.page))
        self.shared = Counter(page(each.run) for each in runs if each.in_study and each.run)

    def apart_from(self, path: Path) -> list[Link]:
        """Return the links for the card of the run at `path`, without the run itself."""
        return [link for link in self.links if link.path != path]


def _link(each: CardRun) -> Link | None:
    """Return the link to a run; None if its record lacks the necessary data."""
    run = each.run
    if run is None:
        return None
    try:
        value = f"{measure_name(run.measures[0])} {value_of(run, run.measures[0])}"
        return Link(each.path, int(run.seed), _told_apart(run), page(run), value)
    except READ_ERRORS:
        return None


def _told_apart(run: Run) -> str:
    if not run.budget:
        return ", ".join(departures(run))
    # Without the settings of the variant, which the linked runs share.
    varied = departures_from(run.budget, run.config)
    return ", ".join([f"budget {run.budget}", *(_in_words(name, value) for name, value in varied.items())])


def _in_words(name: str, value: Any) -> str:
    values = value if isinstance(value, list | tuple) else [value]
    text = joined([f"{each:g}" if isinstance(each, float) else f"{each}" for each in values])
    return _IN_WORDS.get(name, f"{name.replace('_', ' ')} {{}}").format(text)
