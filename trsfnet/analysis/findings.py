"""What a rule finds in runs, and the verdict that follows: outcome, reason and the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from trsfnet.evaluation.statistics import Interval

ALPHA = 0.05
"""How often any of the claims that are tested on the same runs may get a false verdict."""

MIN_SEEDS = 3
"""With two seeds the spread is itself a guess: a verdict needs this many of each variant."""


class Outcome(StrEnum):
    """What the runs say to a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    INCONCLUSIVE = "inconclusive"
    OUT_OF_REACH = "out of reach"
    NOT_RUN = "not run"


class Estimate(Protocol):
    """A number with its uncertainty."""

    paired: ClassVar[bool]

    @property
    def estimate(self) -> float:
        """In the unit of what was measured."""

    @property
    def interval(self) -> Interval | None:
        """At 95 %, of this number alone; None where it has none."""

    @property
    def seeds(self) -> int:
        """Of the variant with the fewest, or the pairs of runs if `paired`."""

    def minimum_detectable(self, alpha: float, power: float) -> float | None:
        """The smallest true distance from a bound that a two-sided test at `alpha` shows so likely."""


@dataclass(frozen=True)
class Observed:
    """A number that was counted: it has no spread over seeds."""

    paired: ClassVar[bool] = False

    estimate: float
    seeds: int = 1
    interval: Interval | None = None

    def minimum_detectable(self, alpha: float, power: float) -> None:
        """There is none."""


@dataclass(frozen=True)
class Comparison:
    """One number that a rule measured.

    Attributes:
        name: what it is, for readers, such as `v1 + TRSF − v1`.
        value: the number.
        of: the variants that it speaks for.
        than: those that they are compared with, if they are.
        difference: whether one thing was subtracted from another.
        published: the paper's own number, if it has one.
    """

    name: str
    value: Estimate
    of: tuple[str, ...] = ()
    than: tuple[str, ...] = ()
    difference: bool = False
    published: float | None = None


@dataclass(frozen=True)
class Finding:
    """What a rule found in runs: either an outcome at once, or p values that await the other claims.

    Attributes:
        outcome: where no test is needed or none is possible; None with p values.
        reason: in one sentence; with p values, what keeps the claim from being decided for or against, or "".
        measured: the numbers.
        p_for: one-sided p value against "the claim is false".
        p_against: one-sided p value against "the claim is true".
        barred: outcomes that must not be given, because the side they favour lost more seeds to collapse.
        comparisons: pairs of variants that were open to be the one that is looked at.
        conjunction: how many comparisons must all be shown for the claim to be supported.
        note: what the numbers hide, as a sentence.
    """

    outcome: Outcome | None
    reason: str = ""
    measured: Sequence[Comparison] = ()
    p_for: float = 1.0
    p_against: float = 1.0
    barred: frozenset[Outcome] = field(default_factory=frozenset)
    comparisons: int = 1
    conjunction: int = 1
    note: str = ""

    @property
    def p_value(self) -> float:
        """Two-sided: the smaller of the two, doubled."""
        return min(1.0, 2 * min(self.p_for, self.p_against))


@dataclass(frozen=True)
class Measured:
    """One number that a verdict rests on.

    Attributes:
        name: what it is, for readers, such as `v1 + TRSF − v1`.
        of: the variants that it speaks for.
        than: those that they are compared with, if they are.
        difference: whether one thing was subtracted from another.
        published: the paper's own number, if it has one.
        estimate: in the unit of the claim's quantity.
        low: lower bound of its interval at 95 %, by itself; None where there is none.
        high: upper bound.
        seeds: of the variant with the fewest, or pairs of runs if `paired`.
        paired: whether runs were compared one by one that differ in the variant alone.
        minimum_detectable: the smallest distance from the bound of the claim that the design shows in 80 of
            100 trials, with the observed spread and seeds and all comparisons accounted for; of a claim that
            needs several comparisons, all of them are shown so often if they are independent. None where
            there is none.
    """

    name: str
    of: tuple[str, ...]
    than: tuple[str, ...]
    difference: bool
    published: float | None
    estimate: float
    low: float | None
    high: float | None
    seeds: int
    paired: bool
    minimum_detectable: float | None

    @classmethod
    def at(cls, comparison: Comparison, alpha: float, power: float) -> Measured:
        """The number, with what a test at `alpha` would show with a probability of `power`."""
        value, interval = comparison.value, comparison.value.interval
        return cls(
            comparison.name,
            comparison.of,
            comparison.than,
            comparison.difference,
            comparison.published,
            value.estimate,
            interval.low if interval else None,
            interval.high if interval else None,
            value.seeds,
            value.paired,
            value.minimum_detectable(alpha, power),
        )


@dataclass(frozen=True)
class Verdict:
    """What the runs of one campaign say about one claim.

    Attributes:
        outcome: what they say.
        reason: why, in one sentence.
        measured: the numbers that it rests on.
        p_value: two-sided; None where nothing was tested.
        p_holm: the same, adjusted for all claims tested on these runs.
        family: how many those are.
    """

    outcome: Outcome
    reason: str
    measured: tuple[Measured, ...] = ()
    p_value: float | None = None
    p_holm: float | None = None
    family: int = 0

    @property
    def tested(self) -> bool:
        """Whether a test was made."""
        return self.p_holm is not None

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, of JSON types."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return fields | {"measured": [vars(measured) for measured in self.measured]}
