"""The pilot for budgets at the paper's decay budget: which schedule suits the baseline better.

Weight decay is raised until the decay budget κ of a short run is the paper's 12.5. A cosine needs 0.016 for
that, and the paper's five stairs, which fall faster, need twice as much. The pilot trains the baseline alone,
with seeds that no other budget has, so that no variant of the paper has a say in the choice.

The rule, fixed before the first run: the schedule with the higher mean TAR at FAR 1e-2 over its seeds is that
of the budget `full`, for all variants alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.experiments.budgets import BUDGETS, budget_settings, first_seed
from trsfnet.training.config import TrainConfig

# An epoch on LFW has 97 steps, and a run 1552: five equal stairs.
_STAIRS = (310, 621, 931, 1242)
_SCHEDULES = (
    {"schedule": "cosine", "weight_decay": 0.016},
    {"schedule": "milestones", "milestones": _STAIRS, "weight_decay": 0.032},
)


def pilot_configs(seeds: Sequence[int] | None = None) -> list[TrainConfig]:
    """The runs of the pilot, seed by seed.

    Args:
        seeds: by default those of the budget.
    """
    first = first_seed("matched-pilot")
    numbers = range(first, first + BUDGETS["matched-pilot"]["seeds"]) if seeds is None else seeds
    settings = budget_settings("matched-pilot", "lfw")
    return [
        TrainConfig(track="lfw", seed=seed, **settings, **schedule)
        for seed in numbers
        for schedule in _SCHEDULES
    ]
