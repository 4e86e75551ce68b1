"""What a schedule can reach: some quantities depend on the decay budget and travel of the schedule.

A branch computes s (W z + b), and weight decay acts on W but not on s. As the kernel shrinks while the
product remains constant, the scale grows by an amount that the decay budget determines. How far scales and
slopes move also depends on the travel.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Self

from trsfnet.analysis.run import Run
from trsfnet.training.budget import Regime, regime, regimes
from trsfnet.training.config import TrainConfig


@dataclass(frozen=True)
class Minimum:
    """The least decay budget or travel that runs need to test a claim.

    Attributes:
        least: the number.
        because: why less cannot test the claim, in one sentence.
    """

    least: float
    because: str


@dataclass(frozen=True)
class Reach:
    """What a schedule must reach for its runs to test a claim.

    Attributes:
        decay_budget: minimum of the decay budget; None if any will do.
        travel: minimum of the travel; None if any will do.
    """

    decay_budget: Minimum | None = None
    travel: Minimum | None = None

    @classmethod
    def parse(cls, entry: Mapping[str, Mapping[str, Any]]) -> Self:
        """Create it from an entry of `claims.json`."""
        return cls(**{name: Minimum(**minimum) for name, minimum in entry.items()})

    def lacking(self, of: Regime | None) -> str:
        """Return why runs of a regime cannot decide the claim; empty if they can or the regime is unknown."""
        if of is None:
            return ""
        needs = ((self.decay_budget, of.decay_budget), (self.travel, of.travel))
        reasons = [need.because for need, reached in needs if need and reached < need.least]
        return " ".join([regime_in_words(of), *reasons]) if reasons else ""


def run_regime(run: Run) -> Regime:
    """Return the regime of a run's whole schedule, even if the run collapsed early."""
    return run_regimes(run)[-1]


def run_regimes(run: Run) -> Sequence[Regime]:
    """Return the regime after each epoch of a run's schedule.

    Raises:
        KeyError: the record does not state the number of training images.
        ValueError: there are fewer training images than a batch needs.
    """
    images = run.info["data"]["train"]["images"]
    steps = run.settings.steps_per_epoch or images // run.settings.batch_size
    return _regimes(replace(run.settings, seed=0), steps)


@cache
def _regimes(config: TrainConfig, steps_per_epoch: int) -> Sequence[Regime]:
    if not steps_per_epoch:
        raise ValueError("an epoch must have at least one step")
    return regimes(config, steps_per_epoch)


@cache
def paper_regime() -> Regime:
    """Return the regime of the paper's training on VGGFace2, according to our reading of its settings."""
    config = TrainConfig.from_parameters({}, "vggface2")
    return regime(config, config.steps_per_epoch)


def has_paper_decay_budget(of: Regime | None) -> bool:
    """Return whether runs of a regime have at least nine tenths of the paper's decay budget, if known."""
    return of is not None and of.decay_budget >= 0.9 * paper_regime().decay_budget


def decay_budget_in_words(of: Regime) -> str:
    """Return a decay budget with two significant digits, from 1 with three, such as `0.39` or `12.4`."""
    return f"{of.decay_budget:.{2 if of.decay_budget < 1 else 3}g}"


def ranges_in_words(found: Collection[Regime]) -> tuple[str, str]:
    """Return decay budget and travel of schedules, as ranges such as `0.16 to 12.4` if they differ."""
    by_decay = sorted(found, key=lambda regime: regime.decay_budget)
    travels = sorted(regime.travel for regime in found)
    return (
        _range(decay_budget_in_words(by_decay[0]), decay_budget_in_words(by_decay[-1])),
        _range(f"{travels[0]:,.0f}", f"{travels[-1]:,.0f}"),
    )


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def regime_in_words(of: Regime) -> str:
    """Return a sentence that compares a regime with the paper's."""
    paper = paper_regime()
    return (
        f"Decay budget {decay_budget_in_words(of)} and travel {of.travel:,.0f}; the paper's "
        f"are {paper.decay_budget:.3g} and {paper.travel:,.0f}."
    )
