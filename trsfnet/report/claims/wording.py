"""How what was measured for a claim is written: units, names of comparisons, outcomes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trsfnet.paper.claims import Cells, Claim, CollapseRate, Contrast, Count, Rule, Spread
from trsfnet.report.names import NBSP, counted, listed, short_name
from trsfnet.report.verdicts import Measured, Verdict


@dataclass(frozen=True)
class Unit:
    """How a quantity is written.

    Attributes:
        digits: after the decimal point.
        suffix: what follows the number.
        factor: what the number is multiplied with.
        signed: whether it has its sign in front.
        logarithm: whether it is the decimal logarithm of what is written.
    """

    digits: int
    suffix: str = ""
    factor: float = 1.0
    signed: bool = False
    logarithm: bool = False

    def bare(self, value: float, more_digits: int = 0) -> str:
        """The number alone."""
        shown = 10**value if self.logarithm else self.factor * value
        # What is 0 by rounding has no sign.
        shown = round(shown, self.digits + more_digits) + 0.0
        sign = "+" if self.signed and shown else ""
        return f"{shown:{sign},.{self.digits + more_digits}f}".replace("-", "−")

    def text(self, value: float, more_digits: int = 0) -> str:
        """The number and its unit."""
        return self.bare(value, more_digits) + self.suffix


_SHARE = Unit(1, f"{NBSP}%", 100), Unit(1, " points", 100, signed=True)
_NUMBER = Unit(2), Unit(2, signed=True)
_COUNT = Unit(0), Unit(0, signed=True)
# Of what is measured: itself, and a difference of it.
_UNITS = {
    "epochs_to_half": (Unit(1, " epochs"), Unit(1, " epochs", signed=True)),
    "scale_mean": _NUMBER,
    "scale_min": _NUMBER,
    "scale_variation": _NUMBER,
    "ratio_log10": (Unit(2, logarithm=True), Unit(2, " times", logarithm=True)),
    "slopes_negative": _COUNT,
}
_LATE = "the last tenth of the epochs (one at least)"
_QUANTITIES = {
    "tar": "TAR at FAR 1e-3",
    "ijbb_tar@1e-4": "TAR at FAR 1e-4 on IJB-B",
    "epochs_to_half": (
        "epochs until half of the training images are classified rightly (all epochs, where that is never so)"
    ),
    "scale_mean": "the mean scale of the network",
    "scale_min": "the smallest scale of the network",
    "scale_variation": "the standard deviation of the scales over their mean magnitude",
    "scale_share_0.6_to_1.3": "the share of scales between 0.6 and 1.3",
    "scale_late_change": f"the change of the scales over {_LATE}, over their magnitude",
    "ratio_log10": "the norm of the branch over that of the trunk (geometric mean over modules)",
    "slopes_negative": "how many slopes are negative",
    "slope_share_negative": "the share of negative slopes",
    "slope_late_change": f"the change of the slopes over {_LATE}, over their magnitude",
}


def unit(rule: Rule, *, difference: bool) -> Unit:
    """The unit of what `rule` measures, or of a difference of it."""
    if isinstance(rule, Count):
        return _COUNT[difference]
    return _UNITS.get(getattr(rule, "quantity", ""), _SHARE)[difference]


def is_difference(measured: Measured) -> bool:
    """Whether one thing was subtracted from another."""
    return " - " in measured.name


def estimate(rule: Rule, measured: Measured) -> str:
    """Such as `+1.2 points (−0.3 to +2.7)`."""
    of = unit(rule, difference=is_difference(measured))
    if measured.low is None or measured.high is None:
        return of.text(measured.estimate)
    return f"{of.text(measured.estimate)} ({of.bare(measured.low)} to {of.bare(measured.high)})"


def detectable(rule: Rule, measured: Measured) -> str:
    """The smallest effect that the design could have seen; empty where there is none."""
    if not measured.detectable:
        return ""
    of = unit(rule, difference=is_difference(measured))
    if of.logarithm:
        return f"a factor of {10**measured.detectable:.3g}"
    if of.factor == 100 and measured.detectable >= 1:
        return "nothing"
    suffix = " points" if of.factor == 100 else of.suffix
    return f"{of.factor * measured.detectable:.{of.digits}f}{suffix}"


def bounds(rule: Rule) -> tuple[float | None, float | None]:
    """Above what and below what the claim says that everything measured lies."""
    match rule:
        case Contrast():
            return rule.above, rule.below
        case Cells():
            return -rule.tolerance, rule.tolerance
        case Spread():
            return 0.0, None
        case CollapseRate() if rule.than:
            return None, 0.0
    return None, None


def margins(rule: Rule, value: float) -> list[float]:
    """How far a value is on the claim's side of each bound."""
    above, below = bounds(rule)
    lower = [] if above is None else [value - above]
    return lower if below is None else [*lower, below - value]


def weakest(claim: Claim, verdict: Verdict) -> Measured | None:
    """What speaks least for the claim of all that was measured; None if nothing was."""
    return min(
        verdict.measured, key=lambda m: min(margins(claim.rule, m.estimate), default=0.0), default=None
    )


def outcome(claim: Claim, verdict: Verdict) -> str:
    """What was measured, in a line: the weakest comparison, and what could have been seen."""
    measured = weakest(claim, verdict)
    if measured is None:
        return ""
    if isinstance(claim.rule, Count):
        return f"counted {listed([estimate(claim.rule, m) for m in verdict.measured])}"
    text = estimate(claim.rule, measured)
    if isinstance(claim.rule, CollapseRate):
        text += f", {counted(measured.seeds, 'pair' if measured.paired else 'run')}"
    if len(verdict.measured) > 1:
        text += f", weakest of {len(verdict.measured)}"
    seen = detectable(claim.rule, measured)
    return f"{text}; could see {seen}" if seen else text


def readable(name: str) -> str:
    """The name of a comparison, with settings as the paper prints them."""
    return " − ".join(_side(side) for side in name.split(" - "))


def _side(side: str) -> str:
    settings = side.removeprefix("mean of ").split(", ") if side.startswith("mean of ") else []
    if len(settings) > 2:
        return f"mean of {len(settings)} settings"
    if settings:
        return f"mean of {listed([short_name(setting) for setting in settings])}"
    return re.sub(r"v[12]-[\w.-]+", lambda slug: short_name(slug[0]), side)


def rule_in_words(rule: Rule) -> str:
    """What is measured and where it must lie, in words; empty for what is not tested."""
    above, below = bounds(rule)
    match rule:
        case Contrast():
            differs = bool(rule.contrasts[0].than)
            of = unit(rule, difference=differs)
            what = _QUANTITIES[rule.quantity]
            what = f"the {'ratio' if of.logarithm else 'difference'} of {what}" if differs else what
            limits = [f"above {_bound(of, above)}"] if above is not None else []
            limits += [f"below {_bound(of, below)}"] if below is not None else []
            each = f", in each of {len(rule.contrasts)} comparisons" if len(rule.contrasts) > 1 else ""
            return f"{what} is {listed(limits)}{each}"
        case Cells():
            off = unit(rule, difference=True).text(rule.tolerance).removeprefix("+")
            return f"{_QUANTITIES[rule.quantity]} is within {off} of the paper's, in each cell"
        case Spread():
            return f"the largest mean of {_QUANTITIES[rule.quantity]} exceeds the smallest"
        case CollapseRate(than=None):
            return "none of the runs collapses"
        case CollapseRate():
            return "of two runs that differ in nothing but the setting, the latter collapses more often"
        case Count():
            return "counted in the networks that were trained"
    return ""


def _bound(of: Unit, value: float) -> str:
    return "0" if value == 0 and not of.logarithm else of.text(value)
