"""Runs that can be compared: they share track and protocol."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import pandas as pd

from trsfnet.analysis.contrasts import Effect, Spread, contrast, pooled_spread
from trsfnet.analysis.mechanism import mechanism_runs
from trsfnet.analysis.quantities import Quantity
from trsfnet.analysis.reach import run_regime
from trsfnet.analysis.run import Run
from trsfnet.experiments.budgets import varies
from trsfnet.experiments.studies import configs_of_budget
from trsfnet.training.budget import Regime
from trsfnet.training.config import LATER_SETTINGS


class Pooling(StrEnum):
    """The variants over which the spread between seeds is pooled.

    Attributes:
        SIMILAR: all similar variants, as defined by `Quantity.pooled_by`.
        COMPARED: those of the compared variants that are similar.
        NONE: no others: the spread of each variant is that of its own seeds.
    """

    SIMILAR = "similar"
    COMPARED = "compared"
    NONE = "none"


@dataclass(frozen=True, eq=False)
class ComparableRuns:
    """Runs that share track and protocol but may differ in variant, learning rate and seed.

    Attributes:
        track: name of the track, such as `synthetic`.
        budget: name of the budget, such as `short`; None if the protocol matches no budget.
        departures: settings of the protocol that differ from the nearest budget.
        rate: the learning rate at which all claims except those on stability are judged: the one with the
            fewest departures from a budget, and of these the one with the most runs.
        runs: runs that have ended (done or collapsed) by variant, learning rate and seed. The runs of a study
            that varies further settings form one campaign, with all settings in place of the variant; only
            that study's own rules compare them.
    """

    track: str
    budget: str | None
    departures: dict[str, Any]
    rate: float
    runs: dict[tuple[str, float, int], Run]
    _pooled: dict[tuple[str, frozenset[str], bool], dict[str, Spread | None]] = field(
        default_factory=dict, repr=False
    )

    @cached_property
    def _usual(self) -> dict[str, dict[int, Run]]:
        """The runs at the campaign's own learning rate, by variant and seed."""
        found: dict[str, dict[int, Run]] = defaultdict(dict)
        for (variant, rate, seed), run in self.runs.items():
            if rate == self.rate:
                found[variant][seed] = run
        return found

    def of(self, variant: str) -> dict[int, Run]:
        """Return the runs of a variant at the campaign's learning rate, by seed."""
        return self._usual.get(variant, {})

    def at_all_rates(self, variant: str) -> dict[tuple[float, int], Run]:
        """Return the runs of a variant at all learning rates, by learning rate and seed."""
        return {(rate, seed): run for (v, rate, seed), run in self.runs.items() if v == variant}

    def values(self, variant: str, quantity: Quantity) -> dict[int, float]:
        """Return the value of a quantity in each finished run of a variant, by seed."""
        found = {seed: run.value(quantity) for seed, run in self.of(variant).items()}
        return {seed: value for seed, value in found.items() if value is not None}

    def spreads(
        self, variants: Collection[str], quantity: Quantity, pooling: Pooling = Pooling.SIMILAR
    ) -> list[Spread] | None:
        """Return the spread of a quantity over the seeds of each variant; None if one cannot be estimated.

        Variants whose seeds are pooled share one object.
        """
        among = variants if pooling == Pooling.COMPARED else self._usual
        found = self._spreads(quantity, among, separately=pooling == Pooling.NONE)
        known = [spread for variant in variants if (spread := found.get(variant))]
        return known if len(known) == len(variants) else None

    def _spreads(
        self, quantity: Quantity, among: Collection[str], *, separately: bool
    ) -> dict[str, Spread | None]:
        key = quantity.name, frozenset(among), separately
        if key not in self._pooled:
            pools: dict[tuple[str, ...], list[str]] = defaultdict(list)
            for variant, runs in self._usual.items():
                if variant in key[1]:
                    # Records older than a setting lack it.
                    config = LATER_SETTINGS | next(iter(runs.values())).config
                    alike = tuple(json.dumps(config.get(field)) for field in quantity.pooled_by)
                    pools[(variant,) if separately else alike].append(variant)
            self._pooled[key] = {
                variant: spread
                for pool in pools.values()
                for spread in [pooled_spread(self.values(v, quantity) for v in pool)]
                for variant in pool
            }
        return self._pooled[key]

    def effect(
        self, weights: Mapping[str, float], quantity: Quantity, pooling: Pooling = Pooling.SIMILAR
    ) -> Effect | None:
        """Return the weighted sum of the variants' means; None if any variant has fewer than two seeds.

        Args:
            weights: the weight of each variant.
            quantity: the quantity measured in each run.
            pooling: the variants over which the spread is pooled.
        """
        spreads = self.spreads(weights, quantity, pooling)
        if spreads is None:
            return None
        return contrast([self.values(v, quantity) for v in weights], list(weights.values()), spreads)

    def cut_short(self, variant: str, quantity: Quantity) -> int:
        """Count the runs of a variant that collapsed or for which only a bound on the quantity is known."""
        return sum(run.collapsed or run.is_bound(quantity) for run in self.of(variant).values())

    def collapsed(self, variant: str) -> int:
        """Count the runs of a variant that collapsed at the campaign's learning rate."""
        return sum(run.collapsed for run in self.of(variant).values())

    def endings(self, variant: str) -> dict[tuple[float, int], bool]:
        """Return, by learning rate and seed, whether each run of a variant collapsed."""
        return {key: run.collapsed for key, run in self.at_all_rates(variant).items()}

    @cached_property
    def regime(self) -> Regime | None:
        """Travel and decay budget of the schedule at the campaign's learning rate; None if they vary."""
        if varies(self.budget):
            return None
        first, *_ = self._usual.values()
        return run_regime(next(iter(first.values())))

    @cached_property
    def mechanism(self) -> pd.DataFrame:
        """Table of the study of weight decay and scales (see `mechanism_runs`); empty in other campaigns."""
        return mechanism_runs(self.ordered)

    @cached_property
    def ordered(self) -> list[Run]:
        """The runs, sorted by variant, learning rate and seed."""
        return [self.runs[key] for key in sorted(self.runs)]

    @property
    def size_name(self) -> str:
        """Name of the budget, or the settings that differ from the nearest budget."""
        return self.budget or ", ".join(f"{name} {value}" for name, value in self.departures.items())

    @cached_property
    def missing(self) -> int:
        """Number of planned runs of the budget that have not ended; verdicts may still change."""
        if not self.budget:
            return 0
        planned = configs_of_budget(self.budget, self.track)
        if varies(self.budget):
            return max(0, len(planned) - len(self.runs))
        return len({(c.variant, c.learning_rate, c.seed) for c in planned} - self.runs.keys())
