"""The base class of all kinds of rules: how runs decide a claim, and how the result is worded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.findings import MIN_SEEDS, Comparison, Finding, Measured, Outcome
from trsfnet.analysis.quantities import Quantity
from trsfnet.analysis.run import Run
from trsfnet.analysis.units import Unit
from trsfnet.experiments.variants import short_name
from trsfnet.text import counted

Bounds = tuple[float | None, float | None]


class Rule(ABC):
    """A rule by which runs decide a claim.

    Each kind of rule is a subclass in its own file in this folder and is registered automatically.

    Attributes:
        kind: name of the kind in `claims.json`.
        kinds: all kinds of rules, by name.
    """

    kind: ClassVar[str] = ""
    kinds: ClassVar[dict[str, type[Rule]]] = {}

    def __init_subclass__(cls) -> None:
        if cls.kind:
            Rule.kinds[cls.kind] = cls

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """Create the rule from an entry of `claims.json` without its kind."""
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in entry.items()})

    @property
    @abstractmethod
    def subject(self) -> str:
        """Subject of the claims that the rule decides, used as a heading."""

    @property
    def why_untested(self) -> str:
        """Why no run can decide the claim, in one sentence; empty if runs can."""
        return ""

    @property
    def needs_runs(self) -> bool:
        """False if the verdict does not depend on any run."""
        return True

    @property
    def moves_with_schedule(self) -> bool:
        """True if the measured quantity is known to depend on decay budget or travel."""
        return False

    @property
    def bounds(self) -> Bounds:
        """Lower and upper bound that the claim states for all measured values; None for no bound."""
        return None, None

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants whose runs the rule needs."""
        return ()

    @abstractmethod
    def find(self, campaign: ComparableRuns) -> Finding:
        """Return what the runs of a campaign show."""

    @abstractmethod
    def describe(self) -> str:
        """Describe in words what is measured and its bounds; empty if nothing is tested."""

    def testable(self, variants: Collection[str], track: str) -> bool:
        """Return whether runs of `variants` on a track can test the claim, given enough seeds."""
        return False

    def rests_on(self, table: int, quantity: Quantity, variants: Collection[str]) -> bool:
        """Return whether the rule is about a table of the paper: its quantity and several of its rows."""
        return False

    @abstractmethod
    def unit(self, *, difference: bool) -> Unit:
        """Return the format of a measured value, or of a difference."""

    def published(self, values: Sequence[float] | None = None) -> str:
        """Return the paper's own numbers, by default all of them, as text; a dash if there are none."""
        return "–"

    def evidence(self, campaign: ComparableRuns) -> dict[str, list[tuple[str, Run]]]:
        """Return the runs on which a verdict is based, by variant, each with a label such as its seed."""
        return {
            variant: [(str(seed), run) for seed, run in sorted(campaign.of(variant).items())]
            for variant in self.variants
        }

    def deciding_runs(self, campaign: ComparableRuns) -> list[Run]:
        """Return the runs on which a verdict is based."""
        return [run for runs in self.evidence(campaign).values() for _, run in runs]

    def first_measured(self, campaign: ComparableRuns) -> datetime | None:
        """Return when the first measurement behind a verdict was started; None if nothing was measured.

        A run whose start is unknown counts as the earliest.
        """
        unknown = datetime.min.replace(tzinfo=UTC)
        return min((run.started_at or unknown for run in self.deciding_runs(campaign)), default=None)

    def margins(self, value: float) -> list[float]:
        """Return the signed distance of a value from each bound, positive on the claim's side."""
        above, below = self.bounds
        lower = [] if above is None else [value - above]
        return lower if below is None else [*lower, below - value]

    def weakest(self, measured: Sequence[Measured]) -> Measured | None:
        """Return the measured number that supports the claim least; None if there are none."""
        return min(measured, key=lambda m: min(self.margins(m.estimate), default=0.0), default=None)

    def estimate(self, measured: Measured) -> str:
        """Format an estimate with its interval, such as `+1.2 points (−0.3 to +2.7)`."""
        unit = self.unit(difference=measured.difference)
        if measured.low is None or measured.high is None:
            return unit.text(measured.estimate)
        return unit.interval(measured.estimate, measured.low, measured.high)

    def minimum_detectable(self, measured: Measured) -> str:
        """Format the smallest effect that the design could have detected; empty if it is undefined."""
        if not measured.minimum_detectable:
            return ""
        return self.unit(difference=measured.difference).distance(measured.minimum_detectable)

    def summary(self, measured: Sequence[Measured]) -> str:
        """Summarise the measurements: the weakest comparison and its minimum detectable effect."""
        weakest = self.weakest(measured)
        if weakest is None:
            return ""
        text = self.estimate(weakest) + self.sample(weakest)
        if len(measured) > 1:
            text += f", weakest of {len(measured)} comparisons"
        if not weakest.minimum_detectable:
            return text
        if not self.unit(difference=weakest.difference).reachable(weakest.minimum_detectable):
            return f"{text}; too few {'pairs' if weakest.paired else 'seeds'} to detect any effect"
        return f"{text}; minimum detectable {self.minimum_detectable(weakest)}"

    def sample(self, measured: Measured) -> str:
        """Return the number of runs behind a number, after a comma; empty unless readers need it."""
        return ""


def shortfall(variants: Sequence[str], quantity: Quantity, campaign: ComparableRuns) -> Finding | None:
    """Return a finding if a variant has no run or too few finished seeds; None if all can be tested."""
    absent = [variant for variant in variants if not campaign.of(variant)]
    if absent:
        others = f" or of {counted(len(absent) - 1, 'other variant')}" if len(absent) > 1 else ""
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


def shortfalls(
    groups: Sequence[Sequence[str]], quantity: Quantity, campaign: ComparableRuns
) -> list[Finding | None]:
    """Return the shortfall of each group of variants; if no group has runs, that of all variants together."""
    gaps = [shortfall(group, quantity, campaign) for group in groups]
    if all(gap and gap.outcome == Outcome.NOT_RUN for gap in gaps):
        # The first gap stands for all, so it must count the variants that any group lacks.
        variants = list(dict.fromkeys(variant for group in groups for variant in group))
        return [shortfall(variants, quantity, campaign)] * len(groups)
    return gaps


def within(
    bounds: Bounds,
    measured: Sequence[Comparison],
    gaps: Sequence[Finding | None],
    barred: frozenset[Outcome] = frozenset(),
) -> Finding:
    """Return the finding for the claim that every effect lies within the bounds.

    The p value for the claim is the largest of the individual ones, and 1 if an effect cannot be tested. The
    p value against it is the smallest of the individual ones times the number of effects.

    Args:
        bounds: lower and upper bound; None for no bound.
        measured: the effects that could be tested.
        gaps: for each effect, the finding that prevents a test, or None.
        barred: outcomes that must not be given, see `Finding`.
    """
    missing = [gap for gap in gaps if gap]
    if not measured:
        # Too few seeds of one variant is more informative than no run of another.
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
