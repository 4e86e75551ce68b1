"""How far a schedule can take weights: two numbers that make schedules comparable.

With learning rates eta, momentum m and weight decay lambda, a schedule equals a gradient flow of the time
tau = sum(eta) / (1 - m), the *travel*: how far a parameter without decay can go at a given gradient. Decay
alone shrinks a kernel's squared norm by exp(-kappa), kappa = 2 lambda tau, the *decay budget*.
"""

from __future__ import annotations

from dataclasses import dataclass

from trsfnet.training.config import TrainConfig
from trsfnet.training.schedule import learning_rate


@dataclass(frozen=True)
class Regime:
    """Where a schedule stands.

    Attributes:
        steps: number of steps.
        travel: sum of the learning rates over 1 - momentum, without unit.
        decay_budget: e-folds by which weight decay alone shrinks the squared norm of a kernel.
    """

    steps: int
    travel: float
    decay_budget: float


def regime(config: TrainConfig, steps_per_epoch: int) -> Regime:
    """The travel and decay budget of a resolved configuration.

    Args:
        config: resolved.
        steps_per_epoch: steps of an epoch; `config.steps_per_epoch` where that is set.
    """
    steps = config.epochs * steps_per_epoch
    travel = sum(learning_rate(config, step, steps_per_epoch) for step in range(steps)) / (
        1 - config.momentum
    )
    return Regime(steps, travel, 2 * config.weight_decay * travel)
