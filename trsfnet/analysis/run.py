"""A run with everything its record contains, read only once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from trsfnet.analysis.measures import measures
from trsfnet.experiments.budgets import budget_at_any_rate, budget_of, departures, of_a_study
from trsfnet.experiments.commands import papermill_command
from trsfnet.experiments.record import Record
from trsfnet.experiments.stale import why_stale
from trsfnet.experiments.studies import STUDIES, planned_configs
from trsfnet.experiments.variants import GRID, STABILITY, VARIANTS, short_name, variant_from
from trsfnet.models.inception_resnet import PAPER_SCALE, PAPER_SLOPE
from trsfnet.text import number_range
from trsfnet.training.collapsed import Collapsed
from trsfnet.training.config import LATER_SETTINGS, TrainConfig

_PAPERS = {variant.key for variant in GRID}


def moment(text: str) -> datetime:
    """Return an ISO date and time; without an offset, it counts as UTC.

    Raises:
        ValueError: the text is no ISO date or time.
    """
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Measurable(Protocol):
    """What a run needs to know of a `Quantity`; importing that class would make the imports circular."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def measure(self) -> Callable[[Run], float | None]:
        """The function that returns its value in a run; None if the run has none."""

    @property
    def is_bound(self) -> Callable[[Run], bool]:
        """The function that returns whether a run's value is only a lower bound."""


@dataclass(frozen=True, eq=False)
class Run:
    """A run: its record, the tables of the record, and derived values, each read or computed only once.

    Attributes:
        record: the record on disk.
    """

    record: Record
    _values: dict[str, float | None] = field(default_factory=dict, repr=False)

    @property
    def path(self) -> Path:
        """Folder of the record."""
        return self.record.path

    @property
    def info(self) -> dict[str, Any]:
        """The contents of `run.json`."""
        return self.record.info

    @property
    def run_id(self) -> str:
        """Unique name of the run, determined by its settings."""
        return self.record.run_id

    @property
    def track(self) -> str:
        """Name of the track, such as `synthetic`."""
        return self.info["track"]

    @cached_property
    def variant(self) -> str:
        """Key of the variant, such as `v1-trsf-prelu`."""
        return self.settings.variant

    @property
    def name(self) -> str:
        """Name of the variant as printed in the paper, such as `Inception-ResNet v1 + TRSF`."""
        known = VARIANTS.get(self.variant)
        return known.name if known else self.variant

    @property
    def short_name(self) -> str:
        """Name of the variant without the network family, such as `v1 + TRSF`."""
        return short_name(self.variant)

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.record.seed

    @property
    def status(self) -> str:
        """One of `running`, `done`, `collapsed`, `failed`."""
        return self.record.status

    @property
    def done(self) -> bool:
        """True if training was completed."""
        return self.status == "done"

    @property
    def collapsed(self) -> bool:
        """True if training ended in a collapse."""
        return self.status == "collapsed"

    @property
    def ended(self) -> bool:
        """True if training was completed or ended in a collapse."""
        return self.record.ended

    @property
    def collapse(self) -> Collapsed | None:
        """The kind and step of the collapse; None if the run did not collapse."""
        return self.record.collapse

    @property
    def command(self) -> str:
        """The papermill command that repeats the run, also on a machine that prefers another precision."""
        settings = replace(self.settings, images="")  # the track's data determine it
        if settings.trsf and settings.scale_init == PAPER_SCALE:
            settings = replace(settings, scale_init="paper")
        preset = self.info.get("preset")
        return papermill_command(settings, preset and preset["name"], self.info.get("processes", 1))

    @property
    def config(self) -> dict[str, Any]:
        """Every setting of the run."""
        return self.record.config

    @property
    def metrics(self) -> dict[str, float]:
        """Final metrics by name, such as `tar@1e-3`; empty before training ends."""
        return self.record.metrics

    @cached_property
    def settings(self) -> TrainConfig:
        """The settings as a configuration; settings added after the run have the value used at the time."""
        return TrainConfig.from_parameters(LATER_SETTINGS | self.config)

    @property
    def learning_rate(self) -> float:
        """The initial learning rate."""
        return float(self.config["learning_rate"])

    @property
    def started(self) -> str:
        """Start time in ISO 8601 format; empty if unknown."""
        return str(self.info.get("started", ""))

    @cached_property
    def started_at(self) -> datetime | None:
        """Start time; None if unknown.

        Raises:
            ValueError: the record's start is no ISO date and time.
        """
        return moment(self.started) if self.started else None

    @cached_property
    def history(self) -> pd.DataFrame:
        """Table with one row per finished epoch (step, learning rate, loss, metrics); empty without one."""
        return self.record.history() if self.record.has("history") else pd.DataFrame()

    @property
    def epochs_done(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    @cached_property
    def learned(self) -> dict[str, pd.DataFrame]:
        """Tables by kind of value (such as `trsf`, `slope`, `ratio`, `kernel`).

        Each has one row per epoch and one column per module. For a module with one factor per channel, the
        value is their mean. Empty if the record has no such table.
        """
        return _by_kind(self.record.parameters()) if self.record.has("parameters") else {}

    def scores(self) -> pd.DataFrame:
        """Return the pair scores and labels of the final evaluation; not cached because they are large.

        Raises:
            RecordError: the scores are missing or damaged.
        """
        return self.record.scores()

    @cached_property
    def budget(self) -> str | None:
        """Name of the budget, such as `short`; None if the run matches no budget."""
        return budget_of(self.config)

    @property
    def measures(self) -> tuple[str, ...]:
        """The metric on which verdicts about the run are based, followed by those shown next to it."""
        return measures(self.track, self.budget)

    @cached_property
    def in_stability_study(self) -> bool:
        """True if the run belongs to the stability study, which also varies the learning rate."""
        return budget_at_any_rate(self.config) == "stability" and variant_from(self.config) in STABILITY

    @cached_property
    def in_a_study(self) -> bool:
        """True if the run belongs to a separate study, which appears in no table of the paper."""
        return of_a_study(self.config)

    @cached_property
    def departures(self) -> dict[str, Any]:
        """Settings, with values, that differ from the paper's variants or from the nearest budget.

        Of constants given one by one, the value is their range.
        """
        config = self.config
        usual = {
            "loss": "softmax",
            "scale_init": PAPER_SCALE if config["trsf"] else None,
            "slope_init": PAPER_SLOPE,
            "trsf_per_channel": False,
        }
        others = {name: config[name] for name, value in usual.items() if config[name] not in (None, value)}
        if self.settings.fixed_scales:
            others["fixed_scales"] = number_range(self.settings.fixed_scales)
        if self.variant in _PAPERS:
            others = {}  # loss and initial values are what the paper's tables vary
        return departures(config) | others

    @cached_property
    def stale(self) -> str:
        """Why the run does not represent the current code, in a few words; empty if it does."""
        return why_stale(self.record)

    def value(self, quantity: Measurable) -> float | None:
        """Return the final value of a quantity, or a bound on it; None if the run has none or collapsed."""
        if self.collapsed:
            return None
        if quantity.name not in self._values:
            self._values[quantity.name] = quantity.measure(self)
        return self._values[quantity.name]

    def is_bound(self, quantity: Measurable) -> bool:
        """Return whether the value is only a lower bound because training ended too early."""
        return not self.collapsed and quantity.is_bound(self)


def latest(runs: Iterable[Run], key: Callable[[Run], Hashable]) -> list[Run]:
    """Return, of the runs with the same key, the one started last: a run repeated in another precision."""
    return list({key(run): run for run in sorted(runs, key=lambda run: (run.started, run.run_id))}.values())


def ended_as_planned(runs: Iterable[Run], study: str) -> list[Run]:
    """Return the planned runs of a study that have ended; of a repeated one, that started last.

    Args:
        runs: any runs. Those of the study's budget with further variants or seeds are left out.
        study: name of a study whose runs differ in variant, learning rate and seed alone, such as `collapse`;
            it is also the name of its budget.
    """
    planned = set(map(_key, planned_configs(study, STUDIES[study].track)))
    ended = [run for run in runs if run.budget == study and run.ended and _key(run) in planned]
    return latest(ended, _key)


def _key(of: Run | TrainConfig) -> tuple[str, float, int]:
    return of.variant, of.learning_rate, of.seed


def _by_kind(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    # Done by hand because pivot_table is many times slower and there are hundreds of runs.
    row, epochs = rows["epoch"].factorize(sort=True)
    name, names = rows["name"].factorize()
    kind, kinds = rows["kind"].factorize()
    # One column per pair of kind and name, since kinds share names.
    column, columns = pd.factorize(kind * len(names) + name)
    cell = row * len(columns) + column
    count = np.bincount(cell, minlength=len(epochs) * len(columns))
    total = np.bincount(cell, rows["value"], minlength=len(count))
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    mean = mean.reshape(len(epochs), -1)
    index, labels = pd.Index(epochs, name="epoch"), pd.Index(names, name="name")
    tables = {}
    for number, label in enumerate(kinds):
        own = np.flatnonzero(columns // len(names) == number)
        known = ~np.isnan(mean[:, own]).all(axis=1)
        tables[label] = pd.DataFrame(mean[known][:, own], index[known], labels[columns[own] % len(names)])
    return tables
