"""The study of what a residual scale means: which runs it has, and why.

A branch adds s (W z + b). Weight decay shrinks W and not s, so s can grow while the branch's part in the
network stays or falls. The decay budget governs how far that goes (`trsfnet.training.budget`). All runs are
v1 at an eighth of its width on rendered faces (budget `mechanism`). Their three seeds are numbered from 100,
so that no run of the paper's tables shares their weights or their order of images.

The rules, fixed before the first run of the study ended. A quantity at a decay budget of 12.4 is compared
with the same at 0.16, the same seeds on both sides, by Student's t over seeds at 95 %:

- Scales grow with decay if the factor on their mean magnitude is above 1, interval included.
- Branches shrink with decay if the factor on the mean ratio of branch to trunk is below 1 by all three
  means (arithmetic, geometric, median). If scales grow as well, a scale near 1 shows no larger role.
- The gauge matters if runs that start as the same function, with scales of 0.1 and of 1, end with different
  scales at both decays. Starts contract if the spread of log scales over starts is smaller at the end than at
  the start.
- A learned scale is an optimum if the held-out loss is least at a factor from 0.84 to 1.19 in most runs.

The rules of the part `frozen` were fixed after the ladder was known and before any of its own runs:

- A run has the constants at which the scales of the same seed ended, without their signs. Seeds stay
  independent pairs that way, which a mean over seeds would not allow.
- Frozen constants keep a share of TRSF's gain: (frozen - facenet's constants) over (trained - facenet's
  constants), in TAR at FAR 1e-2, with Fieller's interval at 95 %. The learned magnitudes are the main reason
  of the gain if the interval lies above one half, and not if it lies below, at the same decay. Where TRSF's
  gain is not itself above 0, there is no share.

The following rules were fixed before the measurements that they speak of were looked at, though records of
some runs held them. Each is asked at both weight decays, 5e-4 and 0.04; a claim is supported by all of its
comparisons and contradicted by any, as everywhere (`trsfnet.analysis.rules`).

- ReLU leaves dead neurons that the others avoid if the share of channels that are positive on fewer than one
  in a thousand positions is larger with ReLU than with Leaky ReLU, and than with PReLU, by more than 1 point.
- Negative slopes reduce the redundancy of kernels if, against slopes clamped at 0, the most negative cosine
  within a layer is less negative and the effective rank higher, both against random kernels.
- Scales adjust to an optimal value if the spread of log scales over their starts ends below half of what it
  was. That other rule of the study, by which ends contract, asks for less than all of it.

What earlier trials of one seed suggested is called a trial wherever it is quoted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources

from trsfnet.errors import choice
from trsfnet.experiments.budgets import BUDGETS, budget_settings, first_seed
from trsfnet.training.config import TrainConfig

# Weight decay from none to the paper's decay budget of 12.5; at 5e-4 the budget of these short runs is 0.16.
LADDER = (0.0, 0.0005, 0.0025, 0.01, 0.04)
# The usual decay, and the one that gives the paper's decay budget.
ENDS = (0.0005, 0.04)
STARTS = (0.03, 0.3, 1.0)

_BOTH = TrainConfig(trsf=True, activation="prelu")
_BASELINE = TrainConfig()


def _ladder(_seed: int) -> list[TrainConfig]:
    """Decay on all kernels, with and without the paper's two parts."""
    return [replace(variant, weight_decay=decay) for decay in LADDER for variant in (_BOTH, _BASELINE)]


def _projections(_seed: int) -> list[TrainConfig]:
    """Decay on the kernels under the scales alone; without any decay it is the ladder's first run."""
    return [replace(_BOTH, weight_decay=decay, decayed="projections") for decay in LADDER[1:]]


def _gauge(_seed: int) -> list[TrainConfig]:
    """The function of the ladder's runs at the start, written with a scale of 1 and a tenth of the kernel."""
    return [replace(_BOTH, weight_decay=decay, scale_init=1.0, projection_gain=0.1) for decay in ENDS]


def _starts(_seed: int) -> list[TrainConfig]:
    """Other starts of the scale with the same kernels: other functions. 0.1 is in the ladder."""
    return [replace(_BOTH, weight_decay=decay, scale_init=start) for decay in ENDS for start in STARTS]


def _controls(_seed: int) -> list[TrainConfig]:
    """PReLU alone with facenet's constants, and with the constant 0.1 at which trainable scales start."""
    return [
        replace(_BOTH, trsf=False, scale_init=constant, weight_decay=decay)
        for decay in ENDS
        for constant in (None, 0.1)
    ]


def _floor(_seed: int) -> list[TrainConfig]:
    """Slopes that cannot turn negative."""
    return [replace(_BOTH, weight_decay=decay, slope_floor=0.0) for decay in ENDS]


def _leaky(_seed: int) -> list[TrainConfig]:
    """A constant slope, for the channels that each activation leaves dead."""
    return [replace(_BASELINE, activation="leaky_relu", weight_decay=decay) for decay in ENDS]


def _frozen(seed: int) -> list[TrainConfig]:
    """PReLU with constants: the magnitudes at which the scales of the ladder's run of this seed ended."""
    return [
        replace(_BOTH, trsf=False, fixed_scales=tuple(by_seed[str(seed)]), weight_decay=float(decay))
        for decay, by_seed in learned_scales().items()
        if str(seed) in by_seed
    ]


def learned_scales() -> dict[str, dict[str, list[float]]]:
    """Final magnitudes of the scales with TRSF + PReLU, to four digits, by weight decay and seed.

    They are copied from the ladder's committed runs, so that planning needs no results.
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
"""Parts of the study by name, in the order in which they are run; each has the runs of a seed."""


def mechanism_configs(part: str | None = None, seeds: Sequence[int] | None = None) -> list[TrainConfig]:
    """The runs of one part of the study, or of all of them, seed by seed.

    Args:
        part: one of `PARTS`; None for all.
        seeds: by default the three of the budget.

    Raises:
        ConfigError: an unknown part.
    """
    if part is not None:
        choice("part", part, tuple(PARTS))
    first = first_seed("mechanism")
    numbers = range(first, first + BUDGETS["mechanism"]["seeds"]) if seeds is None else seeds
    settings = budget_settings("mechanism", "synthetic")
    return [
        replace(config, track="synthetic", seed=seed, **settings)
        for name in ([part] if part else PARTS)
        for seed in numbers
        for config in PARTS[name](seed)
    ]
