"""How the study of weight decay and scales tests the paper's claims about mechanisms.

Each comparison is made at both weight decays of the study and is paired by seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from trsfnet.analysis.contrasts import Effect, contrast, pooled_spread
from trsfnet.analysis.findings import MIN_SEEDS
from trsfnet.analysis.mechanism import NEAR_ONE, by_seed, optimum_shares, spread_ratios
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.analysis.units import NUMBER, POINTS, SHARE, SIGNED_NUMBER, Unit
from trsfnet.evaluation.statistics import Interval, fieller
from trsfnet.experiments.mechanism import ENDS
from trsfnet.text import percent

_RELU = {"trsf": False, "activation": "relu", "scale_init": None}
_LEAKY, _PRELU = _RELU | {"activation": "leaky_relu"}, _RELU | {"activation": "prelu"}
_FROZEN = _PRELU | {"fixed_scales": True}
_TRAINED: dict[str, object] = {}
_CLAMPED = {"slope_floor": 0.0}


@dataclass(frozen=True)
class Asked:
    """One comparison of a question.

    Attributes:
        name: readable description.
        by_seed: the measured values by seed; empty while runs are missing.
        difference: True if the values are differences.
    """

    name: str
    by_seed: pd.Series
    difference: bool = True

    @property
    def effect(self) -> Effect | None:
        """The mean over seeds with its standard error (Student's t); None with fewer than two seeds."""
        values = dict(enumerate(self.by_seed.astype(float)))
        spread = pooled_spread([values])
        return contrast([values], [1.0], [spread]) if spread else None


@dataclass(frozen=True)
class Question:
    """A question that the study's runs answer for a claim.

    Attributes:
        description: what is measured and the range in which it must lie.
        bounds: lower and upper bound of each comparison; None for no bound.
        unit: format of a value.
        difference: format of a difference.
        asked: yields the comparisons for a table of `mechanism_runs`.
        premise: the reason to give if the question does not arise at any weight decay; may be empty.
        note: returns a sentence on what else the runs show; may be empty.
    """

    description: str
    bounds: tuple[float | None, float | None]
    asked: Callable[[pd.DataFrame], Iterator[Asked]]
    unit: Unit = NUMBER
    difference: Unit = SIGNED_NUMBER
    premise: str = ""
    note: Callable[[pd.DataFrame], str] = lambda _: ""


def _difference(
    runs: pd.DataFrame, quantity: str, first: Mapping[str, object], second: Mapping[str, object], name: str
) -> Iterator[Asked]:
    """Yield the difference first - second at both weight decays."""
    for decay in ENDS:
        gap = by_seed(runs, quantity, decay, first) - by_seed(runs, quantity, decay, second)
        yield Asked(f"{name}, weight decay {decay:g}", gap.dropna())


def _dead(runs: pd.DataFrame) -> Iterator[Asked]:
    yield from _difference(runs, "dead", _RELU, _LEAKY, "dead channels, ReLU − Leaky ReLU")
    yield from _difference(runs, "dead", _RELU, _PRELU, "dead channels, ReLU − PReLU")


def _dead_note(runs: pd.DataFrame) -> str:
    shares = [by_seed(runs, "dead", decay, _RELU) for decay in ENDS]
    if not all(len(share) for share in shares):
        return ""
    usual, high = (percent(share.mean()) for share in shares)
    return f"With ReLU, {usual} of the channels are dead at the usual weight decay, {high} at the raised one."


def _redundancy(runs: pd.DataFrame) -> Iterator[Asked]:
    yield from _difference(runs, "cosine", _TRAINED, _CLAMPED, "most negative cosine, free − clamped slopes")
    yield from _difference(runs, "rank", _TRAINED, _CLAMPED, "effective rank, free − clamped slopes")


def _redundancy_note(runs: pd.DataFrame) -> str:
    shares = [by_seed(runs, "negative_slopes", decay, _TRAINED) for decay in ENDS]
    if not all(len(share) for share in shares):
        return ""
    usual, high = (share.mean() for share in shares)
    published = QUANTITIES["slope_share_negative"].published()["v1-trsf-prelu"]
    few = max(usual, high) < published / 2
    return (
        f"Of the free slopes, {percent(usual)} are negative at the usual weight decay and {percent(high)} at "
        f"the raised one; in the paper, {percent(published)} are."
        f"{' Clamping so few of them changes these networks little.' if few else ''}"
    )


def _contraction(runs: pd.DataFrame) -> Iterator[Asked]:
    for decay in ENDS:
        ratios = spread_ratios(runs, decay)
        yield Asked(f"spread at the end over that at the start, weight decay {decay:g}", ratios, False)


def _contraction_note(runs: pd.DataFrame) -> str:
    shares = optimum_shares(runs)
    if len(shares) < 2:
        return ""
    usual, high = (f"{percent(share.value)}" for share in shares.values())
    optimum = (
        f"Held-out loss is lowest at {NEAR_ONE[0]:g} to {NEAR_ONE[1]:g} times the learned size of all "
        f"branches in {usual} of the runs at the usual weight decay and in {high} at the raised one."
    )
    spreads = [spread_ratios(runs, decay, "ratio_geometric") for decay in ENDS]
    if not all(map(len, spreads)):
        return optimum
    first, last = (spread.mean() for spread in spreads)
    return (
        f"{optimum} The spread of the residual ratios over starts ends at {first:.2f} times that of the "
        f"initial scales at the usual weight decay and at {last:.2f} times at the raised one."
    )


def gains(runs: pd.DataFrame, decay: float) -> pd.DataFrame:
    """Return, by seed, the gain in TAR over facenet's constants with PReLU.

    The columns are `trained` (trained scales) and `frozen` (constants at the learned magnitudes).
    """
    constant = by_seed(runs, "tar", decay, _PRELU)
    sides = {"trained": _TRAINED, "frozen": _FROZEN}
    return pd.DataFrame({n: by_seed(runs, "tar", decay, s) - constant for n, s in sides.items()})


def share_kept(runs: pd.DataFrame, decay: float) -> Interval | None:
    """Return the share of TRSF's gain that frozen constants keep, see `gains`, with Fieller's interval.

    None if the interval is unbounded, as the gain may be 0, or with fewer than two seeds.
    """
    gained = gains(runs, decay).dropna()
    return fieller(gained["frozen"].tolist(), gained["trained"].tolist())


def _main_reason(runs: pd.DataFrame) -> Iterator[Asked]:
    for decay in ENDS:
        gained = gains(runs, decay)
        name = f"gain of frozen constants − half of TRSF's, weight decay {decay:g}"
        whole = Asked(name, gained["trained"].dropna())
        if len(whole.by_seed) < MIN_SEEDS:
            yield replace(whole, by_seed=whole.by_seed[:0])  # it is unknown whether there is a gain
        elif whole.effect and whole.effect.interval.low > 0:
            yield Asked(name, (gained["frozen"] - gained["trained"] / 2).dropna())


def _main_reason_note(runs: pd.DataFrame) -> str:
    shares = {decay: share for decay in ENDS if (share := share_kept(runs, decay))}
    return " ".join(
        f"At weight decay {decay:g} frozen constants keep {percent(share.value)} of TRSF's gain "
        f"({100 * share.low:.0f} to {100 * share.high:.0f})."
        for decay, share in shares.items()
    )


QUESTIONS = {
    "dead": Question(
        "the share of channels positive on fewer than one in a thousand positions is larger with ReLU than "
        "with either other activation by more than 1 point, at both weight decays",
        (0.01, None),
        _dead,
        SHARE,
        POINTS,
        note=_dead_note,
    ),
    "redundancy": Question(
        "against slopes clamped at 0, free slopes leave the most negative cosine within a layer less "
        "negative and the effective rank higher, both against random kernels, at both weight decays",
        (0.0, None),
        _redundancy,
        difference=replace(SIGNED_NUMBER, digits=3),
        note=_redundancy_note,
    ),
    "contraction": Question(
        "over starts of 0.03, 0.1, 0.3 and 1, the spread of the logarithm of the mean scale ends below "
        "half of what it was, at both weight decays",
        (None, 0.5),
        _contraction,
        note=_contraction_note,
    ),
    "main-reason": Question(
        "constants frozen at the learned magnitudes keep more than half of what TRSF gains in TAR at "
        "FAR 1e-2 over facenet's constants, with PReLU, at each weight decay at which it gains",
        (0.0, None),
        _main_reason,
        SHARE,
        POINTS,
        premise="At neither weight decay do trained scales gain more on facenet's constants than chance "
        "explains, so there is no established gain to explain.",
        note=_main_reason_note,
    ),
}
"""The questions, by the name that the rules of claims use."""
