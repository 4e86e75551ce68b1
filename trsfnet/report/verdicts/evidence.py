"""What runs measured: which may be compared, and the numbers that claims are about."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.analysis.contrasts import Effect, Spread, contrast, pooled_spread
from trsfnet.errors import RecordError
from trsfnet.experiments.budgets import budget_of, departures, protocol
from trsfnet.experiments.record import Record
from trsfnet.report.names import MEASURES
from trsfnet.report.runs import learned

PAPER_TRACK = "paper"


@dataclass(frozen=True, eq=False)
class Run:
    """A finished or collapsed run, and what its record holds, read once."""

    record: Record

    @cached_property
    def learned(self) -> dict[str, pd.DataFrame]:
        """Values by kind, a row per epoch and a column per module."""
        return learned(self.record)

    @property
    def collapsed(self) -> bool:
        """Whether training ended in a collapse."""
        return self.record.status == "collapsed"

    def value(self, quantity: str) -> float | None:
        """A quantity at the end of the run, or a bound of it; None for a run that has none or collapsed."""
        if self.collapsed:
            return None
        if quantity in QUANTITIES:
            return QUANTITIES[quantity](self)
        return self.record.metrics.get(quantity)

    def is_bound(self, quantity: str) -> bool:
        """Whether a value is only the least that it can be, as training ended before it was reached."""
        return quantity == "epochs_to_half" and not self.collapsed and _half(self)[1]


def _tar(run: Run) -> float | None:
    track = run.record.info["track"]
    return run.record.metrics.get(MEASURES.get(track, ("tar@1e-3",))[0])


def _final(kind: str, measure: Callable[[np.ndarray], float]) -> Callable[[Run], float | None]:
    """A measure of the values that all modules ended with."""

    def value(run: Run) -> float | None:
        table = run.learned.get(kind)
        return None if table is None else float(measure(table.iloc[-1].to_numpy(float)))

    return value


def _late_change(kind: str) -> Callable[[Run], float | None]:
    """Mean change over the last tenth of the epochs, one at least, as a share of the mean magnitude."""

    def value(run: Run) -> float | None:
        table = run.learned.get(kind)
        if table is None or len(table) < 3:  # the start and two epochs
            return None
        values = table.to_numpy(float)
        late = max(1, round((len(values) - 1) / 10))
        magnitude = np.abs(values[-1]).mean()
        return float(np.abs(values[-1] - values[-1 - late]).mean() / magnitude) if magnitude else None

    return value


def _ratio_log10(run: Run) -> float | None:
    table = run.learned.get("ratio")
    if table is None or not (table.iloc[-1] > 0).all():
        return None
    return float(np.log10(table.iloc[-1].to_numpy(float)).mean())


def _half(run: Run) -> tuple[float | None, bool]:
    """Epochs until half of the images are classified rightly, and whether that is only a bound."""
    try:
        history = run.record.history()
    except RecordError:
        return None, False
    epochs = np.concatenate([[0.0], history["epoch"]])
    shares = np.concatenate([[0.0], history["train_accuracy"]])
    reached = int(np.argmax(shares >= 0.5))
    if not reached:
        # To leave such a run out would take the slowest for no worse than the others.
        return float(epochs[-1]), True
    between = slice(reached - 1, reached + 1)
    return float(np.interp(0.5, shares[between], epochs[between])), False


QUANTITIES: dict[str, Callable[[Run], float | None]] = {
    # What the track's verdicts rest on: TAR at FAR 1e-3.
    "tar": _tar,
    # Epochs until half of the training images are classified rightly, interpolated between epochs; all epochs
    # of a run that never gets there.
    "epochs_to_half": lambda run: _half(run)[0],
    # Over the scales of a network after training.
    "scale_mean": _final("trsf", np.mean),
    "scale_min": _final("trsf", np.min),
    # Not over their mean, which may be next to nothing where signs differ.
    "scale_variation": _final("trsf", lambda x: x.std() / np.abs(x).mean()),
    "scale_share_0.6_to_1.3": _final("trsf", lambda x: ((x >= 0.6) & (x <= 1.3)).mean()),
    "scale_late_change": _late_change("trsf"),
    # Mean over modules of log10 of what a branch adds over what it is added to.
    "ratio_log10": _ratio_log10,
    # Over the slopes of a network after training.
    "slopes_negative": _final("slope", lambda x: (x < 0).sum()),
    "slope_share_negative": _final("slope", lambda x: (x < 0).mean()),
    "slope_late_change": _late_change("slope"),
}


@dataclass(frozen=True)
class Campaign:
    """Runs that may be compared: one track and one protocol, whatever their settings and learning rates.

    Attributes:
        track: such as `synthetic`.
        scale: such as `full`; None for a protocol that is none of the scales.
        departures: settings of the protocol that are not those of the nearest scale.
        rate: the learning rate of all claims but those on stability: that of the most runs with the fewest
            departures from the track's own settings.
        runs: by setting, learning rate and seed.
    """

    track: str
    scale: str | None
    departures: dict[str, Any]
    rate: float
    runs: dict[tuple[str, float, int], Run]

    def of(self, setting: str) -> dict[int, Run]:
        """The runs of a setting at the campaign's learning rate, by seed."""
        return {seed: run for (s, rate, seed), run in self.runs.items() if (s, rate) == (setting, self.rate)}

    def values(self, setting: str, quantity: str) -> dict[int, float]:
        """A quantity of each finished run of a setting, by seed."""
        found = {seed: run.value(quantity) for seed, run in self.of(setting).items()}
        return {seed: value for seed, value in found.items() if value is not None}

    def spread(self, setting: str, quantity: str) -> Spread | None:
        """That of a quantity over seeds, pooled over the settings that are of one kind with this one.

        These have the same network and loss. Scales, and what branches add by them, spread as they are set:
        there the kind is also that of the scales, constant or trained, and where they start.
        """
        return self._spreads([setting], quantity)[0]

    def _spreads(self, settings: Iterable[str], quantity: str) -> list[Spread | None]:
        """Of each setting; one object for those of one kind."""
        kinds = {s: _kind(run, quantity) for (s, rate, _), run in self.runs.items() if rate == self.rate}
        pools: dict[Any, list[str]] = defaultdict(list)
        for setting, kind in kinds.items():
            pools[kind].append(setting)
        asked = [kinds.get(setting) for setting in settings]
        spreads = {
            kind: pooled_spread(self.values(s, quantity) for s in pools.get(kind, ())) for kind in set(asked)
        }
        return [spreads[kind] for kind in asked]

    def effect(self, weights: Mapping[str, float], quantity: str) -> Effect | None:
        """The weighted sum of settings' means, by setting; None with fewer than two seeds of any."""
        spreads = self._spreads(weights, quantity)
        known = [spread for spread in spreads if spread]
        if len(known) < len(spreads):
            return None
        return contrast([self.values(s, quantity) for s in weights], list(weights.values()), known)

    def cut_short(self, setting: str, quantity: str) -> int:
        """Runs of a setting that collapsed, or of whose quantity only a bound is known."""
        return sum(run.collapsed or run.is_bound(quantity) for run in self.of(setting).values())

    def lost(self, setting: str) -> int:
        """Runs of a setting that collapsed."""
        return sum(run.collapsed for run in self.of(setting).values())

    def outcomes(self, setting: str) -> dict[tuple[float, int], bool]:
        """Whether each run of a setting collapsed, by learning rate and seed."""
        return {(rate, seed): run.collapsed for (s, rate, seed), run in self.runs.items() if s == setting}


def _kind(run: Run, quantity: str) -> tuple[Any, ...]:
    fields = ["arch", "loss"]
    if quantity.startswith(("scale_", "ratio_")):
        fields += ["trsf", "trsf_per_channel", "scale_init"]
    return tuple(run.record.config.get(field) for field in fields)


def campaigns(records: Sequence[Record]) -> list[Campaign]:
    """The runs that ended, done or collapsed, in groups that may be compared."""
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in sorted(records, key=_precedence):
        if record.status in ("done", "collapsed"):
            shared = {k: v for k, v in protocol(record.config).items() if k != "learning_rate"}
            key = json.dumps(shared, sort_keys=True, default=list)
            groups[record.info["track"], key].append(record)
    return [_campaign(track, group) for (track, _), group in groups.items()]


def _campaign(track: str, records: list[Record]) -> Campaign:
    rates = Counter(float(r.config["learning_rate"]) for r in records)
    configs = {float(r.config["learning_rate"]): r.config for r in records}
    odd = {rate: departures(config) for rate, config in configs.items()}
    rate = min(rates, key=lambda value: (len(odd[value]), -rates[value], value))
    # Of two runs of one seed, say in two precisions, the later one counts: see `_precedence`.
    runs = {(r.setting, float(r.config["learning_rate"]), r.seed): Run(r) for r in records}
    return Campaign(track, budget_of(configs[rate]), odd[rate], rate, runs)


def _precedence(record: Record) -> tuple[str, str]:
    return str(record.info.get("started", "")), record.run_id
