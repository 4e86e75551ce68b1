"""What a rule finds in runs, and the resulting verdict: outcome, reason and the underlying numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from trsfnet.evaluation.statistics import Interval

ALPHA = 0.05
"""Family-wise error rate: the probability of any false verdict among claims tested on the same runs."""

MIN_SEEDS = 3
"""Finished seeds of each variant that a verdict requires; two give no reliable estimate of the spread."""


class Outcome(StrEnum):
    """The possible outcomes of judging a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    INCONCLUSIVE = "inconclusive"
    OUT_OF_REACH = "out of reach"
    NOT_RUN = "not run"


DECIDED = (Outcome.SUPPORTED, Outcome.CONTRADICTED)
"""The outcomes that answer a claim."""


class Estimate(Protocol):
    """Protocol of a number with its uncertainty."""

    paired: ClassVar[bool]

    @property
    def estimate(self) -> float:
        """The value, in the unit of the measured quantity."""

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of this number alone; None if it has none."""

    @property
    def seeds(self) -> int:
        """Number of seeds of the variant with the fewest, or number of pairs of runs if `paired`."""

    def minimum_detectable(self, alpha: float, power: float) -> float | None:
        """Return the smallest true distance from a bound that a two-sided test at `alpha` detects.

        Args:
            alpha: level of the test.
            power: required probability of detection.
        """


@dataclass(frozen=True)
class Observed:
    """A number that was counted and therefore has no spread over seeds."""

    paired: ClassVar[bool] = False

    estimate: float
    seeds: int = 1
    interval: Interval | None = None

    def minimum_detectable(self, alpha: float, power: float) -> None:
        """Return None: a counted number has no minimum detectable effect."""


@dataclass(frozen=True)
class Comparison:
    """One number that a rule measured.

    Attributes:
        name: readable description, such as `v1 + TRSF − v1`.
        value: the number with its uncertainty.
        of: the variants that the number describes.
        than: the variants they are compared with; empty if none.
        difference: True if the number is a difference.
        published: the paper's own number, or None.
        outcome: what was compared, if a rule has several outcomes, such as `held-out loss at the end`.
    """

    name: str
    value: Estimate
    of: tuple[str, ...] = ()
    than: tuple[str, ...] = ()
    difference: bool = False
    published: float | None = None
    outcome: str = ""


@dataclass(frozen=True)
class Finding:
    """What a rule found in runs: either an outcome, or p values that are yet to be adjusted for other claims.

    Attributes:
        outcome: the outcome if no test is needed or possible; None if there are p values.
        reason: one sentence; with p values, what prevents a decision, or "".
        measured: the measured numbers.
        p_for: one-sided p value against "the claim is false".
        p_against: one-sided p value against "the claim is true".
        barred: outcomes that must not be given, because the side they favour has more runs that collapsed or
            yielded only a bound.
        comparisons: number of pairs of variants from which the reported pair was selected.
        conjunction: number of comparisons that must all hold for the claim to be supported.
        note: a sentence on what the numbers do not show; may be empty.
        differing: parts of the measured differences that differ by more than chance explains, such as
            `v1 and v2`.
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
    differing: tuple[str, ...] = ()

    @property
    def p_value(self) -> float:
        """Two-sided p value: twice the smaller of the two one-sided ones, at most 1."""
        return min(1.0, 2 * min(self.p_for, self.p_against))


@dataclass(frozen=True)
class Measured:
    """One number that a verdict rests on.

    Attributes:
        name: readable description, such as `v1 + TRSF − v1`.
        of: the variants that the number describes.
        than: the variants they are compared with; empty if none.
        difference: True if the number is a difference.
        published: the paper's own number, or None.
        estimate: the value, in the unit of the claim's quantity.
        low: lower end of its 95 % interval, not adjusted for other claims; None without an interval.
        high: upper end of the same interval.
        seeds: number of seeds of the variant with the fewest, or number of pairs of runs if `paired`.
        paired: True if runs that differ only in the variant were compared pair by pair.
        minimum_detectable: the smallest distance from the claim's bound that the design detects with a power
            of 80 %, given the observed spread, the number of seeds and all comparisons. If a claim needs
            several comparisons, 80 % is the power for all of them together if they are independent. None if
            it is undefined.
        outcome: what was compared, if a rule has several outcomes, such as `held-out loss at the end`.
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
    outcome: str = ""

    @classmethod
    def at(cls, comparison: Comparison, alpha: float, power: float) -> Measured:
        """Create it from a comparison, with the effect that a test at `alpha` detects with power `power`."""
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
            comparison.outcome,
        )


@dataclass(frozen=True)
class Verdict:
    """The verdict of one campaign's runs on one claim.

    Attributes:
        outcome: the outcome.
        reason: the reason, in one sentence.
        measured: the numbers on which the verdict is based.
        p_value: two-sided p value; None if nothing was tested.
        p_holm: the same p value after Holm's adjustment for all claims tested on these runs.
        family: number of claims tested on these runs.
        note: what the numbers alone do not show, such as parts that disagree; may be empty.
        differing: parts of the measured differences that differ by more than chance explains, such as
            `v1 and v2`.
    """

    outcome: Outcome
    reason: str
    measured: tuple[Measured, ...] = ()
    p_value: float | None = None
    p_holm: float | None = None
    family: int = 0
    note: str = ""
    differing: tuple[str, ...] = ()

    @property
    def explanation(self) -> str:
        """The reason and the note."""
        return f"{self.reason} {self.note}".rstrip()

    @property
    def short_note(self) -> str:
        """Which parts differ, such as `v1 and v2 differ`; empty if none."""
        return f"{', '.join(self.differing)} differ" if self.differing else ""

    @property
    def tested(self) -> bool:
        """True if the claim was tested statistically."""
        return self.p_holm is not None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name as JSON types."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return fields | {"measured": [vars(measured) for measured in self.measured]}
