"""Training loss in the study, a panel for each learning rate and kind of scale."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from trsfnet.analysis.held_out import chance_loss
from trsfnet.analysis.stability import Study, StudyRun
from trsfnet.experiments.variants import Variant
from trsfnet.report import style
from trsfnet.report.display import Picture, picture
from trsfnet.report.figures import epoch_axis
from trsfnet.report.stability.labels import KINDS, kind, start

_COLOURS = sns.color_palette("colorblind").as_hex()
# Colour and marker by the initial or constant scale; None stands for facenet's constants.
LOOKS = {
    None: (_COLOURS[7], "o"),
    0.0: (_COLOURS[4], "v"),
    0.1: (_COLOURS[0], "s"),
    0.3: (_COLOURS[2], "^"),
    1.0: (_COLOURS[1], "D"),
}


def loss_curves(study: Study | None) -> Picture | None:
    """Plot the mean training loss of every epoch, a line per seed, with a cross where a run collapsed."""
    if study is None:
        return None
    rates = study.rates
    kinds = sorted({kind(variant) for variant in study.variants})
    height = 0.9 + 1.9 * len(kinds)
    with style.panels(len(kinds), len(rates), height, sharex=True, sharey=True) as (figure, axes):
        for row, number in zip(axes, kinds, strict=True):
            for panel, rate in zip(row, rates, strict=True):
                _panel(panel, study, number, rate)
            row[0].set_ylabel(KINDS[number].replace(", ", ",\n") + "\nLoss (nats)", fontsize=9)
        for panel, rate in zip(axes[0], rates, strict=True):
            panel.set_title(f"Rate {rate:g}")
        for panel in axes[-1]:
            epoch_axis(panel)
        figure.legend(handles=_key(study), loc="outside lower center", ncols=4)
    finding = _finding(study)
    caption = (
        f"Mean training loss per epoch, one line per seed. Dotted line: the loss at chance level. {finding}"
    )
    alt = f"Training loss over the epochs, a panel for each kind of scale and learning rate. {finding}"
    return picture(figure, alt=alt, caption=caption)


def _panel(panel: Axes, study: Study, number: int, rate: float) -> None:
    for variant in study.variants:
        if kind(variant) == number:
            for run in study.cell(variant.key, rate):
                _line(panel, variant, run)
    panel.axhline(chance_loss(study.runs[0].run), color=style.INK, linewidth=1, linestyle=":")
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.yaxis.set_minor_locator(NullLocator())


def _line(panel: Axes, variant: Variant, run: StudyRun) -> None:
    losses = _losses(run)
    if not len(losses):
        return
    colour, marker = LOOKS[start(variant)]
    epochs = np.arange(1, len(losses) + 1)
    panel.plot(epochs, losses, color=colour, marker=marker, markersize=3.5, linewidth=1.1, alpha=0.85)
    if run.collapsed:
        panel.plot(epochs[-1], losses[-1], "x", color=style.INK, markersize=8, markeredgewidth=1.5)


def _losses(run: StudyRun) -> np.ndarray:
    """Return the finite losses of a run's finished epochs."""
    return run.losses[np.isfinite(run.losses)]


def starts_key(study: Study) -> list[Line2D]:
    """Return the legend of colours and markers."""
    starts = list(dict.fromkeys(start(variant) for variant in study.variants))
    lines = []
    for value in sorted(starts, key=lambda v: (v is not None, v)):
        colour, marker = LOOKS[value]
        name = "facenet's constants" if value is None else f"scale {value:g}, or from it"
        lines.append(Line2D([], [], color=colour, marker=marker, markersize=5, label=name))
    return lines


def _key(study: Study) -> list[Line2D]:
    cross = Line2D([], [], color=style.INK, marker="x", markersize=8, linestyle="", label="collapsed")
    return [*starts_key(study), cross]


def _finding(study: Study) -> str:
    """State the final losses of the runs that did not collapse, at the smallest and the largest rate."""
    parts = []
    for rate in (study.rates[0], study.rates[-1]):
        ends = [float(_losses(run)[-1]) for run in study.at(rate) if not run.collapsed]
        if ends:
            parts.append(f"{min(ends):.2f} to {max(ends):.2f} at rate {rate:g}")
    return f"Runs that did not collapse ended at {' and '.join(parts)}." if parts else "Every run collapsed."
