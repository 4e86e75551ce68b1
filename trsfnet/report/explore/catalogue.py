"""Which runs can be explored, and how a reader picks one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from trsfnet.analysis import Analysis
from trsfnet.analysis.run import Run as Record
from trsfnet.experiments.budgets import BUDGETS, departures, of_a_study
from trsfnet.experiments.variants import GRID, STABILITY, short_name
from trsfnet.report.names import TRACKS

LEVELS = {"track": "Track", "arch": "Architecture", "setting": "Setting", "seed": "Seed"}
"""What a run is picked by, one after the other: attributes of `Run`, and what they are called."""

# In the order of the pickers.
_SETTINGS = list(dict.fromkeys(s.key for s in (*GRID, *STABILITY)))


@dataclass(frozen=True)
class Run:
    """A run that can be explored.

    Attributes:
        record: its record.
        seed: its seed and its scale, such as `0 (full)`, unique among the runs of its setting.
    """

    record: Record
    seed: str

    @property
    def track(self) -> str:
        """Its track in words."""
        return TRACKS[self.record.track]

    @property
    def arch(self) -> str:
        """`v1` or `v2`."""
        return self.record.config["arch"]

    @property
    def setting(self) -> str:
        """Such as `v1 + TRSF + PReLU`."""
        return short_name(self.record.variant)

    @property
    def name(self) -> str:
        """Such as `v1 + TRSF + PReLU, seed 0 (full), rendered faces`."""
        status = "" if self.record.status == "done" else f", {self.record.status}"
        return f"{self.setting}, seed {self.seed}, {self.track}{status}"

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """By kind (`trsf`, `slope`, `ratio`, `kernel`), a row per epoch and a column per module."""
        return self.record.learned


def catalogue(records: Iterable[Record]) -> list[Run]:
    """All runs, by track, architecture, setting and seed in the order of the grid."""
    records = list(records)
    labels = _labels(records)
    tracks, settings = list(TRACKS), _SETTINGS

    def place(run: Run) -> tuple[object, ...]:
        key = run.record.variant
        known = settings.index(key) if key in settings else len(settings)
        return tracks.index(run.record.track), run.arch, known, key, run.record.seed, run.seed

    return sorted((Run(record, labels[record.path]) for record in records), key=place)


def explorable(records: Iterable[Record]) -> list[Run]:
    """The runs that recorded scales, slopes or ratios."""
    return [run for run in catalogue(records) if run.tables]


def for_the_book(collection: Analysis) -> list[Run]:
    """Of each setting on each track the runs at its largest scale, and all runs at none.

    The study on collapse is left out: its many short runs would hide the others.
    """
    scales = {r.path: r.budget for r in collection.runs}
    kept = [r for r in collection.runs if not of_a_study(r.config)]
    largest: dict[tuple[str, str], int] = {}
    for record in kept:
        place = _place(scales[record.path])
        largest[_cell(record)] = max(place, largest.get(_cell(record), -1))
    return explorable(
        r for r in kept if scales[r.path] is None or _place(scales[r.path]) == largest[_cell(r)]
    )


def options(runs: Iterable[Run], chosen: Mapping[str, str]) -> dict[str, list[str]]:
    """What can be picked at each level, given what is chosen at the levels above it.

    Args:
        runs: all of them.
        chosen: a value by level; what no run has counts as the first that one has.
    """
    left, found = list(runs), {}
    for level in LEVELS:
        found[level] = list(dict.fromkeys(getattr(run, level) for run in left))
        value = chosen.get(level)
        value = value if value in found[level] else found[level][0]
        left = [run for run in left if getattr(run, level) == value]
    return found


def first_two(runs: list[Run]) -> tuple[Run, Run]:
    """What to compare at first: a run with both scales and slopes, and another setting's with scales."""
    first = next((run for run in runs if {"trsf", "slope"} <= set(run.tables)), runs[0])
    network = first.track, first.arch
    beside = [run for run in runs if (run.track, run.arch) == network and run.setting != first.setting]
    return first, next((run for run in beside if "trsf" in run.tables), next(iter(beside), first))


def _cell(record: Record) -> tuple[str, str]:
    return record.track, record.variant


def _place(scale: str | None) -> int:
    return -1 if scale is None else list(BUDGETS).index(scale)


def _labels(records: list[Record]) -> dict[object, str]:
    """A label for each record by its path, as short as tells apart those of one setting."""
    forms: tuple[Callable[[Record], str], ...] = (
        lambda r: f"{r.seed} ({_scale(r)})",
        lambda r: f"{r.seed} ({_scale(r)}, {r.config['images']})",
        lambda r: f"{r.seed} ({_scale(r)}, {r.config['images']}, {r.run_id.rpartition('-')[2]})",
    )
    labels: dict[object, str] = {}
    left = records
    for form in forms:
        uses = Counter((_cell(r), form(r)) for r in left)
        labels |= {r.path: form(r) for r in left if form is forms[-1] or uses[_cell(r), form(r)] == 1}
        left = [r for r in left if r.path not in labels]
    return labels


def _scale(record: Record) -> str:
    """The scale of a run, with the learning rate if it has several, or how it departs from the nearest."""
    scale = record.budget
    odd = [f"{name} {value}" for name, value in departures(record.config).items()]
    return ", ".join([scale, *odd] if scale else odd)
