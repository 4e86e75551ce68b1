"""The mechanism study, on the meaning of a residual scale: its runs and the rules for its questions.

A branch adds s (W z + b). Weight decay shrinks W but not s, so s can grow while the branch's contribution to
the network stays constant or falls. The same function can be written with different scales, since only the
product s W counts; the choice of s for a given product is called the gauge. How far scales grow depends on
the decay budget (`trsfnet.training.budget`).

All runs train v1 at an eighth of its width on rendered faces (budget `mechanism`). Their three seeds are
numbered from 100, so that no run of the paper's tables shares their weights or image order. The ladder is the
series of runs with increasing weight decay.

The following rules were fixed before the first run of the study ended. They compare a quantity at a decay
budget of 12.4 with the same quantity at 0.16, paired by seed, by Student's t over seeds at 95 %:

- Scales grow with decay if the factor on their mean magnitude is above 1, including its interval.
- Branches shrink with decay if the factor on the mean branch-to-trunk ratio is below 1 for all three averages
  (arithmetic, geometric, median). If scales grow as well, a scale near 1 does not indicate a larger role.
- The gauge matters if runs that start as the same function, with scales of 0.1 and of 1, end with different
  scales at both weight decays. Initial values contract if the spread of log scales over the initial values is
  smaller at the end than at the start.
- A learned scale is an optimum if the held-out loss is smallest at a factor from 0.84 to 1.19 in most runs.

The rules of the part `frozen` were fixed after the results of the ladder were known and before any run of
this part:

- The constants of a run are the final magnitudes of the scales learned with the same seed. This keeps the
  pairs of seeds independent, which constants averaged over seeds would not.
- The share of TRSF's gain that frozen constants keep is (frozen - facenet's constants) over (trained -
  facenet's constants), in TAR at FAR 1e-2, with Fieller's 95 % interval. The learned magnitudes are the main
  reason for the gain if the interval lies above one half, and not the main reason if it lies below, at the
  same weight decay. If TRSF's gain is not itself above 0, the share is undefined.

The following rules were fixed before the measurements they refer to were examined, although the records of
some runs already contained them. Each is tested at both weight decays, 5e-4 and 0.04; as everywhere
(`trsfnet.analysis.rules`), a claim is supported only by all of its comparisons and contradicted by any.

- ReLU leaves dead neurons that the other activations avoid if the share of channels that are positive at
  fewer than one in a thousand positions is larger with ReLU than with Leaky ReLU, and than with PReLU, by
  more than 1 point.
- Negative slopes reduce the redundancy of kernels if, compared with slopes clamped at 0, the most negative
  cosine within a layer is less negative and the effective rank is higher, both relative to random kernels.
- Scales adjust to an optimal value if the spread of log scales over the initial values falls below half of
  its initial value. The rule on contraction above is weaker: it requires only that the spread falls.

Results of earlier exploratory runs with a single seed are called trials wherever they are quoted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from typing import Literal

from trsfnet.errors import ConfigError, choice
from trsfnet.experiments.budgets import BUDGETS, budget_settings, first_seed
from trsfnet.training.config import TrainConfig

BUDGET = "mechanism"

# The weight decays of the ladder. The largest gives these short runs about the paper's decay budget of 12.5;
# 5e-4 gives 0.16.
LADDER = (0.0, 0.0005, 0.0025, 0.01, 0.04)
# The usual weight decay, and the one that gives about the paper's decay budget.
ENDS = (0.0005, 0.04)
STARTS = (0.03, 0.3, 1.0)

_BOTH = TrainConfig(trsf=True, activation="prelu")
_BASELINE = TrainConfig()


def _ladder(_seed: int) -> list[TrainConfig]:
    """Weight decay on all kernels, with TRSF + PReLU and for the baseline."""
    return [replace(variant, weight_decay=decay) for decay in LADDER for variant in (_BOTH, _BASELINE)]


def _projections(_seed: int) -> list[TrainConfig]:
    """Decay only the kernels that the scales multiply; the ladder already has the run without decay."""
    return [replace(_BOTH, weight_decay=decay, decayed="projections") for decay in LADDER[1:]]


def _gauge(_seed: int) -> list[TrainConfig]:
    """The same initial function as the ladder's runs, with a scale of 1 and a tenth of the kernel."""
    return [replace(_BOTH, weight_decay=decay, scale_init=1.0, projection_gain=0.1) for decay in ENDS]


def _starts(_seed: int) -> list[TrainConfig]:
    """Other initial scales with the same kernels, hence other functions; the ladder has those with 0.1."""
    return [replace(_BOTH, weight_decay=decay, scale_init=start) for decay in ENDS for start in STARTS]


def _controls(_seed: int) -> list[TrainConfig]:
    """PReLU alone with facenet's constants, and with the constant 0.1, the initial value of TRSF."""
    constants: tuple[float | Literal["paper"], ...] = ("paper", 0.1)
    return [
        replace(_BOTH, trsf=False, scale_init=constant, weight_decay=decay)
        for decay in ENDS
        for constant in constants
    ]


def _floor(_seed: int) -> list[TrainConfig]:
    """TRSF + PReLU with slopes that cannot become negative."""
    return [replace(_BOTH, weight_decay=decay, slope_floor=0.0) for decay in ENDS]


def _leaky(_seed: int) -> list[TrainConfig]:
    """Leaky ReLU, which has a constant slope, to compare the dead channels of the activations."""
    return [replace(_BASELINE, activation="leaky_relu", weight_decay=decay) for decay in ENDS]


def _frozen(seed: int) -> list[TrainConfig]:
    """PReLU with constant scales: the final magnitudes of the ladder's run with the same seed.

    Raises:
        ConfigError: no scales of a run with this seed are known.
    """
    learned = learned_scales()
    known = sorted(set.intersection(*map(set, learned.values())))
    if str(seed) not in known:
        raise ConfigError(
            "The part frozen of the study mechanism needs scales that were learned with the same seed: "
            f"seeds must be among {', '.join(known)}, got {seed}."
        )
    return [
        replace(_BOTH, trsf=False, fixed_scales=tuple(by_seed[str(seed)]), weight_decay=float(decay))
        for decay, by_seed in learned.items()
    ]


def learned_scales() -> dict[str, dict[str, list[float]]]:
    """Return the final scale magnitudes with TRSF + PReLU, to four digits, by weight decay and seed.

    They are copied from the ladder's committed runs, so that planning runs requires no results.
    """
    text = (resources.files("trsfnet.experiments") / "learned_scales.json").read_text(encoding="utf-8")
    return json.loads(text)


PARTS = {
    "ladder": _ladder,
    "gauge": _gauge,
    "projections": _projections,
    "controls": _controls,
    "starts": _starts,
    "floor": _floor,
    "frozen": _frozen,
    "leaky": _leaky,
}
"""Functions that return the runs of each part of the study for a seed, by name, in the order of execution."""


def mechanism_configs(part: str | None = None, seeds: Sequence[int] | None = None) -> list[TrainConfig]:
    """Return the runs of one part of the study, or of all parts, seed by seed within each part.

    Args:
        part: one of `PARTS`; None for all.
        seeds: the seeds; by default the three of the budget.

    Raises:
        ConfigError: the part is unknown, or a seed has no learned scales, which the part `frozen` needs.
    """
    if part is not None:
        choice("part", part, tuple(PARTS))
    first = first_seed(BUDGET)
    numbers = range(first, first + BUDGETS[BUDGET]["seeds"]) if seeds is None else seeds
    settings = budget_settings(BUDGET, "synthetic")
    return [
        replace(config, track="synthetic", seed=seed, **settings)
        for name in ([part] if part else PARTS)
        for seed in numbers
        for config in PARTS[name](seed)
    ]
