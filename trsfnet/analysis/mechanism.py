"""Numerical results of the mechanism study: how weight decay affects residual scales and branches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.analysis.averages import MEANS, compared_modules, geometric_mean
from trsfnet.analysis.findings import MIN_SEEDS
from trsfnet.analysis.reach import run_regime
from trsfnet.analysis.run import Run, latest
from trsfnet.evaluation.statistics import Interval, mean_over_seeds, wilson
from trsfnet.experiments.mechanism import BUDGET, ENDS, STARTS
from trsfnet.experiments.studies import planned_configs
from trsfnet.models.inception_resnet import PAPER_SCALE
from trsfnet.training.config import TrainConfig
from trsfnet.training.rescaling import FACTORS

# Initial scales of the runs of the part `starts` and of the ladder.
STARTED = tuple(sorted({*STARTS, PAPER_SCALE}))
RATIOS = ("ratio", "ratio_geometric", "ratio_median")
# A learned size counts as optimal if the best factor on it is 1 or one of the neighbours of 1.
_ONE = FACTORS.index(1.0)
NEAR_ONE = (FACTORS[_ONE - 1], FACTORS[_ONE + 1])

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
        - `scale`: mean final magnitude of the trainable scales; NaN without any.
        - `kernel`: geometric mean over modules of the final norm of the kernel that the scale multiplies,
          relative to its initial norm.
        - `ratio`, `ratio_geometric`, `ratio_median`: final ratio of the norms of branch and trunk:
          arithmetic mean, geometric mean and median over modules.
        - `negative_slopes`: share of final slopes below 0; NaN without any.
        - `tar`: TAR at FAR 1e-2 over all pairs of the test people.
        - `loss_0.5` to `loss_2`: the loss in nats on unseen images of the training people, with batch
          statistics, after all scales were multiplied by each of `FACTORS`; NaN if not measured.
        - `best_factor`: the factor with the smallest of these losses.
        - `dead`: share of channels that are positive at fewer than one in a thousand positions, averaged over
          activation layers.
        - `zeros`: share of values before the average pool that are exactly 0; NaN if not measured.
        - `cosine`: the most negative cosine between two final kernels of a layer, minus that of the random
          initial kernels; `rank`: the final effective rank relative to the initial one. Both are means over
          layers.

        Empty if there are no such runs.
    """
    rows = [_row(run) for run in finished_runs(runs)]
    table = pd.DataFrame(rows)
    return table.sort_values([*_VARIED[1:], "seed"], key=_sortable, ignore_index=True) if rows else table


def finished_runs(runs: Iterable[Run]) -> list[Run]:
    """Return the finished runs of the study; of those that differ only in precision, the last.

    Seeds beyond the planned ones count as well. Runs of its budget that vary a setting that the study keeps,
    such as the initial slope, are left out.
    """
    planned = set(map(_kept, planned_configs(BUDGET, "synthetic")))
    finished = [run for run in runs if run.done and run.budget == BUDGET]
    return latest([run for run in finished if _kept(run.settings) in planned], _settings)


def _kept(config: TrainConfig) -> tuple[Hashable, ...]:
    """Return what the study varies only together with the variant."""
    return config.arch, config.loss, config.activation, config.slope_init, config.trsf_per_channel


def _settings(run: Run) -> tuple[Hashable, ...]:
    """Return what tells the runs of the study apart."""
    return run.seed, *(getattr(run.settings, name) for name in _VARIED)


def _sortable(column: pd.Series) -> pd.Series:
    return column.map(lambda value: float("-inf") if value is None else value) if column.hasnans else column


def _row(run: Run) -> dict[str, Any]:
    config, found = run.config, run_regime(run)
    values = {kind: table.iloc[-1] for kind, table in run.learned.items()}
    random = {kind: table.iloc[0] for kind, table in run.learned.items()}
    modules = compared_modules(config["arch"])
    slopes = values.get("slope", pd.Series(dtype=float))
    losses = values.get("rescaled_loss", pd.Series(dtype=float))
    losses = losses.set_axis(pd.Index(losses.index.astype(str).astype(float)))
    return {name: config.get(name) for name in _VARIED} | {
        "fixed_scales": bool(config.get("fixed_scales")),
        "seed": run.seed,
        "decay_budget": found.decay_budget,
        "travel": found.travel,
        "scale": values["trsf"].abs().mean() if "trsf" in values else np.nan,
        "kernel": float(geometric_mean(values["kernel"][:modules] / random["kernel"][:modules])),
        **ratio_averages(values["ratio"][:modules]),
        "negative_slopes": (slopes < 0).mean() if len(slopes) else np.nan,
        "tar": run.metrics[run.measures[0]],
        **{_loss_column(factor): losses.get(factor, np.nan) for factor in FACTORS},
        "best_factor": losses.idxmin() if len(losses) else np.nan,
        "dead": values["dead"].mean() if "dead" in values else np.nan,
        "zeros": values["zeros"].mean() if "zeros" in values else np.nan,
        "cosine": (values["cosine"] - random["cosine"]).mean() if "cosine" in values else np.nan,
        "rank": (values["rank"] / random["rank"]).mean() if "rank" in values else np.nan,
    }


def _loss_column(factor: float) -> str:
    return f"loss_{factor:g}"


def ratio_averages(ratios: pd.Series) -> dict[str, float]:
    """Return the averages over modules named in `RATIOS`; a branch of 0 makes the geometric mean 0."""
    averages = (MEANS[mean](ratios.to_numpy(float)) for mean in ("arithmetic", "geometric", "median"))
    return dict(zip(RATIOS, map(float, averages), strict=True))


def ladder(runs: pd.DataFrame) -> pd.DataFrame:
    """Select the runs of the weight-decay ladder.

    They train v1 at increasing weight decay, once with TRSF and PReLU from the paper's initial values, and
    once as the baseline.

    Returns:
        The rows of `mechanism_runs` that belong to the ladder, with a column `line`: `both` or `baseline` if
        all kernels decay, and `projections` if only the kernels that the scales multiply decay. Runs with
        TRSF and PReLU but without weight decay appear only as `both`.
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
    """The change of a quantity from the usual weight decay to the raised one, paired by seed.

    Attributes:
        low: the decay budget at the usual weight decay.
        high: that at the raised one.
        effect: the change: a difference for TAR, otherwise a factor. None with fewer than two seeds.
        seeds: number of pairs.
    """

    low: float
    high: float
    effect: Interval | None
    seeds: int


def change(
    rungs: pd.DataFrame, quantity: str, *, line: str = "both", decays: Sequence[float] = ENDS
) -> Change | None:
    """Return the effect on a quantity of raising weight decay from one value to another.

    Args:
        rungs: the table returned by `ladder`.
        quantity: a column of the table; TAR is compared by difference, others by factor.
        line: the line of the ladder.
        decays: the smaller and the larger weight decay.

    Returns:
        The change; None if the two sides have no seed in common.
    """
    part = rungs[rungs["line"] == line].set_index("seed")
    low, high = (part[part["weight_decay"] == decay] for decay in decays)
    compare = difference if quantity == "tar" else factor
    effect, seeds = compare(low[quantity], high[quantity])
    if not seeds:
        return None
    return Change(float(low["decay_budget"].iloc[0]), float(high["decay_budget"].iloc[0]), effect, seeds)


def starting_norms(runs: Iterable[Run]) -> np.ndarray:
    """Return the initial norms of the kernels that the scales multiply, averaged over runs: [modules].

    They are the initial values of `trsfnet.analysis.gradient_flow`. Empty if there are no runs.
    """
    norms = [
        run.learned["kernel"].iloc[0].to_numpy()[: compared_modules(run.config["arch"])]
        for run in finished_runs(runs)
        if run.config["trsf"] and run.config.get("projection_gain", 1) == 1
    ]
    return np.mean(norms, axis=0) if norms else np.empty(0)


Effects = Mapping[str, tuple[Interval | None, int]]
"""Effects by name: each with its interval, or None with fewer than two pairs, and the number of pairs."""


@dataclass(frozen=True)
class Answer:
    """A study's answer to one of its questions, according to the rule fixed for it in advance.

    Attributes:
        question: its name, such as `growth`.
        decided: True or False according to the rule; None if an interval is inconclusive or runs are missing.
        effects: the effects that are known, by name: factors, differences or shares with intervals.
        seeds: the number of seeds of the effect with the fewest; without any effect, that of the comparison
            with the most.
    """

    question: str
    decided: bool | None
    effects: dict[str, Interval]
    seeds: int


def answered(
    question: str, effects: Effects, decide: Callable[[Mapping[str, Interval]], bool | None]
) -> Answer:
    """Answer a question by a rule, or leave it open if an effect is missing or has fewer than three seeds.

    Args:
        question: name of the question.
        effects: all effects that the rule needs.
        decide: the rule: returns the answer, given the effects with their intervals.
    """
    known = {name: effect for name, (effect, _) in effects.items() if effect}
    seeds = min((effects[name][1] for name in known), default=max(pairs for _, pairs in effects.values()))
    enough = len(known) == len(effects) and seeds >= MIN_SEEDS
    return Answer(question, decide(known) if enough else None, known, seeds)


def answers(runs: pd.DataFrame) -> list[Answer]:
    """Answer the questions of the study, in order; see `trsfnet.experiments.mechanism` for the rules."""
    if not len(runs):
        return []
    rungs = ladder(runs)
    return [
        answer_from("growth", _changes(rungs, ["scale"]), above=True),
        answer_from("branches", _changes(rungs, RATIOS), above=False),
        _gauge(runs),
        _contraction(runs),
        _optimum(runs),
        _training(runs),
    ]


def decay_explains_growth(found: Sequence[Answer]) -> bool:
    """Return whether scales grow with weight decay while the branches add less, according to `answers`."""
    decided = {answer.question: answer.decided for answer in found}
    return bool(decided.get("growth") and decided.get("branches"))


def _changes(rungs: pd.DataFrame, quantities: Sequence[str]) -> Effects:
    changes = {quantity: change(rungs, quantity) for quantity in quantities}
    return {name: (found.effect, found.seeds) if found else (None, 0) for name, found in changes.items()}


def answer_from(question: str, factors: Effects, *, above: bool) -> Answer:
    """Decide a question by whether all factors, including their intervals, lie on one side of 1.

    Args:
        question: name of the question.
        factors: the factors.
        above: True if factors above 1 answer the question with yes, False if factors below 1 do.
    """

    def decide(effects: Mapping[str, Interval]) -> bool | None:
        sides = {(effect.low > 1) - (effect.high < 1) for effect in effects.values()}
        return {frozenset({1}): above, frozenset({-1}): not above}.get(frozenset(sides))

    return answered(question, factors, decide)


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
    return pick(runs, weight_decay=decay, **settings)[quantity].dropna()


def factor(first: pd.Series, second: pd.Series) -> tuple[Interval | None, int]:
    """Return the factor second / first with its interval, paired by seed, and the number of pairs.

    Pairs in which a value is 0 or missing are left out.
    """
    both = pd.concat([first, second], axis=1, join="inner").astype(float)
    both = both[(both > 0).all(axis=1)]
    logs = np.log(both.iloc[:, 1] / both.iloc[:, 0])
    found = mean_over_seeds(list(logs))
    return found and Interval(*np.exp([found.value, found.low, found.high]).tolist()), len(logs)


def difference(first: pd.Series, second: pd.Series) -> tuple[Interval | None, int]:
    """Return the mean of second - first with its interval, paired by seed, and the number of pairs."""
    differences = (second - first).dropna()
    return mean_over_seeds(list(differences)), len(differences)


def _at(decay: float) -> str:
    return f"weight decay {decay:g}"


def _gauge(runs: pd.DataFrame) -> Answer:
    """Do runs that start as the same function, parametrised differently, end with different scales?"""
    other = {"scale_init": 1.0, "projection_gain": 0.1}
    effects = {
        _at(decay): factor(by_seed(runs, "scale", decay, {}), by_seed(runs, "scale", decay, other))
        for decay in ENDS
    }

    def decide(found: Mapping[str, Interval]) -> bool | None:
        return True if all(effect.low > 1 or effect.high < 1 for effect in found.values()) else None

    return answered("gauge", effects, decide)


def spread_ratios(runs: pd.DataFrame, decay: float, quantity: str = "scale") -> pd.Series:
    """Return, by seed, the spread of a quantity's logarithm over runs from different initial scales.

    It is given relative to the spread of the logarithm of the initial scales. The initial size of the
    branches is proportional to them.

    Args:
        runs: the table of `mechanism_runs`.
        decay: the weight decay.
        quantity: the final quantity, `scale` or one of `RATIOS`.
    """
    ends = {start: by_seed(runs, quantity, decay, {"scale_init": start}) for start in STARTED}
    table = pd.DataFrame(ends).dropna().astype(float)
    logs = np.log(table[(table > 0).all(axis=1)])  # a branch that adds nothing has no logarithm
    return logs.std(axis=1, ddof=0) / np.std(np.log(STARTED))


def _contraction(runs: pd.DataFrame) -> Answer:
    """Is the spread of log scales over the different initial scales smaller at the end than at the start?

    The spread of what the branches add is given as well: a scale alone can be exchanged against its kernel.
    """
    ratios = {_at(decay): spread_ratios(runs, decay) for decay in ENDS}
    ratios |= {f"ratio, {_at(decay)}": spread_ratios(runs, decay, "ratio_geometric") for decay in ENDS}
    effects = {name: (mean_over_seeds(list(found)), len(found)) for name, found in ratios.items()}
    return answered("contraction", effects, lambda found: _side(_at_ends(found), 1, above=False))


def _at_ends(effects: Mapping[str, Interval]) -> list[Interval]:
    """Return the effects named by a weight decay alone; the others are for comparison."""
    return [effects[_at(decay)] for decay in ENDS]


def _side(effects: Collection[Interval], bound: float, *, above: bool) -> bool | None:
    """Return True if all intervals lie on the wanted side of a bound, False if one lies on the other side."""
    over = [effect.low > bound for effect in effects]
    under = [effect.high < bound for effect in effects]
    wanted, other = (over, under) if above else (under, over)
    return True if all(wanted) else False if any(other) else None


def _optimum(runs: pd.DataFrame) -> Answer:
    """Is the held-out loss smallest near a factor of 1 in most runs with trainable scales?"""
    shares = optimum_shares(runs)
    seeds = {decay: _rescaled(runs, decay)["seed"].nunique() for decay in ENDS}
    effects = {_at(decay): (shares.get(decay), seeds[decay]) for decay in ENDS}
    effects |= {f"best factor, {_at(decay)}": _best_factor(runs, decay) for decay in ENDS}
    return answered("optimum", effects, lambda found: _side(_at_ends(found), 0.5, above=True))


def _best_factor(runs: pd.DataFrame, decay: float) -> tuple[Interval | None, int]:
    """Return the factor on all scales with the smallest loss: geometric mean over settings, then seeds."""
    found = _rescaled(runs, decay)
    logs = np.log(found["best_factor"]).groupby(found["seed"]).mean()
    return factor(pd.Series(1.0, logs.index), np.exp(logs))


def _rescaled(runs: pd.DataFrame, decay: float) -> pd.DataFrame:
    """Select the runs with trainable scales whose loss was measured with rescaled branches."""
    return runs[runs["trsf"] & (runs["weight_decay"] == decay)].dropna(subset=["best_factor"])


def loss_by_factor(runs: pd.DataFrame, decay: float) -> pd.DataFrame:
    """Return the held-out loss by common factor on all scales, for the runs with trainable scales.

    Args:
        runs: the table of `mechanism_runs`.
        decay: the weight decay.

    Returns:
        Losses in nats [runs, factors]: a column for each of `FACTORS`, and the seed of each run as index.
    """
    found = _rescaled(runs, decay).set_index("seed")
    return found[[_loss_column(factor) for factor in FACTORS]].set_axis(list(FACTORS), axis=1)


def optimum_shares(runs: pd.DataFrame) -> dict[float, Interval]:
    """Return, by weight decay, the share of runs whose held-out loss is smallest near a factor of 1.

    Only runs with trainable scales count; near 1 means within `NEAR_ONE`. The intervals are Wilson's, for
    independent runs; that runs of different settings share a seed is not taken into account.
    """
    parts = {decay: _rescaled(runs, decay) for decay in ENDS}
    return {
        decay: wilson(int(part["best_factor"].between(*NEAR_ONE).sum()), len(part))
        for decay, part in parts.items()
        if len(part)
    }


def _training(runs: pd.DataFrame) -> Answer:
    """Does training the scales increase TAR over keeping them at their initial value?"""
    effects: dict[str, tuple[Interval | None, int]] = {}
    over_start = []
    for decay in ENDS:
        trained = by_seed(runs, "tar", decay, {})
        for name, constant in (("constant 0.1", PAPER_SCALE), ("facenet's constants", None)):
            fixed = by_seed(runs, "tar", decay, {"trsf": False, "scale_init": constant})
            compared = f"over {name}, {_at(decay)}"
            effects[compared] = difference(fixed, trained)
            over_start += [compared] if constant else []

    def decide(found: Mapping[str, Interval]) -> bool | None:
        above, below = (
            all(test(found[name]) for name in over_start)
            for test in (lambda effect: effect.low > 0, lambda effect: effect.high < 0)
        )
        return True if above else False if below else None

    return answered("training", effects, decide)


def branches_over_constants(
    runs: pd.DataFrame,
) -> dict[tuple[str, str], dict[str, tuple[Interval | None, int]]]:
    """Compare the branch-to-trunk ratios with trainable scales and with constants at equal weight decay.

    This comparison was chosen after the first seed of the study was known, so no rule decides it.

    Returns:
        By weight decay, such as `0.04`, by the activation of the runs with facenet's constants (`relu`, that
        of the baseline, or `prelu`), and by each of `RATIOS`: the factor of TRSF + PReLU over these runs with
        its interval, paired by seed, and the number of seeds. The entry `tar` holds the difference in TAR
        instead.
    """
    found = {}
    for decay in ENDS:
        both = pick(runs, weight_decay=decay)
        for activation in ("relu", "prelu"):
            constants = pick(runs, weight_decay=decay, trsf=False, scale_init=None, activation=activation)
            compared = {name: factor(constants[name], both[name]) for name in RATIOS}
            compared["tar"] = difference(constants["tar"], both["tar"])
            found[f"{decay:g}", activation] = compared
    return found
