"""What all kinds of rules share: how a claim is decided by runs, and how that is said."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.findings import MIN_SEEDS, Comparison, Finding, Measured, Outcome
from trsfnet.analysis.units import Unit
from trsfnet.experiments.variants import short_name
from trsfnet.text import counted

if TYPE_CHECKING:
    from trsfnet.analysis.campaign import Campaign
    from trsfnet.analysis.quantities import Quantity
    from trsfnet.analysis.run import Run

Bounds = tuple[float | None, float | None]


class Rule(ABC):
    """How runs decide a claim. It was fixed before the results that decide it.

    A subclass is one kind of rule, in a file of its own in this folder; nothing else need know of it.

    Attributes:
        kind: its name in `claims.json`.
    """

    kind: ClassVar[str] = ""
    kinds: ClassVar[dict[str, type[Rule]]] = {}

    def __init_subclass__(cls) -> None:
        if cls.kind:
            Rule.kinds[cls.kind] = cls

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """The rule of an entry of `claims.json`, without its kind."""
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in entry.items()})

    @property
    @abstractmethod
    def subject(self) -> str:
        """What claims that it decides are about."""

    @property
    def moves_with_schedule(self) -> bool:
        """Whether what is measured is known to move with decay budget or travel."""
        return False

    @property
    def bounds(self) -> Bounds:
        """Above what and below what the claim says that everything measured lies."""
        return None, None

    @property
    def variants(self) -> tuple[str, ...]:
        """The cells of the grid whose runs it needs."""
        return ()

    @abstractmethod
    def find(self, campaign: Campaign) -> Finding:
        """What the runs of a campaign say."""

    @abstractmethod
    def describe(self) -> str:
        """What is measured and where it must lie, in words; empty for what is not tested."""

    def testable(self, variants: Collection[str], track: str) -> bool:
        """Whether runs of `variants` on a track could be tested, once there are enough seeds."""
        return False

    def rests_on(self, table: int, quantity: Quantity, variants: Collection[str]) -> bool:
        """Whether the rule is about a table of the paper: its quantity, and more than one of its rows."""
        return False

    def unit(self, *, difference: bool) -> Unit:
        """How what is measured is written, or a difference of it."""
        raise NotImplementedError

    def published(self, values: Sequence[float] | None = None) -> str:
        """The paper's own numbers, by default all of them; a dash if it has none."""
        return "–"

    def evidence(self, campaign: Campaign) -> dict[str, list[tuple[str, Run]]]:
        """The runs that a verdict rests on by variant, each with what tells it apart: its seed."""
        return {
            variant: [(str(seed), run) for seed, run in sorted(campaign.of(variant).items())]
            for variant in self.variants
        }

    def margins(self, value: float) -> list[float]:
        """How far a value is on the claim's side of each bound."""
        above, below = self.bounds
        lower = [] if above is None else [value - above]
        return lower if below is None else [*lower, below - value]

    def weakest(self, measured: Sequence[Measured]) -> Measured | None:
        """What speaks least for the claim of all that was measured; None if nothing was."""
        return min(measured, key=lambda m: min(self.margins(m.estimate), default=0.0), default=None)

    def estimate(self, measured: Measured) -> str:
        """Such as `+1.2 points (−0.3 to +2.7)`."""
        unit = self.unit(difference=measured.difference)
        if measured.low is None or measured.high is None:
            return unit.text(measured.estimate)
        return f"{unit.text(measured.estimate)} ({unit.bare(measured.low)} to {unit.bare(measured.high)})"

    def minimum_detectable(self, measured: Measured) -> str:
        """The smallest effect that the design could have shown; empty where there is none."""
        if not measured.minimum_detectable:
            return ""
        return self.unit(difference=measured.difference).distance(measured.minimum_detectable)

    def summary(self, measured: Sequence[Measured]) -> str:
        """What was measured, in a line: the weakest comparison, and what could have been shown."""
        weakest = self.weakest(measured)
        if weakest is None:
            return ""
        text = self.estimate(weakest) + self.sample(weakest)
        if len(measured) > 1:
            text += f", weakest of {len(measured)} comparisons"
        detectable = self.minimum_detectable(weakest)
        if detectable == "nothing":
            return f"{text}; no effect is large enough to be detected"
        return f"{text}; minimum detectable {detectable}" if detectable else text

    def sample(self, measured: Measured) -> str:
        """How many runs a number rests on, after a comma, where readers should know at once."""
        return ""


def shortfall(variants: Sequence[str], quantity: Quantity, campaign: Campaign) -> Finding | None:
    """The finding where one of the variants was not run, or too seldom; None where all can be tested."""
    absent = [variant for variant in variants if not campaign.of(variant)]
    if absent:
        others = f" and {counted(len(absent) - 1, 'other variant')}" if len(absent) > 1 else ""
        return Finding(Outcome.NOT_RUN, f"No run of {short_name(absent[0])}{others} has ended.")
    few = {v: n for v in variants if (n := len(campaign.values(v, quantity))) < MIN_SEEDS}
    if not few:
        return None
    variant = min(few, key=lambda v: few[v])
    lost = campaign.collapsed(variant)
    collapsed = f" ({lost} collapsed)" if lost else ""
    finished = counted(few[variant], "finished seed")
    return Finding(
        Outcome.INCONCLUSIVE,
        f"{short_name(variant)} has {finished} to measure{collapsed}; {MIN_SEEDS} are needed.",
    )


def within(
    bounds: Bounds,
    measured: Sequence[Comparison],
    gaps: Sequence[Finding | None],
    barred: frozenset[Outcome] = frozenset(),
) -> Finding:
    """The finding of "every effect lies within the bounds".

    For the claim speaks the weakest of the effects, so its p value is the largest of theirs, and 1 while one
    of them cannot be tested. Against it speaks any of them, so that is the smallest of theirs times their
    number.

    Args:
        bounds: lower and upper, None where there is none.
        measured: the effects that could be tested.
        gaps: for each effect what keeps it from being tested, or None.
        barred: see `Finding`.
    """
    missing = [gap for gap in gaps if gap]
    if not measured:
        # Where a variant was run too seldom, that says more than that another was not run.
        return max(missing, key=lambda gap: gap.outcome == Outcome.INCONCLUSIVE)
    above, below = bounds
    effects = [comparison.value for comparison in measured if isinstance(comparison.value, Effect)]
    tests = [(e.p_above(above), e.p_below(above)) for e in effects if above is not None]
    tests += [(e.p_below(below), e.p_above(below)) for e in effects if below is not None]
    return Finding(
        None,
        reason=f"{len(missing)} of {len(gaps)} comparisons cannot be made" if missing else "",
        measured=measured,
        p_for=1.0 if missing else max(p for p, _ in tests),
        p_against=min(1.0, len(effects) * min(p for _, p in tests)),
        barred=barred,
        conjunction=len(gaps),
    )
