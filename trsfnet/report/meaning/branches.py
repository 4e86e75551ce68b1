"""Scale, kernel and residual ratio of every block over the epochs of a run, fixed scales included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.experiments.record import Record
from trsfnet.models.inception_resnet import ARCHITECTURES
from trsfnet.report.collection import Group
from trsfnet.report.display import Markdown
from trsfnet.report.runs import learned


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


QUANTITIES = ("scale", "kernel", "product", "ratio")


def branches(record: Record) -> Branches | None:
    """The branches of a run; None for a run that recorded no ratios, as the first ones did not."""
    tables = {kind: _by_block(table) for kind, table in learned(record).items() if kind != "slope"}
    if "ratio" not in tables or "kernel" not in tables:
        return None
    ratio = tables["ratio"]
    scale = pd.DataFrame([constants(record.config)] * len(ratio), ratio.index, ratio.columns)
    trained = list(tables["trsf"].columns) if "trsf" in tables else []
    if trained:
        scale[trained] = tables["trsf"].abs()
    return Branches(scale, tables["kernel"], ratio, trained)


def _by_block(table: pd.DataFrame) -> pd.DataFrame:
    """Columns by the number that ends their name, such as 3 for `ratio_inception-resnet v1.3`."""
    return table.set_axis([int(name.rpartition(".")[2]) for name in table.columns], axis=1)


def constants(config: Mapping[str, Any]) -> list[float]:
    """The scale of each block in a network whose scales are not trained; that of the last block is 1."""
    network, constant = ARCHITECTURES[config["arch"]], config["scale_init"]
    stages = (network.block35, network.block17, network.block8)
    return [
        float(stage.scale if constant is None else constant) for stage in stages for _ in range(stage.repeats)
    ] + [1.0]


Runs = dict[str, dict[int, Branches]]
"""By setting, then by seed."""


def finished_branches(group: Group) -> Runs:
    """Those of every finished run of a group that recorded them; settings without one are left out."""
    found = {
        setting: {r.seed: b for r in cell if r.status == "done" and (b := branches(r))}
        for setting, cell in group.cells.items()
    }
    return {setting: runs for setting, runs in found.items() if runs}


def nothing(group: Group) -> Markdown:
    """Why a group has no such runs, in place of its first exhibit; the others show nothing."""
    network = group.baseline.partition("-")[0]
    done = sum(record.status == "done" for record in group.records)
    if done:
        return Markdown(
            f"The finished runs of {network} on the `{group.track}` track were made before residual ratios "
            "were recorded."
        )
    return Markdown(f"No run of {network} on the `{group.track}` track has finished yet.")


def pairs(settings: list[str]) -> list[tuple[str, str]]:
    """Settings that differ in the scale alone, as far as both are there: with constants, and with TRSF."""
    found = [(setting.replace("-trsf", ""), setting) for setting in settings if "-trsf" in setting]
    return [(fixed, trained) for fixed, trained in found if fixed in settings]
