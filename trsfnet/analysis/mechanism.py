"""The study of what a residual scale means, in numbers: what weight decay does to scales and branches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.analysis.run import Run
from trsfnet.evaluation.statistics import Interval, mean_over_seeds, wilson
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


def mechanism_runs(runs: Iterable[Run]) -> pd.DataFrame:
    """The finished runs of the study, a row each.

    Returns:
        What the runs vary (`trsf`, `activation`, `weight_decay`, `decayed`, ...), `seed`, and:

        - `decay_budget`, `travel`: of the schedule, see `trsfnet.training.budget`.
        - `scale`: mean magnitude of the trainable scales at the end, NaN without any; `scale_largest`.
        - `kernel`: geometric mean of the norms of the kernels under the scales at the end, over that at the
          start.
        - `ratio`, `ratio_geometric`, `ratio_median`: norm of branch over norm of trunk at the end:
          arithmetic mean, geometric mean and median of the modules.
        - `negative_slopes`: share of slopes below 0 at the end, NaN without any.
        - `tar`, `tar_low`: TAR over all pairs of the test people at FAR 1e-2 and 1e-3.
        - `held_out_loss`: in nats, on unseen images of the training people.
        - `best_factor`: the factor on all scales at which that loss is least, batch statistics.
        - `dead`: share of channels that are positive on fewer than one in a thousand positions, mean over
          activations; `zeros`: share of zeros before the average pool.
        - `cosine`: the most negative cosine between two kernels of a layer at the end, less that of the
          random ones at the start; `rank`: the effective rank at the end over that at the start. Means over
          layers.
        - `bias`: mean norm of the biases under the scales at the end.
    """
    rows = [_row(run) for run in runs if _is_finished(run)]
    table = pd.DataFrame(rows)
    return table.sort_values([*_VARIED[1:], "seed"], key=_sortable, ignore_index=True) if rows else table


def _is_finished(run: Run) -> bool:
    return run.done and run.budget == STUDY


def _sortable(column: pd.Series) -> pd.Series:
    return column.map(lambda value: float("-inf") if value is None else value) if column.hasnans else column


def _row(run: Run) -> dict[str, Any]:
    config, history = run.config, run.history
    steps = int(history["step"].iloc[-1] // len(history))
    found = regime(TrainConfig.from_parameters(config), steps)
    values = {kind: table.iloc[-1] for kind, table in run.learned.items()}
    random = {kind: table.iloc[0] for kind, table in run.learned.items()}
    modules = SCALED_MODULES[config["arch"]]
    scales = values["trsf"].abs() if "trsf" in values else pd.Series(dtype=float)
    kernels, ratios = values["kernel"][:modules], values["ratio"][:modules]
    slopes = values.get("slope", pd.Series(dtype=float))
    losses = values.get("rescaled_loss", pd.Series(dtype=float))
    last = history.iloc[-1]
    return {name: config.get(name) for name in _VARIED} | {
        "fixed_scales": bool(config.get("fixed_scales")),
        "run_id": run.run_id,
        "seed": run.seed,
        "decay_budget": found.decay_budget,
        "travel": found.travel,
        "scale": scales.mean() if len(scales) else np.nan,
        "scale_largest": scales.max() if len(scales) else np.nan,
        "kernel": float(np.exp(np.log(kernels / random["kernel"][:modules]).mean())),
        "ratio": ratios.mean(),
        "ratio_geometric": float(np.exp(np.log(ratios).mean())),
        "ratio_median": ratios.median(),
        "negative_slopes": (slopes < 0).mean() if len(slopes) else np.nan,
        "tar": run.metrics[TAR],
        "tar_low": run.metrics[TAR_LOW],
        "held_out_loss": last.get("held_out_loss", np.nan),
        "best_factor": float(str(losses.idxmin())) if len(losses) else np.nan,
        "dead": values["dead"].mean() if "dead" in values else np.nan,
        "zeros": values["zeros"].mean() if "zeros" in values else np.nan,
        "cosine": (values["cosine"] - random["cosine"]).mean() if "cosine" in values else np.nan,
        "rank": (values["rank"] / random["rank"]).mean() if "rank" in values else np.nan,
        "bias": values["bias"][:modules].mean() if "bias" in values else np.nan,
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


def starting_norms(runs: Iterable[Run]) -> np.ndarray:
    """Norms of the kernels under the scales at the start of the study's runs, mean over seeds: [modules].

    Gradient flow starts from them; see `trsfnet.analysis.gradient_flow`.
    """
    norms = [
        run.learned["kernel"].iloc[0].to_numpy()[: SCALED_MODULES[run.config["arch"]]]
        for run in runs
        if _is_finished(run) and run.config["trsf"] and run.config.get("projection_gain", 1) == 1
    ]
    return np.mean(norms, axis=0) if norms else np.empty(0)


@dataclass(frozen=True)
class Answer:
    """What the study says to one of its questions, by the rule that was fixed for it.

    Attributes:
        question: `growth`, `branches`, `gauge`, `contraction`, `optimum` or `training`.
        decided: True or False by the rule, None where an interval leaves both open or runs are missing.
        effects: what the rule looked at, by name; factors, differences or shares with intervals.
        seeds: number of seeds behind them.
    """

    question: str
    decided: bool | None
    effects: dict[str, Interval]
    seeds: int


USUAL, HIGH = 5e-4, 0.04
# The scales that the runs of the part `starts`, and the ladder's, start from.
STARTED = (0.03, 0.1, 0.3, 1.0)
RATIOS = ("ratio", "ratio_geometric", "ratio_median")


def answers(runs: pd.DataFrame) -> list[Answer]:
    """The questions of the study in their order; see `trsfnet.experiments.mechanism` for the rules."""
    if not len(runs):
        return []
    rungs = ladder(runs)
    return [
        _moved("growth", [change(rungs, "scale")], above=True),
        _moved("branches", [change(rungs, quantity) for quantity in RATIOS], above=False),
        _gauge(runs),
        _contraction(runs),
        _optimum(runs),
        _training(runs),
    ]


def _moved(question: str, changes: Sequence[Change | None], *, above: bool) -> Answer:
    """Whether all factors lie on one side of 1, their intervals included."""
    found = {c.quantity: c.effect for c in changes if c and c.effect}
    if len(found) < len(changes):
        return Answer(question, None, found, 0)
    sides = {(e.low > 1) - (e.high < 1) for e in found.values()}
    decided = {frozenset({1}): above, frozenset({-1}): not above}.get(frozenset(sides))
    return Answer(question, decided, found, min(c.seeds for c in changes if c))


def pick(runs: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """The runs by seed whose settings are the study's usual ones, TRSF + PReLU, but for those `wanted`."""
    usual = {"activation": "prelu", "decayed": "all", "projection_gain": 1.0, "slope_floor": None}
    usual |= {"fixed_scales": False, "trsf": True, "scale_init": 0.1}
    keep = pd.Series(True, index=runs.index)
    for name, value in (usual | wanted).items():
        keep &= runs[name].isna() if value is None else runs[name] == value
    return runs[keep].set_index("seed")


def _factor(first: pd.Series, second: pd.Series) -> tuple[Interval | None, int]:
    """Second over first, seeds paired, as a factor with its interval."""
    logs = (second / first).map(np.log).dropna()
    found = mean_over_seeds(list(logs))
    return found and Interval(*np.exp([found.value, found.low, found.high]).tolist()), len(logs)


def _difference(first: pd.Series, second: pd.Series) -> tuple[Interval | None, int]:
    """Second minus first, seeds paired."""
    differences = (second - first).dropna()
    return mean_over_seeds(list(differences)), len(differences)


def _gauge(runs: pd.DataFrame) -> Answer:
    """Do runs that start as one function end with other scales, by how the function was written?"""
    found, counts = {}, []
    for decay in (USUAL, HIGH):
        usual = pick(runs, weight_decay=decay)
        other = pick(runs, weight_decay=decay, scale_init=1.0, projection_gain=0.1)
        effect, seeds = _factor(usual["scale"], other["scale"])
        if effect:
            found[f"weight decay {decay:g}"] = effect
            counts.append(seeds)
    if len(found) < 2:
        return Answer("gauge", None, found, min(counts, default=0))
    apart = [effect.low > 1 or effect.high < 1 for effect in found.values()]
    return Answer("gauge", True if all(apart) else None, found, min(counts))


def _contraction(runs: pd.DataFrame) -> Answer:
    """Is the spread of log scales over their starts smaller at the end than at the start?"""
    found, counts = {}, []
    for decay in (USUAL, HIGH):
        by_start = {s: pick(runs, weight_decay=decay, scale_init=s)["scale"] for s in STARTED}
        table = np.log(pd.DataFrame(by_start).dropna())
        ratios = table.std(axis=1, ddof=0) / np.std(np.log(list(by_start)))
        effect = mean_over_seeds(list(ratios))
        if effect:
            found[f"weight decay {decay:g}"] = effect
            counts.append(len(ratios))
    if len(found) < 2:
        return Answer("contraction", None, found, min(counts, default=0))
    below = all(effect.high < 1 for effect in found.values())
    not_below = any(effect.low > 1 for effect in found.values())
    return Answer("contraction", True if below else False if not_below else None, found, min(counts))


def _optimum(runs: pd.DataFrame) -> Answer:
    """Is the held-out loss least near a factor of 1 in most runs with trainable scales?"""
    found = {f"weight decay {decay:g}": share for decay, share in optimum_shares(runs).items()}
    if len(found) < 2:
        return Answer("optimum", None, found, 0)
    above = all(effect.low > 0.5 for effect in found.values())
    below = any(effect.high < 0.5 for effect in found.values())
    return Answer("optimum", True if above else False if below else None, found, runs["seed"].nunique())


def optimum_shares(runs: pd.DataFrame) -> dict[float, Interval]:
    """In what share of runs with trainable scales the held-out loss is least near a factor of 1, by decay."""
    found = {}
    for decay in (USUAL, HIGH):
        part = runs[runs["trsf"] & (runs["weight_decay"] == decay)].dropna(subset=["best_factor"])
        if len(part):
            found[decay] = wilson(int(part["best_factor"].between(0.84, 1.19).sum()), len(part))
    return found


def _training(runs: pd.DataFrame) -> Answer:
    """Does training the scales raise TAR over the constant from which they start?"""
    found, over_start, counts = {}, [], []
    for decay in (USUAL, HIGH):
        trained = pick(runs, weight_decay=decay)
        for name, constant in (("constant 0.1", 0.1), ("facenet's constants", None)):
            fixed = pick(runs, weight_decay=decay, trsf=False, scale_init=constant)
            effect, seeds = _difference(fixed["tar"], trained["tar"])
            if effect:
                found[f"over {name}, weight decay {decay:g}"] = effect
                counts.append(seeds)
                if constant is not None:
                    over_start.append(effect)
    if len(found) < 4:
        return Answer("training", None, found, min(counts, default=0))
    above = all(effect.low > 0 for effect in over_start)
    below = all(effect.high < 0 for effect in over_start)
    decided = True if above else False if below else None
    return Answer("training", decided, found, min(counts))


def branches_over_constants(runs: pd.DataFrame) -> dict[str, dict[str, tuple[Interval | None, int]]]:
    """What branches with trainable scales add, over what they add with constants, at the same weight decay.

    This comparison was thought of after the first seed of the study was known, so no rule decides it.

    Returns:
        By weight decay, such as `0.04`, and by one of `RATIOS`: the factor of TRSF + PReLU over the baseline
        (facenet's constants, ReLU) with its interval, seeds paired, and the number of seeds. Under `tar`, how
        far TRSF + PReLU is ahead in TAR.
    """
    found = {}
    rungs = ladder(runs)
    for decay in (USUAL, HIGH):
        part = rungs[rungs["weight_decay"] == decay].set_index("seed")
        both, baseline = part[part["line"] == "both"], part[part["line"] == "baseline"]
        found[f"{decay:g}"] = {name: _factor(baseline[name], both[name]) for name in RATIOS}
        found[f"{decay:g}"]["tar"] = _difference(baseline["tar"], both["tar"])
    return found
