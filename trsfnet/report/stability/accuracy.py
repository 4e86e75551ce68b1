"""Training accuracy of each variant at the end of its epochs, compared with other variants.

Whether a run collapsed is only one bit of this information; most differences lie above chance level.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.stability import Study
from trsfnet.experiments.variants import short_name
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, captioned, picture, table
from trsfnet.report.stability.curves import LOOKS, starts_key
from trsfnet.report.stability.labels import KINDS, QUESTIONS, kind, pairs, start
from trsfnet.text import counted, percent, points, with_range

# Horizontal distance between variants at the same rate.
_STEP = 0.13


def accuracy_figure(study: Study | None) -> Picture | None:
    """Plot the mean training accuracy over all seeds by learning rate, a panel for each kind of scale."""
    if study is None:
        return None
    kinds = sorted({kind(variant) for variant in study.variants})
    with style.panels(1, len(kinds), 3.6, sharex=True, sharey=True) as (figure, (axes,)):
        for panel, number in zip(axes, kinds, strict=True):
            _panel(panel, study, number)
            panel.set_title(KINDS[number], fontsize=10)
            panel.set_xlabel("Initial learning rate")
        axes[0].set_ylabel("Training images\nclassified correctly (%)")
        figure.legend(handles=starts_key(study), loc="outside lower center", ncols=3)
    finding = _finding(study)
    epochs = counted(study.runs[0].run.config["epochs"], "epoch")
    caption = (
        f"Training accuracy in the last of {epochs}: means over all seeds, including collapsed ones, with "
        f"95 % intervals (Student's t). {finding}"
    )
    alt = f"Training accuracy by learning rate, a panel for each kind of scale. {finding}"
    return picture(figure, alt=alt, caption=caption)


def _panel(panel: Axes, study: Study, number: int) -> None:
    variants = [variant for variant in study.variants if kind(variant) == number]
    rates = study.rates
    for i, variant in enumerate(variants):
        colour, marker = LOOKS[start(variant)]
        found = {x: study.mean_accuracy(variant.key, rate) for x, rate in enumerate(rates)}
        means = {x: effect for x, effect in found.items() if effect}
        panel.errorbar(
            [x + _STEP * (i - (len(variants) - 1) / 2) for x in means],
            [100 * effect.estimate for effect in means.values()],
            yerr=[100 * (effect.interval.high - effect.estimate) for effect in means.values()],
            color=colour,
            marker=marker,
            markersize=4.5,
            linewidth=1.1,
            elinewidth=1.1,
            label=f"_{short_name(variant.key)}",
        )
    panel.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates], fontsize=9)
    panel.set_ylim(0, 100)


def differences(study: Study | None) -> Markdown | None:
    """Tabulate the differences in training accuracy that the questions ask about, by learning rate."""
    if study is None:
        return None
    header = ("First minus second variant", *(f"Rate {rate:g}" for rate in study.rates))
    rows = [
        (
            f"{short_name(a)} − {short_name(b)}",
            *(_written(study.accuracy_difference(a, b, r)) for r in study.rates),
        )
        for claim in QUESTIONS.values()
        for a, b in pairs(claim)
    ]
    caption = (
        "Differences in training accuracy, in points with separate 95 % intervals (Welch's t). No rule for "
        "them was fixed before the results were known, so no verdict is based on them."
    )
    return Markdown(captioned(caption, "stability-differences", table(header, rows)))


def _written(effect: Effect | None) -> str:
    if effect is None:
        return "–"
    return with_range(effect.estimate, effect.interval.low, effect.interval.high, points)


def _finding(study: Study) -> str:
    """State the rate at which the variants differ most, with the lowest and the highest variant."""
    widest = ("", 0.0)
    for rate in study.rates:
        means = {
            variant: float(np.mean([run.accuracy for run in cell]))
            for (variant, r), cell in study.cells.items()
            if r == rate
        }
        worst, best = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
        text = (
            f"Variants differ most at rate {rate:g}: from {percent(means[worst])} "
            f"({short_name(worst)}) to {percent(means[best])} ({short_name(best)})."
        )
        widest = max(widest, (text, means[best] - means[worst]), key=lambda found: found[1])
    return widest[0]
