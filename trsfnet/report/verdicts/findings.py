"""A verdict on one claim, and its four words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.paired import PairedShares

SUPPORTED, CONTRADICTED, INCONCLUSIVE, NOT_RUN = "supported", "contradicted", "inconclusive", "not run"
ALPHA = 0.05


@dataclass(frozen=True)
class Measured:
    """One number that a verdict rests on.

    Attributes:
        name: what it is, such as `v1-trsf-relu - v1-relu`.
        estimate: in the unit of the claim's quantity.
        low: lower bound of its interval at 95 %, by itself; None where there is none.
        high: upper bound.
        seeds: of the setting with the fewest, or pairs of runs if `paired`.
        paired: whether runs were compared one by one that differ in the setting alone.
        detectable: the smallest distance from the bound of the claim that the design sees in 80 of 100
            trials, with the observed spread and seeds and all comparisons accounted for; None where there
            is none.
    """

    name: str
    estimate: float
    low: float | None
    high: float | None
    seeds: int
    paired: bool
    detectable: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What the runs of one track and protocol say about one claim.

    Attributes:
        claim: its id.
        track: of the runs; empty when there are none at all.
        scale: of the runs, such as `full`; None for none of the scales.
        departures: settings of the runs that are not those of the nearest scale, by name.
        word: `supported`, `contradicted`, `inconclusive` or `not run`.
        reason: why, in one sentence.
        measured: the numbers that it rests on.
        p_value: two-sided; None where nothing was tested.
        p_holm: the same, adjusted for all claims tested on these runs.
        family: how many those are.
        published: the paper's own value where the claim has one.
    """

    claim: str
    track: str
    scale: str | None
    departures: dict[str, Any]
    word: str
    reason: str
    measured: tuple[Measured, ...] = ()
    p_value: float | None = None
    p_holm: float | None = None
    family: int = 0
    published: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class Finding:
    """What a rule found in runs: either a word at once, or p values that await the other claims.

    Attributes:
        word: the verdict where no test is needed or none is possible; None with p values.
        reason: in one sentence; with p values, what keeps the claim from being decided for or against, or "".
        measured: names of the numbers with their effects, or numbers that have no distribution.
        p_for: one-sided p value against "the claim is false".
        p_against: one-sided p value against "the claim is true".
        barred: words that must not be given, because the side they favour lost more seeds to collapse.
        comparisons: pairs of settings that were open to be the one that is looked at.
    """

    word: str | None
    reason: str = ""
    measured: Sequence[tuple[str, Effect | PairedShares] | Measured] = ()
    p_for: float = 1.0
    p_against: float = 1.0
    barred: frozenset[str] = field(default_factory=frozenset)
    comparisons: int = 1

    @property
    def p_value(self) -> float:
        """Two-sided: the smaller of the two, doubled."""
        return min(1.0, 2 * min(self.p_for, self.p_against))
