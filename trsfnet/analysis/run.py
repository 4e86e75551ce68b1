"""One run, and everything that its record holds, read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trsfnet.errors import RecordError
from trsfnet.experiments.budgets import budget_of, departures
from trsfnet.experiments.record import Record
from trsfnet.experiments.stale import why_stale
from trsfnet.experiments.variants import GRID, VARIANTS, short_name
from trsfnet.models.inception_resnet import PAPER_SCALE, PAPER_SLOPE
from trsfnet.training.collapsed import Collapsed
from trsfnet.training.config import LATER_SETTINGS, TrainConfig

if TYPE_CHECKING:
    from trsfnet.analysis.quantities import Quantity

_PAPERS = {variant.key for variant in GRID}


@dataclass(frozen=True, eq=False)
class Run:
    """A run: its record, the tables of the record, and what follows from them, each read or computed once."""

    record: Record
    _values: dict[str, float | None] = field(default_factory=dict, repr=False)

    @property
    def path(self) -> Path:
        """Folder of the record."""
        return self.record.path

    @property
    def info(self) -> dict[str, Any]:
        """The content of `run.json`."""
        return self.record.info

    @property
    def run_id(self) -> str:
        """Name of the run, unique to its settings."""
        return self.record.run_id

    @property
    def track(self) -> str:
        """Such as `synthetic`."""
        return self.info["track"]

    @cached_property
    def variant(self) -> str:
        """The cell of the grid, such as `v1-trsf-prelu`."""
        return self.settings.variant

    @property
    def name(self) -> str:
        """Its variant as the paper prints it, such as `Inception-ResNet v1 + TRSF`."""
        known = VARIANTS.get(self.variant)
        return known.name if known else self.variant

    @property
    def short_name(self) -> str:
        """The same without the network's family, such as `v1 + TRSF`."""
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
        """Whether training went to its end."""
        return self.status == "done"

    @property
    def collapsed(self) -> bool:
        """Whether training ended in a collapse."""
        return self.status == "collapsed"

    @property
    def collapse(self) -> Collapsed | None:
        """How it collapsed; None if it did not."""
        return self.record.collapse

    @property
    def config(self) -> dict[str, Any]:
        """Every setting of the run."""
        return self.record.config

    @property
    def metrics(self) -> dict[str, float]:
        """Final numbers by name, such as `tar@1e-3`; empty before the end."""
        return self.record.metrics

    @cached_property
    def settings(self) -> TrainConfig:
        """The same as a configuration, with those that came later than the run."""
        return TrainConfig.from_parameters(LATER_SETTINGS | self.config)

    @property
    def learning_rate(self) -> float:
        """The learning rate at the start."""
        return float(self.config["learning_rate"])

    @property
    def started(self) -> str:
        """When it was started, in ISO 8601; empty if unknown."""
        return str(self.info.get("started", ""))

    @cached_property
    def history(self) -> pd.DataFrame:
        """A row per finished epoch: step, learning rate, loss, accuracies; empty without one."""
        try:
            return self.record.history()
        except RecordError:
            return pd.DataFrame()

    @property
    def epochs_done(self) -> int:
        """How many epochs the run has finished."""
        return len(self.history)

    @cached_property
    def learned(self) -> dict[str, pd.DataFrame]:
        """Values by kind (`trsf`, `slope`, `ratio`, `kernel`): a row per epoch, a column per module.

        A module with a factor per channel counts with their mean.
        """
        try:
            return _by_kind(self.record.parameters())
        except RecordError:
            return {}

    def scores(self) -> pd.DataFrame:
        """The final evaluation's pair scores and labels, read again each time: they are large.

        Raises:
            RecordError: there are none, or they are damaged.
        """
        return self.record.scores()

    @cached_property
    def budget(self) -> str | None:
        """Its size, such as `full`; None for none of the budgets."""
        return budget_of(self.config)

    @cached_property
    def departures(self) -> dict[str, Any]:
        """The settings by which it departs from the paper's variants and its track's budgets, with values."""
        config = self.config
        usual = {
            "loss": "softmax",
            "scale_init": PAPER_SCALE if config["trsf"] else None,
            "slope_init": PAPER_SLOPE,
            "trsf_per_channel": False,
        }
        others = {name: config[name] for name, value in usual.items() if config[name] not in (None, value)}
        if self.variant in _PAPERS:
            others = {}  # its loss and its starts are what a table of the paper varies
        return departures(config) | others

    @cached_property
    def stale(self) -> str:
        """Why it does not speak for the present code, in a few words; empty if it does."""
        return why_stale(self.record)

    def value(self, quantity: Quantity) -> float | None:
        """A quantity at the end of the run, or a bound of it; None for a run that has none or collapsed."""
        if self.collapsed:
            return None
        if quantity.name not in self._values:
            self._values[quantity.name] = quantity.measure(self)
        return self._values[quantity.name]

    def is_bound(self, quantity: Quantity) -> bool:
        """Whether a value is only the least that it can be, as training ended before it was reached."""
        return not self.collapsed and quantity.is_bound(self)


def _by_kind(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    # By hand in a fraction of the time that pivot_table takes: there are hundreds of runs.
    row, epochs = rows["epoch"].factorize(sort=True)
    name, names = rows["name"].factorize()
    kind, kinds = rows["kind"].factorize()
    # A column for each name of each kind: kinds share names.
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
