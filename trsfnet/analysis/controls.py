"""The gain by TRSF, divided into the effect of its initial value and that of training."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.quantities import Quantity
from trsfnet.experiments.variants import CONTROLS, Variant


@dataclass(frozen=True)
class DividedGain:
    """What TRSF changes in a quantity of one network, in two steps; the errors are pooled as by the rules.

    Attributes:
        original: the network with the constants of the original.
        start: the constant 0.1 in every module minus the original.
        training: scales trained from 0.1 minus the constant 0.1.
        total: scales trained from 0.1 minus the original.
    """

    original: Variant
    start: Effect
    training: Effect
    total: Effect

    @property
    def seeds(self) -> int:
        """Number of seeds of the variant with the fewest."""
        return min(self.start.seeds, self.training.seeds)


def divided_gains(runs: ComparableRuns, quantity: Quantity) -> list[DividedGain]:
    """Return the divided gain in a quantity of each network whose control has two seeds or more in `runs`."""

    def difference(of: Variant, than: Variant) -> Effect | None:
        return runs.effect({of.key: 1.0, than.key: -1.0}, quantity)

    found = []
    for control in CONTROLS:
        original = Variant(arch=control.arch, activation=control.activation)
        trained = replace(original, trsf=True)
        start, training = difference(control, original), difference(trained, control)
        total = difference(trained, original)
        if start and training and total:
            found.append(DividedGain(original, start, training, total))
    return found
