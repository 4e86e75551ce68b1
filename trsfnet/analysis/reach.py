"""What a schedule can reach: some quantities move with decay budget and travel, whatever the paper says.

A branch is s (W z + b), and weight decay acts on W and not on s. As the kernel shrinks and their product
stays, the scale grows: how far is set by the decay budget. How far a slope moves is set by the travel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from trsfnet.training.budget import Regime, regime
from trsfnet.training.config import TrainConfig

if TYPE_CHECKING:
    from trsfnet.analysis.run import Run


@dataclass(frozen=True)
class Reach:
    """What runs must have for a claim to be tested by them.

    Attributes:
        because: why less cannot reach what the paper says, in one sentence.
        decay_budget: at least so much.
        travel: at least so much.
    """

    because: str
    decay_budget: float = 0.0
    travel: float = 0.0

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """From an entry of `claims.json`."""
        return cls(**entry)

    def lacking(self, of: Regime | None) -> str:
        """Why runs of a regime cannot decide, as a sentence; empty where they can or it is not known."""
        if of is None or (of.decay_budget >= self.decay_budget and of.travel >= self.travel):
            return ""
        return f"{regime_in_words(of)} {self.because}"


def run_regime(run: Run) -> Regime | None:
    """The regime of a run's whole schedule; None for a run that finished no epoch."""
    if run.history.empty:
        return None
    last = run.history.iloc[-1]
    return regime(run.settings, round(last["step"] / last["epoch"]))


@cache
def paper_regime() -> Regime:
    """That of the paper's training on VGGFace2, by our reading of its settings."""
    config = TrainConfig.from_parameters({}, "vggface2")
    assert config.steps_per_epoch
    return regime(config, config.steps_per_epoch)


def regime_in_words(of: Regime) -> str:
    """A regime compared with the paper's, as a sentence."""
    paper = paper_regime()
    return (
        f"Decay budget {of.decay_budget:.2g} and travel {of.travel:,.0f}, of the paper's "
        f"{paper.decay_budget:.3g} and {paper.travel:,.0f}."
    )
