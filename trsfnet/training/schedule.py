"""The learning rate as a pure function of the step, so that a resumed run continues its schedule exactly."""

from __future__ import annotations

import math

from trsfnet.training.config import TrainConfig


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """The learning rate of `step`, counted from 0.

    - `staircase`: the paper's VGGFace2 schedule, times `decay_factor` every `decay_epochs` (0.2 every 20).
    - `milestones`: the paper's MS1MV2 schedule, times `decay_factor` at each of the steps in `milestones`.
    - `cosine`: half a cosine, down to zero after the last step; the short tracks use it.

    Each schedule starts with a linear warmup of `warmup_epochs`.
    """
    warmup = config.warmup_epochs * steps_per_epoch
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    if config.schedule == "staircase":
        return config.learning_rate * config.decay_factor ** (step // (config.decay_epochs * steps_per_epoch))
    if config.schedule == "milestones":
        return config.learning_rate * config.decay_factor ** sum(step >= m for m in config.milestones)
    total = config.epochs * steps_per_epoch
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))
