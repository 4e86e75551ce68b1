"""The travel and decay budget of a schedule: two numbers that make schedules comparable.

With learning rates eta, momentum m and weight decay lambda, a schedule approximates a gradient flow of
duration tau = sum(eta) / (1 - m), the *travel*: how far a parameter without decay can move at a given
gradient. Decay alone shrinks a kernel's squared norm by exp(-kappa) with kappa = 2 lambda tau, the *decay
budget*.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

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


def regime(config: TrainConfig, steps_per_epoch: int) -> Regime:
    """The travel and decay budget of a resolved configuration's whole schedule.

    Args:
        config: the resolved configuration.
        steps_per_epoch: number of steps per epoch; equal to `config.steps_per_epoch` if that is set.
    """
    return regimes(config, steps_per_epoch)[-1]


def regimes(config: TrainConfig, steps_per_epoch: int) -> list[Regime]:
    """The regime reached after each epoch of a resolved configuration; arguments as for `regime`."""
    rates = (learning_rate(config, step, steps_per_epoch) for step in range(config.epochs * steps_per_epoch))
    sums = list(accumulate(rates))[steps_per_epoch - 1 :: steps_per_epoch]
    travels = [total / (1 - config.momentum) for total in sums]
    return [
        Regime(epoch * steps_per_epoch, travel, 2 * config.weight_decay * travel)
        for epoch, travel in enumerate(travels, 1)
    ]
