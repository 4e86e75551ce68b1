"""The study as a grid of variants by learning rates, with the number of runs for each kind of ending."""

from __future__ import annotations

from collections import Counter

from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from trsfnet.analysis.stability import Ending, Study, StudyRun
from trsfnet.experiments.variants import STABILITY, Variant
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, picture
from trsfnet.report.stability.labels import KINDS, kind, label
from trsfnet.text import counted, joined

# Fill and hatching of each ending, so that endings differ by more than colour.
_LOOKS = {
    Ending.NOT_COLLAPSED: (style.POSITIVE, ""),
    Ending.CHANCE: (style.NEGATIVE, "////"),
    Ending.EXPLODED: (style.look("v1-prelu").colour, "xxxx"),
    Ending.NOT_FINITE: (style.look("v1-leaky-relu").colour, "...."),
}
# Opacity of the fill, low enough for the page's text colour to be readable on it in light and dark mode.
_FILL = 0.4
_HALF_WIDTH, _HALF_HEIGHT = 0.47, 0.43


def endings_grid(study: Study | None) -> Picture | Markdown:
    """Draw how many seeds of each variant collapsed at each learning rate, how, and when."""
    if study is None:
        return Markdown(
            "No variant of the study has ended runs at two learning rates yet, so there is nothing to "
            "compare. `make runs STUDY=stability BUDGET=stability` makes them all."
        )
    rates = study.rates
    positions = _positions(study.variants)
    with style.panels(1, 1, 1.5 + 0.46 * (max(positions.values()) + 1)) as (figure, ((axes,),)):
        for variant, y in positions.items():
            for x, rate in enumerate(rates):
                _cell(axes, x, y, study.cell(variant.key, rate))
        for number in {kind(variant) for variant in positions}:
            first = min(y for variant, y in positions.items() if kind(variant) == number)
            axes.text(-0.5, first - 0.58, KINDS[number], fontweight="bold", va="center", fontsize=10)
        axes.set_yticks(list(positions.values()), [label(variant) for variant in positions])
        axes.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
        axes.set(xlim=(-0.5, len(rates) - 0.5), ylim=(max(positions.values()) + 0.5, -0.9))
        axes.set_xlabel("Initial learning rate (SGD)")
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        seen = {run.ending for run in study.runs}
        handles = [_patch(ending) for ending in Ending if ending in seen]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    finding = _finding(study)
    caption = (
        f"{finding} A cell shows how many seeds collapsed and, in its second line, when this was found: at a "
        "training step, or at the end."
    )
    return picture(figure, alt=f"A grid, a row for each kind of scale. {finding}", caption=caption)


def _positions(variants: list[Variant]) -> dict[Variant, float]:
    """Return the vertical position of each variant, leaving space for a heading above each kind."""
    kinds = sorted({kind(variant) for variant in variants})
    return {variant: i + 0.75 * kinds.index(kind(variant)) for i, variant in enumerate(variants)}


def _cell(axes: Axes, x: int, y: float, runs: list[StudyRun]) -> None:
    """Draw a bar as wide as the cell, split by ending and labelled with the numbers of runs."""
    if not runs:
        axes.text(x, y, "not run", ha="center", va="center", fontsize=9)
        return
    count = Counter(run.ending for run in runs)
    left = x - _HALF_WIDTH
    for ending in Ending:
        width = 2 * _HALF_WIDTH * count[ending] / len(runs)
        colour, hatch = _LOOKS[ending]
        corner, size = (left, y - _HALF_HEIGHT), (width, 2 * _HALF_HEIGHT)
        axes.add_patch(Rectangle(corner, *size, facecolor=colour, alpha=_FILL, hatch=hatch, linewidth=0))
        left += width
    text = f"{len(runs) - count[Ending.NOT_COLLAPSED]} of {len(runs)} collapsed"
    lines = [text, *filter(None, [_when(runs)])]
    # One text per line: browsers would centre the lines of a single one by the widths of another font.
    for i, line in enumerate(lines):
        axes.text(x, y + 0.32 * (i - (len(lines) - 1) / 2), line, ha="center", va="center", fontsize=8.5)


def _when(runs: list[StudyRun]) -> str:
    """State in one line when the collapses of a cell were detected."""
    steps = sorted(run.step for run in runs if run.step is not None)
    parts = []
    if steps:
        low, high = steps[0], steps[-1]
        parts.append(f"step {low}" if low == high else f"steps {low} to {high}")
    if any(run.collapsed and run.step is None for run in runs):
        parts.append("the end" if steps else "at the end")
    return ", ".join(parts)


def _patch(ending: Ending) -> Patch:
    colour, hatch = _LOOKS[ending]
    return Patch(facecolor=colour, alpha=_FILL, hatch=hatch, label=str(ending))


def _finding(study: Study) -> str:
    """State how many runs collapsed, in total and by learning rate."""
    total = counted(len(study.runs), "run")
    if not study.collapses:
        return f"None of {total} collapsed, up to a learning rate of {study.rates[-1]:g}."
    by_rate = []
    for rate in study.rates:
        here = study.at(rate)
        by_rate.append(f"{sum(run.collapsed for run in here)} of {len(here)} at {rate:g}")
    endings = Counter(run.ending for run in study.collapses)
    how = joined([f"{endings[ending]} {words}" for ending, words in _HOW.items() if endings[ending]])
    ran = len(study.variants)
    missing = (
        f" {len(STABILITY) - ran} of {len(STABILITY)} variants were not run." if ran < len(STABILITY) else ""
    )
    return f"{len(study.collapses)} of {total} collapsed ({joined(by_rate)}): {how}.{missing}"


_HOW = {
    Ending.CHANCE: "at chance level at the end",
    Ending.EXPLODED: "with exploding gradients",
    Ending.NOT_FINITE: "with a non-finite loss or gradient",
}
