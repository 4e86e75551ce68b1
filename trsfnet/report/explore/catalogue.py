"""The runs that can be explored, and how a reader selects one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from trsfnet.analysis import Analysis
from trsfnet.analysis.power import PLANNED_TABLES
from trsfnet.analysis.run import Run as AnalysedRun
from trsfnet.experiments.budgets import BUDGETS, departures
from trsfnet.experiments.variants import GRID, STABILITY, short_name
from trsfnet.report.names import TRACKS

LEVELS = {"track": "Track", "arch": "Architecture", "setting": "Setting", "seed": "Seeds"}
"""The criteria of selection in order: attributes of `Group`, with their labels."""

EXPLORED = ("trsf", "slope", "ratio", "kernel")
"""The kinds of values that can be explored; some studies record further kinds."""

# The order in the menus.
_SETTINGS = list(dict.fromkeys(s.key for s in (*GRID, *STABILITY)))


@dataclass(frozen=True)
class Run:
    """A run that can be explored.

    Attributes:
        record: the analysed run with its record.
        budget: label of the budget, such as `(short)`; with the seed, unique among the runs of a setting.
    """

    record: AnalysedRun
    budget: str

    @property
    def seed(self) -> str:
        """Label of seed and budget, such as `0 (short)`."""
        return f"{self.record.seed} {self.budget}"

    @property
    def track(self) -> str:
        """Name of the track."""
        return TRACKS[self.record.track]

    @property
    def arch(self) -> str:
        """Architecture, `v1` or `v2`."""
        return self.record.config["arch"]

    @property
    def setting(self) -> str:
        """Short name of the variant, such as `v1 + TRSF + PReLU`."""
        return short_name(self.record.variant)

    @property
    def name(self) -> str:
        """Full name, such as `v1 + TRSF + PReLU, seed 0 (short), rendered faces`."""
        status = "" if self.record.status == "done" else f", {self.record.status}"
        return f"{self.setting}, seed {self.seed}, {self.track}{status}"

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Learned values by kind, such as `trsf` or `slope`: a row per epoch, a column per module."""
        learned = self.record.learned
        return {kind: learned[kind] for kind in EXPLORED if kind in learned}


def catalogue(records: Iterable[AnalysedRun]) -> list[Run]:
    """Return all runs, sorted by track, architecture, setting (in the order of the grid) and seed."""
    records = list(records)
    labels = _labels(records)
    tracks, settings = list(TRACKS), _SETTINGS

    def position(run: Run) -> tuple[object, ...]:
        key = run.record.variant
        known = settings.index(key) if key in settings else len(settings)
        return tracks.index(run.record.track), run.arch, known, key, run.record.seed, run.seed

    return sorted((Run(record, labels[record.path]) for record in records), key=position)


def explorable(records: Iterable[AnalysedRun]) -> list[Run]:
    """Return the runs that recorded scales, slopes, ratios or kernel norms."""
    return [run for run in catalogue(records) if run.tables]


def for_the_book(collection: Analysis) -> list[Run]:
    """Return the runs for the book: for each setting and track those of one budget, and runs without one.

    The budget is that of the paper's tables, if they show the setting; otherwise, it is the largest with a
    run. Runs of studies are omitted, because their many short runs would hide the others.
    """
    kept = [r for r in collection.runs if not r.in_a_study]
    shown: dict[tuple[str, str], str | None] = {}
    for record in sorted(kept, key=lambda record: _size(record.budget)):
        shown[_cell(record)] = record.budget
    # The run from 0.2 belongs to tables 2 and 6; the first of them counts.
    for number in reversed(PLANNED_TABLES):
        for (table,) in collection.tables_by_track(number):
            shown |= {(table.track, variant): table.budget for variant, runs in table.cells.items() if runs}
    return explorable(r for r in kept if r.budget is None or r.budget == shown[_cell(r)])


@dataclass(frozen=True)
class Group:
    """A unit of comparison: a single run, or all seeds of a setting at one budget.

    Attributes:
        runs: one run, or several that differ only in their seed.
        seed: the run's label of seed and budget, or for several runs a label such as `all 8 (short)`.
        name: the run's name, or for several runs such as `v1 + TRSF, all 8 (short), rendered faces`.
    """

    runs: tuple[Run, ...]
    seed: str
    name: str

    @property
    def track(self) -> str:
        """Name of the track."""
        return self.runs[0].track

    @property
    def arch(self) -> str:
        """Architecture, `v1` or `v2`."""
        return self.runs[0].arch

    @property
    def setting(self) -> str:
        """Short name of the variant, such as `v1 + TRSF + PReLU`."""
        return self.runs[0].setting


def groups(runs: list[Run]) -> list[Group]:
    """Return a group for every run and, after a setting's runs, one for each budget with several seeds."""
    by_setting: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        by_setting.setdefault(_cell(run.record), []).append(run)
    return [group for alike in by_setting.values() for group in (*map(_alone, alike), *_seeds(alike))]


def _alone(run: Run) -> Group:
    return Group((run,), run.seed, run.name)


def _seeds(runs: list[Run]) -> list[Group]:
    budgets: dict[str, list[Run]] = {}
    for run in runs:
        budgets.setdefault(run.budget, []).append(run)
    found = []
    for budget, seeds in budgets.items():
        if len(seeds) > 1:
            seed = f"all {len(seeds)} {budget}"
            found.append(Group(tuple(seeds), seed, f"{seeds[0].setting}, {seed}, {seeds[0].track}"))
    return found


def first_two(offered: list[Group]) -> tuple[Group, Group]:
    """Choose what to compare initially: a run with scales and slopes, and another setting's with scales."""
    alone = [group for group in offered if len(group.runs) == 1]
    first = next((g for g in alone if {"trsf", "slope"} <= set(g.runs[0].tables)), alone[0])
    network = first.track, first.arch
    alike = [g for g in alone if (g.track, g.arch) == network and g.setting != first.setting]
    return first, next((g for g in alike if "trsf" in g.runs[0].tables), next(iter(alike), first))


def _cell(record: AnalysedRun) -> tuple[str, str]:
    return record.track, record.variant


def _size(budget: str | None) -> int:
    """Return the position of a budget in ascending order of size; -1 for none."""
    return -1 if budget is None else list(BUDGETS).index(budget)


def _labels(records: list[AnalysedRun]) -> dict[object, str]:
    """Return for each record, by path, the shortest label of its budget that is unique for its seed."""
    forms: tuple[Callable[[AnalysedRun], str], ...] = (
        lambda r: f"({_budget(r)})",
        lambda r: f"({_budget(r)}, {r.config['images']})",
        lambda r: f"({_budget(r)}, {r.config['images']}, {r.settings.settings_hash})",
    )
    labels: dict[object, str] = {}
    left = records
    for form in forms:
        uses = Counter((_cell(r), r.seed, form(r)) for r in left)
        labels |= {r.path: form(r) for r in left if form is forms[-1] or uses[_cell(r), r.seed, form(r)] == 1}
        left = [r for r in left if r.path not in labels]
    return labels


def _budget(record: AnalysedRun) -> str:
    """Return the budget of a run, followed by its departures from that budget or from the nearest one."""
    odd = [f"{name} {value}" for name, value in departures(record.config).items()]
    return ", ".join([record.budget, *odd] if record.budget else odd)
