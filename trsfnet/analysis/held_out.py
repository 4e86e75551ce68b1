"""How far training got, graded: the loss on held-out images relative to chance level.

Whether a run collapsed depends on a threshold: most of the stability study's runs that did not collapse had
learned almost nothing. Runs with held-out images are therefore compared by two graded outcomes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import stats

from trsfnet.analysis.contrasts import POWER, Effect
from trsfnet.analysis.run import Run
from trsfnet.evaluation.statistics import Interval, mean_over_seeds


def chance_loss(run: Run) -> float:
    """Return the cross-entropy, in nats, of a network that predicts all identities with equal probability."""
    return math.log(run.info["data"]["train"]["identities"])


def held_out_course(run: Run) -> np.ndarray | None:
    """Return the loss on held-out images over chance level after each planned epoch.

    Values above 1 count as 1, because the loss of a failed network has no upper limit. So do the epochs that
    a collapsed run did not reach.

    Returns:
        float64 [epochs] in 0..1; None if the run has no held-out images.
    """
    if not run.config.get("held_out_images"):
        return None
    course = np.ones(int(run.config["epochs"]))
    if "held_out_loss" in run.history:
        found = run.history["held_out_loss"].to_numpy(float) / chance_loss(run)
        course[: len(found)] = np.minimum(np.nan_to_num(found, nan=1.0), 1.0)
    return course


OUTCOMES: dict[str, Callable[[np.ndarray], float]] = {
    "held-out loss at the end": lambda course: float(course[-1]),
    "held-out loss over training": lambda course: float(course.mean()),
}
"""The graded outcomes by name, as functions of `held_out_course`: its end, and the area below it."""


@dataclass(frozen=True)
class PairedLosses:
    """Differences between runs that differ only in the variant; implements `Estimate` of `findings`.

    Attributes:
        differences: the outcome of the first run minus that of the second, for each pair; at least one.
        fewest_differing: of several outcomes that must agree, the smallest number of pairs with a
            difference; None for that of this outcome.
    """

    differences: tuple[float, ...]
    fewest_differing: int | None = None

    paired: ClassVar[bool] = True

    @property
    def seeds(self) -> int:
        """Number of pairs of runs."""
        return len(self.differences)

    @property
    def estimate(self) -> float:
        """The mean difference, in -1..1."""
        return float(np.mean(self.differences))

    @property
    def interval(self) -> Interval | None:
        """Student's 95 % interval of the mean difference; None with a single pair."""
        return mean_over_seeds(self.differences)

    @property
    def p_less(self) -> float:
        """One-sided p value of Wilcoxon's signed-rank test against "the first runs are not lower"."""
        return _signed_rank(self.differences)

    @property
    def p_more(self) -> float:
        """One-sided p value of Wilcoxon's signed-rank test against "the first runs are not higher"."""
        return _signed_rank([-difference for difference in self.differences])

    @property
    def alike(self) -> bool:
        """True if the outcomes of the two runs are equal in every pair."""
        return not any(self.differences)

    def minimum_detectable(self, alpha: float, power: float = POWER) -> float:
        """Return the smallest true mean difference that a paired two-sided t test at `alpha` detects.

        Returns:
            The difference; 1 if the signed-rank test cannot detect any, because it ignores pairs without a
            difference and the others are too few for a p value below `alpha`.
        """
        n = self.seeds
        fewest = self.fewest_differing
        if 2 * 0.5 ** (np.count_nonzero(self.differences) if fewest is None else fewest) >= alpha:
            return 1.0
        error = float(np.std(self.differences, ddof=1)) / math.sqrt(n)
        return Effect(0.0, error, n - 1, n).minimum_detectable(alpha, power)


def _signed_rank(differences: tuple[float, ...] | list[float]) -> float:
    if not any(differences):
        return 1.0
    return float(stats.wilcoxon(differences, alternative="less").pvalue)
