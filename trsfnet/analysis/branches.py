"""Scale, kernel norm and residual ratio of every module in each epoch of a run, including fixed scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.analysis.averages import MEANS, compared_modules, geometric_mean
from trsfnet.analysis.contrasts import Effect, contrast, pooled_spread
from trsfnet.analysis.run import Run
from trsfnet.experiments.variants import variant_of
from trsfnet.models.inception_resnet import ARCHITECTURES

QUANTITIES = ("scale", "kernel", "product", "ratio")


@dataclass(frozen=True, eq=False)
class Branches:
    """The residual branches of one run; each table has one row per epoch and one column per module.

    Epoch 0 is before training. Modules are numbered from 1, from input to output. For a module with one scale
    per channel, the value is their mean.

    Attributes:
        scale: magnitude of s; the sign is dropped because the kernel can absorb it.
        kernel: Frobenius norm ‖W‖ of the 1x1 kernel that the scale multiplies.
        ratio: mean over images of ‖s · Inception(x)‖ / ‖x‖.
        trained: the modules whose scale is trained.
        compared: the modules over which averages are formed, see `compared_modules`.
    """

    scale: pd.DataFrame
    kernel: pd.DataFrame
    ratio: pd.DataFrame
    trained: Sequence[int] = ()
    compared: Sequence[int] = ()

    @cached_property
    def product(self) -> pd.DataFrame:
        """|s| ‖W‖, the norm of the scaled kernel; the network's function depends on s and W only via s W."""
        return self.scale * self.kernel

    @cached_property
    def means(self) -> pd.DataFrame:
        """Geometric means over the compared modules, a row per epoch; scale times kernel equals product."""
        tables = {name: getattr(self, name)[list(self.compared)].to_numpy() for name in QUANTITIES}
        means = {name: geometric_mean(table, axis=1) for name, table in tables.items()}
        return pd.DataFrame(means, self.ratio.index)

    def mean(self, quantity: str, mean: str, epoch: int = -1) -> float:
        """Return a mean of `MEANS` of a quantity over the compared modules, by default at the end."""
        return float(MEANS[mean](getattr(self, quantity)[list(self.compared)].iloc[epoch].to_numpy()))


def branches(run: Run) -> Branches | None:
    """Return the branches of a run; None if it recorded no ratios or kernel norms, as in the first runs."""
    kinds = ("trsf", "kernel", "ratio")
    tables = {kind: _by_module(run.learned[kind]) for kind in kinds if kind in run.learned}
    if "ratio" not in tables or "kernel" not in tables:
        return None
    ratio = tables["ratio"]
    scale = pd.DataFrame([constants(run.config)] * len(ratio), ratio.index, ratio.columns)
    trained = list(range(1, tables["trsf"].shape[1] + 1)) if "trsf" in tables else []
    if trained:
        scale[trained] = tables["trsf"].abs()
    compared = range(1, compared_modules(run.config["arch"]) + 1)
    return Branches(scale, tables["kernel"], ratio, trained, compared)


def _by_module(table: pd.DataFrame) -> pd.DataFrame:
    """Name the columns by module number; they are already in network order."""
    return table.set_axis(range(1, table.shape[1] + 1), axis=1)


def constants(config: Mapping[str, Any]) -> list[float]:
    """Return the scale of each module in a network with constant scales.

    The last module's is 1, unless `fixed_scales` gives one for it.
    """
    network, constant = ARCHITECTURES[config["arch"]], config["scale_init"]
    stages = (network.block35, network.block17, network.block8)
    usual = [
        float(stage.scale if constant is None else constant) for stage in stages for _ in range(stage.repeats)
    ]
    given = config.get("fixed_scales", ())  # records older than the setting lack it
    return [*given, *[*usual, 1.0][len(given) :]]


@dataclass(frozen=True, eq=False)
class BranchRuns:
    """The branches of all finished runs of a table that recorded them.

    Attributes:
        by_variant: branches by variant and seed; variants without such a run are omitted.
    """

    by_variant: dict[str, dict[int, Branches]]

    @classmethod
    def of(cls, cells: Mapping[str, Sequence[Run]]) -> BranchRuns:
        """Collect the branches of runs by variant."""
        found = {
            variant: {run.seed: b for run in cell if run.done and (b := branches(run))}
            for variant, cell in cells.items()
        }
        return cls({variant: runs for variant, runs in found.items() if runs})

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Pairs of variants that differ only in the scale, (constant, TRSF), if both have runs."""
        trained = [variant for variant in self.by_variant if variant_of(variant).trsf]
        found = [(replace(variant_of(variant), trsf=False).key, variant) for variant in trained]
        return [(fixed, variant) for fixed, variant in found if fixed in self.by_variant]

    def geometric(self, variant: str, quantity: str, epoch: int = -1) -> dict[int, float]:
        """Return the geometric mean over the compared modules by seed, by default after the last epoch."""
        return {seed: float(b.means[quantity].iloc[epoch]) for seed, b in self.by_variant[variant].items()}

    def arithmetic_ratio(self, variant: str, epoch: int = -1) -> float:
        """Return the arithmetic mean of the ratio over compared modules and seeds, by default at the end."""
        return float(
            np.mean([b.mean("ratio", "arithmetic", epoch) for b in self.by_variant[variant].values()])
        )

    def gain(self, fixed: str, trained: str, quantity: str, mean: str = "geometric") -> float:
        """Return the ratio of the final quantity with TRSF to that with constants.

        Args:
            fixed: the variant with constants.
            trained: the variant with TRSF.
            quantity: a name in `QUANTITIES`.
            mean: the mean over modules, one of `MEANS`; the mean over seeds is geometric.
        """
        ends = [
            geometric_mean([b.mean(quantity, mean) for b in self.by_variant[variant].values()])
            for variant in (trained, fixed)
        ]
        return float(ends[0] / ends[1])

    def ratio_effect(self, fixed: str, trained: str, mean: str = "geometric") -> Effect | None:
        """Return log10 of the gain in a mean of the ratio; None if a variant has fewer than two seeds.

        Args:
            fixed: the variant with constants.
            trained: the variant with TRSF.
            mean: the mean over modules, one of `MEANS`.
        """
        logs = {
            variant: {seed: float(np.log10(b.mean("ratio", mean))) for seed, b in runs.items()}
            for variant, runs in self.by_variant.items()
        }
        # Trained scales vary more between seeds than constants, so their spreads are pooled separately.
        spreads = [
            pooled_spread(own for variant, own in logs.items() if self._trains(variant) == self._trains(one))
            for one in (trained, fixed)
        ]
        known = [spread for spread in spreads if spread]
        return contrast([logs[trained], logs[fixed]], [1.0, -1.0], known) if len(known) == 2 else None

    def _trains(self, variant: str) -> bool:
        return any(b.trained for b in self.by_variant[variant].values())
