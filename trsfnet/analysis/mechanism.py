"""Numerical results of the mechanism study: how weight decay affects residual scales and branches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """Return a table with one row per finished run of the study.

    Returns:
        The settings that the runs vary (`trsf`, `activation`, `weight_decay`, `decayed`, ...), `seed`, and:

        - `decay_budget`, `travel`: decay budget and travel of the schedule, see `trsfnet.training.budget`.
        - `scale`, `scale_largest`: mean and largest final magnitude of the trainable scales; NaN without any.
        - `kernel`: geometric mean over modules of the final norm of the kernel under the scale relative to
          its initial norm.
        - `ratio`, `ratio_geometric`, `ratio_median`: final ratio of the norms of branch and trunk:
          arithmetic mean, geometric mean and median over modules.
        - `negative_slopes`: share of final slopes below 0; NaN without any.
        - `tar`, `tar_low`: TAR over all pairs of the test people at FAR 1e-2 and 1e-3.
        - `held_out_loss`: loss in nats on unseen images of the training people.
        - `best_factor`: the common factor on all scales that minimises that loss, with batch statistics.
        - `dead`: share of channels that are positive at fewer than one in a thousand positions, averaged over
          activation layers; `zeros`: share of zeros before the average pool.
        - `cosine`: the most negative cosine between two final kernels of a layer, minus that of the random
          initial kernels; `rank`: the final effective rank relative to the initial one. Both are means over
          layers.
        - `bias`: mean norm of the final biases under the scales.

        Empty if there are no such runs.
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
        **ratio_averages(ratios),
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


def ratio_averages(ratios: pd.Series) -> dict[str, float]:
    """Return the averages over modules named in `RATIOS`; a branch of 0 makes the geometric mean 0."""
    with np.errstate(divide="ignore"):
        geometric = float(np.exp(np.log(ratios).mean()))
    return {"ratio": ratios.mean(), "ratio_geometric": geometric, "ratio_median": ratios.median()}


def ladder(runs: pd.DataFrame) -> pd.DataFrame:
    """Select the runs of the weight-decay ladder.

    They train v1 at increasing weight decay, once with TRSF and PReLU from the paper's initial values, and
    once as the baseline.

    Returns:
        The rows of `mechanism_runs` that belong to the ladder, with a column `line`: `both` or `baseline` if
        all kernels decay, and `projections` if only the kernels under the scales decay. Runs with TRSF and
        PReLU but without weight decay appear only as `both`.
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
    """The change of a quantity between two decay budgets, paired by seed.

    Attributes:
        quantity: a column of `mechanism_runs`.
        low: the lower decay budget.
        high: the higher decay budget.
        effect: the change from low to high: a difference for shares, otherwise a factor. None with fewer than
            two seeds.
        seeds: number of pairs.
    """

    quantity: str
    low: float
    high: float
    effect: Interval | None
    seeds: int


def change(rungs: pd.DataFrame, quantity: str, *, line: str = "both", usual: float = 5e-4) -> Change | None:
    """Return the effect on a quantity of raising weight decay from `usual` to the largest of the ladder.

    Args:
        rungs: the table returned by `ladder`.
        quantity: a column of the table; TAR and other shares are compared by difference, others by factor.
        line: the line of the ladder.
        usual: the lower weight decay.

    Returns:
        The change; None if the two sides have no finished seed in common or have equal decay budgets.
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
    """Return the initial norms of the kernels under the scales, averaged over the study's runs: [modules].

    They are the initial values of `trsfnet.analysis.gradient_flow`. Empty if there are no runs.
    """
    norms = [
        run.learned["kernel"].iloc[0].to_numpy()[: SCALED_MODULES[run.config["arch"]]]
        for run in runs
        if _is_finished(run) and run.config["trsf"] and run.config.get("projection_gain", 1) == 1
    ]
    return np.mean(norms, axis=0) if norms else np.empty(0)


@dataclass(frozen=True)
class Answer:
    """A study's answer to one of its questions, according to the rule fixed for it in advance.

    Attributes:
        question: its name, such as `growth`.
        decided: True or False according to the rule; None if an interval is inconclusive or runs are missing.
        effects: the effects that the rule uses, by name: factors, differences or shares with intervals.
        seeds: number of seeds on which they are based.
    """

    question: str
    decided: bool | None
    effects: dict[str, Interval]
    seeds: int


USUAL, HIGH = 5e-4, 0.04
# Initial scales of the runs of the part `starts` and of the ladder.
STARTED = (0.03, 0.1, 0.3, 1.0)
RATIOS = ("ratio", "ratio_geometric", "ratio_median")


def answers(runs: pd.DataFrame) -> list[Answer]:
    """Answer the questions of the study, in order; see `trsfnet.experiments.mechanism` for the rules."""
    if not len(runs):
        return []
    rungs = ladder(runs)
    return [
        _moved("growth", rungs, ["scale"], above=True),
        _moved("branches", rungs, RATIOS, above=False),
        _gauge(runs),
        _contraction(runs),
        _optimum(runs),
        _training(runs),
    ]


def _moved(question: str, rungs: pd.DataFrame, quantities: Sequence[str], *, above: bool) -> Answer:
    changes = {quantity: change(rungs, quantity) for quantity in quantities}
    factors = {q: (c.effect, c.seeds) if c else (None, 0) for q, c in changes.items()}
    return answer_from(question, factors, above=above)


def answer_from(question: str, factors: Mapping[str, tuple[Interval | None, int]], *, above: bool) -> Answer:
    """Decide a question by whether all factors, including their intervals, lie on one side of 1.

    Args:
        question: name of the question.
        factors: each factor with its interval, or None with fewer than two pairs, and the number of pairs.
        above: True if factors above 1 answer the question with yes, False if factors below 1 do.
    """
    found = {name: effect for name, (effect, _) in factors.items() if effect}
    seeds = min(seeds for _, seeds in factors.values())
    if len(found) < len(factors):
        return Answer(question, None, found, seeds)
    sides = {(e.low > 1) - (e.high < 1) for e in found.values()}
    decided = {frozenset({1}): above, frozenset({-1}): not above}.get(frozenset(sides))
    return Answer(question, decided, found, seeds)


def pick(runs: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """Select the runs with the study's default settings (TRSF + PReLU) except `wanted`, indexed by seed."""
    usual = {"activation": "prelu", "decayed": "all", "projection_gain": 1.0, "slope_floor": None}
    usual |= {"fixed_scales": False, "trsf": True, "scale_init": 0.1}
    keep = pd.Series(True, index=runs.index)
    for name, value in (usual | wanted).items():
        keep &= runs[name].isna() if value is None else runs[name] == value
    return runs[keep].set_index("seed")


def by_seed(runs: pd.DataFrame, quantity: str, decay: float, settings: Mapping[str, object]) -> pd.Series:
    """Return a quantity of the runs with the given settings, by seed."""
    found = pick(runs, weight_decay=decay, **settings)[quantity]
    return found[~found.index.duplicated()].dropna()


def factor(first: pd.Series, second: pd.Series) -> tuple[Interval | None, int]:
    """Return the factor second / first with its interval, paired by seed, and the number of pairs.

    Pairs in which a value is 0 or missing are left out.
    """
    both = pd.concat([first, second], axis=1, join="inner").astype(float)
    both = both[(both > 0).all(axis=1)]
    logs = np.log(both.iloc[:, 1] / both.iloc[:, 0])
    found = mean_over_seeds(list(logs))
    return found and Interval(*np.exp([found.value, found.low, found.high]).tolist()), len(logs)


def _difference(first: pd.Series, second: pd.Series) -> tuple[Interval | None, int]:
    """Return the mean of second - first with its interval, paired by seed, and the number of pairs."""
    differences = (second - first).dropna()
    return mean_over_seeds(list(differences)), len(differences)


def _gauge(runs: pd.DataFrame) -> Answer:
    """Do runs that start as the same function, parametrised differently, end with different scales?"""
    found, counts = {}, []
    for decay in (USUAL, HIGH):
        usual = pick(runs, weight_decay=decay)
        other = pick(runs, weight_decay=decay, scale_init=1.0, projection_gain=0.1)
        effect, seeds = factor(usual["scale"], other["scale"])
        if effect:
            found[f"weight decay {decay:g}"] = effect
            counts.append(seeds)
    if len(found) < 2:
        return Answer("gauge", None, found, min(counts, default=0))
    apart = [effect.low > 1 or effect.high < 1 for effect in found.values()]
    return Answer("gauge", True if all(apart) else None, found, min(counts))


def spread_ratios(runs: pd.DataFrame, decay: float) -> pd.Series:
    """Return, by seed, the spread of log scales over the initial scales: at the end, over at the start."""
    ends = {start: by_seed(runs, "scale", decay, {"scale_init": start}) for start in STARTED}
    logs = np.log(pd.DataFrame(ends).dropna().astype(float))
    return logs.std(axis=1, ddof=0) / np.std(np.log(STARTED))


def _contraction(runs: pd.DataFrame) -> Answer:
    """Is the spread of log scales over the different initial scales smaller at the end than at the start?"""
    found, counts = {}, []
    for decay in (USUAL, HIGH):
        ratios = spread_ratios(runs, decay)
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
    """Is the held-out loss smallest near a factor of 1 in most runs with trainable scales?"""
    found = {f"weight decay {decay:g}": share for decay, share in optimum_shares(runs).items()}
    if len(found) < 2:
        return Answer("optimum", None, found, 0)
    above = all(effect.low > 0.5 for effect in found.values())
    below = any(effect.high < 0.5 for effect in found.values())
    return Answer("optimum", True if above else False if below else None, found, runs["seed"].nunique())


def optimum_shares(runs: pd.DataFrame) -> dict[float, Interval]:
    """Return, by weight decay, the share of runs whose held-out loss is smallest near a factor of 1.

    Only runs with trainable scales count; near 1 means from 0.84 to 1.19. The intervals are Wilson's.
    """
    found = {}
    for decay in (USUAL, HIGH):
        part = runs[runs["trsf"] & (runs["weight_decay"] == decay)].dropna(subset=["best_factor"])
        if len(part):
            found[decay] = wilson(int(part["best_factor"].between(0.84, 1.19).sum()), len(part))
    return found


def _training(runs: pd.DataFrame) -> Answer:
    """Does training the scales increase TAR over keeping them at their initial value?"""
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
    """Compare the branch-to-trunk ratios with trainable scales and with constants at equal weight decay.

    This comparison was chosen after the first seed of the study was known, so no rule decides it.

    Returns:
        By weight decay, such as `0.04`, and by each of `RATIOS`: the factor of TRSF + PReLU over the baseline
        (facenet's constants, ReLU) with its interval, paired by seed, and the number of seeds. The entry
        `tar` holds the difference in TAR instead.
    """
    found = {}
    rungs = ladder(runs)
    for decay in (USUAL, HIGH):
        part = rungs[rungs["weight_decay"] == decay].set_index("seed")
        both, baseline = part[part["line"] == "both"], part[part["line"] == "baseline"]
        found[f"{decay:g}"] = {name: factor(baseline[name], both[name]) for name in RATIOS}
        found[f"{decay:g}"]["tar"] = _difference(baseline["tar"], both["tar"])
    return found
