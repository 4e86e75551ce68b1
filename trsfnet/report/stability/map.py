"""The map of the study: settings by learning rates, and how many runs of each trained or collapsed how."""

from __future__ import annotations

from collections import Counter

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from trsfnet.experiments.variants import STABILITY, Variant
from trsfnet.report import style
from trsfnet.report.display import Exhibit, Markdown, exhibit
from trsfnet.report.names import counted, listed
from trsfnet.report.stability.study import (
    CHANCE,
    EXPLODED,
    FATES,
    KINDS,
    NOT_FINITE,
    TRAINED,
    Outcome,
    Study,
    kind,
    label,
)

# Fill and hatching of each fate, so that colour is never alone.
_LOOKS = {
    TRAINED: (style.POSITIVE, ""),
    CHANCE: (style.NEGATIVE, "////"),
    EXPLODED: (style.look("v1-prelu").colour, "xxxx"),
    NOT_FINITE: (style.look("v1-leaky-relu").colour, "...."),
}
# So thin that the page's ink can be read on it, in light and in dark.
_FILL = 0.4
_HALF_WIDTH, _HALF_HEIGHT = 0.47, 0.43


def outcome_map(study: Study | None) -> Exhibit | Markdown:
    """How many seeds of each setting trained or collapsed at each learning rate, how, and when."""
    if study is None:
        return Markdown(
            "No setting of the study has ended runs at two learning rates yet, so that there is nothing to "
            "compare. `make runs STUDY=stability BUDGET=stability` makes them all."
        )
    rates = study.rates
    places = _places(study.settings)
    with style.applied():
        height = 1.5 + 0.46 * (max(places.values()) + 1)
        figure, axes = plt.subplots(figsize=(style.FIGURE_WIDTH, height))
        for setting, y in places.items():
            for x, rate in enumerate(rates):
                _cell(axes, x, y, study.outcomes.get((setting.key, rate), []))
        for number in {kind(setting) for setting in places}:
            first = min(y for setting, y in places.items() if kind(setting) == number)
            axes.text(-0.5, first - 0.58, KINDS[number], fontweight="bold", va="center", fontsize=10)
        axes.set_yticks(list(places.values()), [label(setting) for setting in places])
        axes.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
        axes.set(xlim=(-0.5, len(rates) - 0.5), ylim=(max(places.values()) + 0.5, -0.9))
        axes.set_xlabel("Learning rate at the start (SGD)")
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        shown = [fate for fate in FATES if any(o.fate == fate for o in study.every)]
        handles = [_patch(fate) for fate in shown]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    finding = _finding(study)
    caption = f"Seeds that trained or collapsed, by scale and learning rate. {finding}"
    return exhibit(figure, alt=f"A grid, a row for each kind of scale. {finding}", caption=caption)


def _places(settings: list[Variant]) -> dict[Variant, float]:
    """Rows from the top; before each kind a line is left free for its name."""
    kinds = sorted({kind(setting) for setting in settings})
    return {setting: i + 0.75 * kinds.index(kind(setting)) for i, setting in enumerate(settings)}


def _cell(axes: Axes, x: int, y: float, outcomes: list[Outcome]) -> None:
    """A bar as wide as the cell, split by fate, and the numbers on it."""
    if not outcomes:
        axes.text(x, y, "not run", ha="center", va="center", fontsize=9)
        return
    count = Counter(outcome.fate for outcome in outcomes)
    left = x - _HALF_WIDTH
    for fate in FATES:
        width = 2 * _HALF_WIDTH * count[fate] / len(outcomes)
        colour, hatch = _LOOKS[fate]
        corner, size = (left, y - _HALF_HEIGHT), (width, 2 * _HALF_HEIGHT)
        axes.add_patch(Rectangle(corner, *size, facecolor=colour, alpha=_FILL, hatch=hatch, linewidth=0))
        left += width
    text = f"{count[TRAINED]} of {len(outcomes)} trained"
    when = _when(outcomes)
    axes.text(x, y, f"{text}\n{when}" if when else text, ha="center", va="center", fontsize=8.5)


def _when(outcomes: list[Outcome]) -> str:
    """When the collapses of a cell were seen, in a line."""
    steps = sorted(outcome.step for outcome in outcomes if outcome.step is not None)
    parts = []
    if steps:
        low, high = steps[0], steps[-1]
        parts.append(f"step {low}" if low == high else f"steps {low} to {high}")
    if any(outcome.fate != TRAINED and outcome.step is None for outcome in outcomes):
        parts.append("the end" if steps else "at the end")
    return ", ".join(parts)


def _patch(fate: str) -> Patch:
    colour, hatch = _LOOKS[fate]
    return Patch(facecolor=colour, alpha=_FILL, hatch=hatch, label=fate)


def _finding(study: Study) -> str:
    """How many collapsed, over all and by learning rate."""
    fell = [outcome for outcome in study.every if outcome.run.collapsed]
    total = counted(len(study.every), "run")
    if not fell:
        return f"None of {total} collapsed, up to a learning rate of {study.rates[-1]:g}."
    by_rate = []
    for rate in study.rates:
        here = [o for (_, r), cell in study.outcomes.items() if r == rate for o in cell]
        by_rate.append(f"{sum(o.run.collapsed for o in here)} of {len(here)} at {rate:g}")
    fates = Counter(outcome.fate for outcome in fell)
    how = listed([f"{fates[fate]} {_HOW[fate]}" for fate in FATES if fates[fate]])
    ran = len(study.settings)
    missing = (
        f" {len(STABILITY) - ran} of {len(STABILITY)} settings were not run." if ran < len(STABILITY) else ""
    )
    return f"{len(fell)} of {total} collapsed ({listed(by_rate)}): {how}.{missing}"


_HOW = {
    CHANCE: "no better than chance at the end",
    EXPLODED: "by gradients that exploded",
    NOT_FINITE: "by a loss or gradient that was not finite",
}
