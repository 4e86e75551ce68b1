"""Links from a card to the other runs of its variant on its track."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.run import Run
from trsfnet.report.card_links import page
from trsfnet.report.cards.readable import READ_ERRORS, CardRun
from trsfnet.report.run_state import departures, value_of


@dataclass(frozen=True)
class Link:
    """A run that has a card of its own.

    Attributes:
        path: of its record.
        seed: of the run.
        told_apart: its budget, or what sets it apart.
        page: its card.
        value: its result.
    """

    path: Path
    seed: int
    told_apart: str
    page: str
    value: str


class Others:
    """The runs of a variant on a track as links, made once for all of their cards.

    Attributes:
        links: the runs that have a card of their own, by seed.
        shared: the pages that runs of the study share, with the number of runs on each.
    """

    def __init__(self, runs: Sequence[CardRun]) -> None:
        found = [link for each in runs if not each.in_study and (link := _link(each))]
        self.links = sorted(found, key=lambda link: (link.seed, link.told_apart, link.page))
        self.shared = Counter(page(each.run) for each in runs if each.in_study and each.run)

    def apart_from(self, path: Path) -> list[Link]:
        """The links for the card of the run at `path`."""
        return [link for link in self.links if link.path != path]


def _link(each: CardRun) -> Link | None:
    """The run's link; None if its record cannot tell enough for one."""
    run = each.run
    if run is None:
        return None
    try:
        value = value_of(run, MEASURES[run.track][0])
        return Link(each.path, int(run.seed), _told_apart(run), page(run), value)
    except READ_ERRORS:
        return None


def _told_apart(run: Run) -> str:
    return f"budget {run.budget}" if run.budget else ", ".join(departures(run))
