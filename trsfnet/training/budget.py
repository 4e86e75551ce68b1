"""The travel and decay budget of a schedule: two numbers that make schedules comparable.

With learning rates eta, momentum m and weight decay lambda, a schedule approximates a gradient flow of
duration tau = sum(eta) / (1 - m), the *travel*: how far a parameter without decay can move at a given
gradient. Decay alone shrinks a kernel's squared norm by exp(-kappa) with kappa = 2 lambda tau, the *decay
budget*.
"""

from __future__ import annotations

from dataclasses import dataclass

from trsfnet.training.config import TrainConfig
from trsfnet.training.schedule import learning_rate


@dataclass(frozen=True)
class Regime:
    """The length, travel and decay budget of a schedule.

    Attributes:
        steps: number of steps.
        travel: sum of the learning rates divided by 1 - momentum, dimensionless.
        decay_budget: number of e-folds by which weight decay alone shrinks the squared norm of a kernel.
    """

    steps: int
    travel: float
    decay_budget: float


def regime(config: TrainConfig, steps_per_epoch: int, *, epochs: int | None = None) -> Regime:
    """The travel and decay budget of a resolved configuration.

    Args:
        config: the resolved configuration.
        steps_per_epoch: number of steps per epoch; equal to `config.steps_per_epoch` if that is set.
        epochs: number of epochs from the start of training that count; all if None.
    """
    steps = (config.epochs if epochs is None else epochs) * steps_per_epoch
    travel = sum(learning_rate(config, step, steps_per_epoch) for step in range(steps)) / (
        1 - config.momentum
    )
    return Regime(steps, travel, 2 * config.weight_decay * travel)
