"""The study of what a residual scale means, in numbers: what weight decay does to scales and branches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.evaluation.statistics import Interval, mean_over_seeds
from trsfnet.experiments.budgets import budget_of
from trsfnet.experiments.record import Record
from trsfnet.models.inception_resnet import SCALED_MODULES
from trsfnet.training.budget import regime
from trsfnet.training.config import TrainConfig

STUDY = "mechanism"
TAR = "all_pairs_tar@1e-2"
TAR_LOW = "all_pairs_tar@1e-3"

_VARIED = (
    "arch",
    "trsf",
    "activation",
    "scale_init",
    "fixed_scales",
    "projection_gain",
    "slope_floor",
    "weight_decay",
    "decayed",
)


def mechanism_runs(records: Sequence[Record]) -> pd.DataFrame:
    """The finished runs of the study, a row each.

    Returns:
        What the runs vary (`trsf`, `activation`, `weight_decay`, `decayed`, ...), `seed`, and:

        - `decay_budget`, `travel`: of the schedule, see `trsfnet.training.budget`.
        - `scale`: mean magnitude of the trainable scales at the end, NaN without any; `scale_largest`.
        - `kernel`: geometric mean of the norms of the kernels under the scales at the end, over that at the
          start.
        - `ratio`, `ratio_geometric`, `ratio_median`: norm of branch over norm of trunk, by module, at the end:
          arithmetic mean, geometric mean, median.
        - `negative_slopes`: share of slopes below 0 at the end, NaN without any.
        - `tar`, `tar_low`: TAR over all pairs of the test people at FAR 1e-2 and 1e-3.
        - `held_out_loss`: in nats, on unseen images of the training people.
        - `best_factor`: the factor on all scales at which that loss is least, batch statistics.
    """
    rows = [_row(record) for record in records if _is_finished(record)]
    table = pd.DataFrame(rows)
    return table.sort_values([*_VARIED[1:], "seed"], key=_sortable, ignore_index=True) if rows else table


def _is_finished(record: Record) -> bool:
    return record.status == "done" and budget_of(record.config) == STUDY


def _sortable(column: pd.Series) -> pd.Series:
    return column.map(lambda value: float("-inf") if value is None else value) if column.hasnans else column


def _row(record: Record) -> dict[str, Any]:
    config, history = record.config, record.history()
    steps = int(history["step"].iloc[-1] // len(history))
    found = regime(TrainConfig.from_parameters(config), steps)
    table = record.parameters()
    end = table[table["epoch"] == table["epoch"].max()]
    values = {kind: part.set_index("name")["value"] for kind, part in end.groupby("kind")}
    modules = SCALED_MODULES[config["arch"]]
    scales = values["trsf"].abs() if "trsf" in values else pd.Series(dtype=float)
    start = table[(table["epoch"] == 0) & (table["kind"] == "kernel")].set_index("name")["value"][:modules]
    kernels, ratios = values["kernel"][:modules], values["ratio"][:modules]
    slopes = values.get("slope", pd.Series(dtype=float))
    losses = values.get("rescaled_loss", pd.Series(dtype=float))
    last = history.iloc[-1]
    return {name: config.get(name) for name in _VARIED} | {
        "fixed_scales": bool(config.get("fixed_scales")),
        "run_id": record.run_id,
        "seed": record.seed,
        "decay_budget": found.decay_budget,
        "travel": found.travel,
        "scale": scales.mean() if len(scales) else np.nan,
        "scale_largest": scales.max() if len(scales) else np.nan,
        "kernel": float(np.exp(np.log(kernels / start).mean())),
        "ratio": ratios.mean(),
        "ratio_geometric": float(np.exp(np.log(ratios).mean())),
        "ratio_median": ratios.median(),
        "negative_slopes": (slopes < 0).mean() if len(slopes) else np.nan,
        "tar": record.metrics[TAR],
        "tar_low": record.metrics[TAR_LOW],
        "held_out_loss": last.get("held_out_loss", np.nan),
        "best_factor": float(losses.idxmin()) if len(losses) else np.nan,
    }


def ladder(runs: pd.DataFrame) -> pd.DataFrame:
    """The rungs of the ladder of decay: v1 with TRSF and PReLU from the paper's starts, and the baseline.

    Returns:
        The rows of `mechanism_runs` that belong to it, with `line`: `both` or `baseline`, where all kernels
        decay, and `projections`, where only those under the scales do. Runs without any decay stand under
        `both` alone.
    """
    usual = (runs["projection_gain"] == 1) & runs["slope_floor"].isna() & ~runs["fixed_scales"]
    both = usual & runs["trsf"] & (runs["activation"] == "prelu") & (runs["scale_init"] == 0.1)
    baseline = usual & ~runs["trsf"] & (runs["activation"] == "relu") & runs["scale_init"].isna()
    everywhere = runs["decayed"] == "all"
    lines = np.select(
        [both & everywhere, baseline & everywhere, both & ~everywhere],
        ["both", "baseline", "projections"],
        default="",
    )
    return runs.assign(line=lines)[lines != ""].sort_values(["line", "weight_decay", "seed"])


@dataclass(frozen=True)
class Change:
    """How a quantity differs between two decay budgets, seeds paired.

    Attributes:
        quantity: a column of `mechanism_runs`.
        low: decay budget of the one side.
        high: decay budget of the other.
        effect: high against low: a factor, or a difference for a share. None with fewer than two seeds.
        seeds: number of pairs.
    """

    quantity: str
    low: float
    high: float
    effect: Interval | None
    seeds: int


def change(rungs: pd.DataFrame, quantity: str, *, line: str = "both", usual: float = 5e-4) -> Change | None:
    """What raising the decay from `usual` to the ladder's largest does to a quantity.

    Args:
        rungs: see `ladder`.
        quantity: `tar` and other shares are compared by difference, all else by factor.
        line: which line of the ladder.
        usual: weight decay of the lower side.

    Returns:
        None where one of the sides has no finished run of a common seed.
    """
    part = rungs[rungs["line"] == line]
    sides = [part[part["weight_decay"] == decay] for decay in (usual, part["weight_decay"].max())]
    table = pd.concat([side.set_index("seed")[quantity] for side in sides], axis=1, join="inner").dropna()
    if not len(table) or sides[0]["decay_budget"].equals(sides[1]["decay_budget"]):
        return None
    budgets = [float(side["decay_budget"].iloc[0]) for side in sides]
    low, high = table.iloc[:, 0], table.iloc[:, 1]
    if quantity in ("tar", "tar_low", "negative_slopes"):
        effect = mean_over_seeds(list(high - low))
    else:
        logs = mean_over_seeds(list(np.log(high / low)))
        effect = logs and Interval(*(float(np.exp(x)) for x in (logs.value, logs.low, logs.high)))
    return Change(quantity, budgets[0], budgets[1], effect, len(table))


def starting_norms(records: Sequence[Record]) -> np.ndarray:
    """Norms of the kernels under the scales at the start of the study's runs, mean over seeds: [modules].

    Gradient flow starts from them; see `trsfnet.analysis.gradient_flow`.
    """
    norms = []
    for record in records:
        if _is_finished(record) and record.config["trsf"] and record.config.get("projection_gain", 1) == 1:
            table = record.parameters()
            start = table[(table["epoch"] == 0) & (table["kind"] == "kernel")]
            norms.append(start["value"].to_numpy()[: SCALED_MODULES[record.config["arch"]]])
    return np.mean(norms, axis=0) if norms else np.empty(0)
