"""A pilot study that compares two schedules of short runs with the paper's decay budget.

Weight decay is raised until the decay budget κ of a short run equals the paper's 12.5. A step schedule with
the paper's five constant learning rates decreases faster than a cosine and needs twice the weight decay. The
pilot trains only the baseline v1, with seeds that no other budget uses, so that the paper's variants do not
influence the choice.

The rule, fixed before the first run on either track: the schedule with the higher mean TAR at FAR 1e-2 over
its seeds is better. On LFW, it chose the cosine schedule for all variants of the budget `full`. On rendered
faces, `full` took over that choice, and the pilot ran only after it: it tests the choice there.
"""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.experiments.budgets import BUDGETS, budget_settings, first_seed
from trsfnet.training.config import TrainConfig

# Each divides a run into five equal parts: 1,248 steps on rendered faces and 1,552 on LFW.
_SCHEDULES = {
    "synthetic": (
        {"schedule": "cosine", "weight_decay": 0.02},
        {"schedule": "milestones", "milestones": (250, 499, 749, 998), "weight_decay": 0.04},
    ),
    "lfw": (
        {"schedule": "cosine", "weight_decay": 0.016},
        {"schedule": "milestones", "milestones": (310, 621, 931, 1242), "weight_decay": 0.032},
    ),
}


def pilot_configs(seeds: Sequence[int] | None, track: str) -> list[TrainConfig]:
    """Return the runs of the pilot on a track, seed by seed.

    Args:
        seeds: the seeds; None for those of the budget.
        track: `synthetic` or `lfw`.
    """
    first = first_seed("matched-pilot")
    numbers = range(first, first + BUDGETS["matched-pilot"]["seeds"]) if seeds is None else seeds
    settings = budget_settings("matched-pilot", track)
    return [
        TrainConfig(track=track, seed=seed, **settings, **schedule)
        for seed in numbers
        for schedule in _SCHEDULES[track]
    ]
