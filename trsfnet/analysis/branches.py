"""Scale, kernel and residual ratio of every block over the epochs of a run, fixed scales included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.analysis.contrasts import Effect, contrast, pooled_spread
from trsfnet.analysis.run import Run
from trsfnet.analysis.tables import TableRuns
from trsfnet.experiments.variants import variant_of
from trsfnet.models.inception_resnet import ARCHITECTURES

QUANTITIES = ("scale", "kernel", "product", "ratio")


@dataclass(frozen=True, eq=False)
class Branches:
    """The residual branches of one run. Each table has a row per epoch (0 is the start), a column per block.

    Blocks are numbered from 1, from input to output. A block with a scale per channel counts with their mean.

    Attributes:
        scale: magnitude of s; its sign can be taken over by the kernel.
        kernel: Frobenius norm ‖W‖ of the 1x1 kernel that the scale multiplies.
        ratio: mean over images of ‖s · Inception(x)‖ / ‖x‖.
        trained: the blocks whose scale is trained.
    """

    scale: pd.DataFrame
    kernel: pd.DataFrame
    ratio: pd.DataFrame
    trained: Sequence[int] = ()

    @cached_property
    def product(self) -> pd.DataFrame:
        """The norm of the kernel with the scale taken into it: all that the network depends on."""
        return self.scale * self.kernel

    @cached_property
    def means(self) -> pd.DataFrame:
        """Geometric means over the blocks: a row per epoch, so that those of scale and kernel multiply."""
        tables = {name: getattr(self, name).to_numpy() for name in QUANTITIES}
        with np.errstate(divide="ignore"):  # a scale of 0 has the mean 0
            means = {name: np.exp(np.log(table).mean(axis=1)) for name, table in tables.items()}
        return pd.DataFrame(means, self.ratio.index)


def branches(run: Run) -> Branches | None:
    """The branches of a run; None for a run that recorded no ratios, as the first ones did not."""
    kinds = ("trsf", "kernel", "ratio")
    tables = {kind: _by_block(run.learned[kind]) for kind in kinds if kind in run.learned}
    if "ratio" not in tables or "kernel" not in tables:
        return None
    ratio = tables["ratio"]
    scale = pd.DataFrame([constants(run.config)] * len(ratio), ratio.index, ratio.columns)
    trained = list(range(1, tables["trsf"].shape[1] + 1)) if "trsf" in tables else []
    if trained:
        scale[trained] = tables["trsf"].abs()
    return Branches(scale, tables["kernel"], ratio, trained)


def _by_block(table: pd.DataFrame) -> pd.DataFrame:
    """Columns by the number of the block: they stand in the order of the network."""
    return table.set_axis(range(1, table.shape[1] + 1), axis=1)


def constants(config: Mapping[str, Any]) -> list[float]:
    """The scale of each block in a network whose scales are not trained; that of the last block is 1."""
    network, constant = ARCHITECTURES[config["arch"]], config["scale_init"]
    stages = (network.block35, network.block17, network.block8)
    return [
        float(stage.scale if constant is None else constant) for stage in stages for _ in range(stage.repeats)
    ] + [1.0]


@dataclass(frozen=True, eq=False)
class BranchRuns:
    """The branches of every finished run of a table that recorded them.

    Attributes:
        by_variant: then by seed; variants without such a run are left out.
    """

    by_variant: dict[str, dict[int, Branches]]

    @classmethod
    def of(cls, table: TableRuns) -> BranchRuns:
        """Those of a table's runs."""
        found = {
            variant: {run.seed: b for run in cell if run.done and (b := branches(run))}
            for variant, cell in table.cells.items()
        }
        return cls({variant: runs for variant, runs in found.items() if runs})

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Variants that differ in the scale alone, where both are there: with constants, and with TRSF."""
        trained = [variant for variant in self.by_variant if variant_of(variant).trsf]
        found = [(replace(variant_of(variant), trsf=False).key, variant) for variant in trained]
        return [(fixed, variant) for fixed, variant in found if fixed in self.by_variant]

    def geometric(self, variant: str, quantity: str, epoch: int = -1) -> dict[int, float]:
        """Geometric mean over blocks by seed, by default after the last epoch."""
        return {seed: float(b.means[quantity].iloc[epoch]) for seed, b in self.by_variant[variant].items()}

    def arithmetic_ratio(self, variant: str, epoch: int = -1) -> float:
        """Arithmetic mean of the ratio over blocks and seeds, by default after the last epoch."""
        return float(np.mean([b.ratio.iloc[epoch].mean() for b in self.by_variant[variant].values()]))

    def gain(self, fixed: str, trained: str, quantity: str) -> float:
        """How many times as large a quantity ends with TRSF, by geometric means over blocks and seeds."""
        ends = [np.mean(np.log10(list(self.geometric(v, quantity).values()))) for v in (trained, fixed)]
        return float(10 ** (ends[0] - ends[1]))

    def ratio_effect(self, fixed: str, trained: str) -> Effect | None:
        """The decimal logarithm of the gain in the ratio; None with fewer than two seeds of either."""
        logs = {
            variant: {seed: float(np.log10(mean)) for seed, mean in self.geometric(variant, "ratio").items()}
            for variant in self.by_variant
        }
        # Trained scales spread more between seeds than constants, which do not move.
        spreads = [
            pooled_spread(own for variant, own in logs.items() if self._trains(variant) == self._trains(one))
            for one in (trained, fixed)
        ]
        known = [spread for spread in spreads if spread]
        return contrast([logs[trained], logs[fixed]], [1.0, -1.0], known) if len(known) == 2 else None

    def _trains(self, variant: str) -> bool:
        return any(b.trained for b in self.by_variant[variant].values())
