"""A pilot study that chooses the schedule of short runs with the paper's decay budget.

Weight decay is raised until the decay budget κ of a short run equals the paper's 12.5. A cosine schedule
needs 0.016. A step schedule with the paper's five constant learning rates, which decreases faster, needs
twice as much. The pilot trains only the baseline, with seeds that no other budget uses, so that the paper's
variants do not influence the choice.

The rule, fixed before the first run: the schedule with the higher mean TAR at FAR 1e-2 over its seeds is used
in the budget `full` on LFW, for all variants. It chose the cosine schedule, which was better with both seeds.
On rendered faces, `full` is a cosine schedule with the same decay budget.
"""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.experiments.budgets import BUDGETS, budget_settings, first_seed
from trsfnet.training.config import TrainConfig

# An epoch on LFW has 97 training steps and a run 1552, divided into five equal parts.
_STAIRS = (310, 621, 931, 1242)
_SCHEDULES = (
    {"schedule": "cosine", "weight_decay": 0.016},
    {"schedule": "milestones", "milestones": _STAIRS, "weight_decay": 0.032},
)


def pilot_configs(seeds: Sequence[int] | None = None) -> list[TrainConfig]:
    """Return the runs of the pilot, seed by seed.

    Args:
        seeds: the seeds; by default those of the budget.
    """
    first = first_seed("matched-pilot")
    numbers = range(first, first + BUDGETS["matched-pilot"]["seeds"]) if seeds is None else seeds
    settings = budget_settings("matched-pilot", "lfw")
    return [
        TrainConfig(track="lfw", seed=seed, **settings, **schedule)
        for seed in numbers
        for schedule in _SCHEDULES
    ]
