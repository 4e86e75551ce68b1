"""Figures of one run, for the notebook that trained it, and the parts that all figures share."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from trsfnet.errors import RecordError
from trsfnet.experiments.record import Record
from trsfnet.report import style
from trsfnet.report.names import MEASURE_NAMES, MEASURES, counted
from trsfnet.report.runs import learned


def training_curves(record: Record) -> Figure:
    """Loss, and TAR on unseen people, over the epochs of one run."""
    try:
        history = record.history()
    except RecordError:
        return message(f"{record.run_id}: no epoch was finished, so there is no curve.")
    with style.applied():
        figure, (left, right) = plt.subplots(1, 2, figsize=(style.FIGURE_WIDTH, 3.2))
        marker = "o" if len(history) < 10 else ""
        left.plot(history["epoch"], history["loss"], marker=marker)
        left.set(title="Training loss", ylabel="Mean cross-entropy (nats)", ylim=(0, None))
        for measure in MEASURES[record.info["track"]]:
            right.plot(history["epoch"], history[measure], marker=marker, label=MEASURE_NAMES[measure])
        right.set(title="Verification of unseen people", ylabel="TAR", ylim=(0, None))
        right.yaxis.set_major_formatter(PercentFormatter(1))
        right.legend(loc="best")
        for axes in (left, right):
            epoch_axis(axes)
    return figure


def learned_parameters(record: Record) -> Figure:
    """One run's scales, slopes and effective residual ratios over its epochs, coloured by depth."""
    titles = {
        "trsf": ("Residual scales", "TRSF"),
        "slope": ("PReLU slopes", "Slope α"),
        "ratio": ("Residual ratios", "‖branch‖ / ‖trunk‖"),
    }
    tables = {kind: table for kind, table in learned(record).items() if kind in titles}
    if not tables:
        return message(f"{record.run_id} has recorded no parameters.")
    with style.applied():
        figure, axes = plt.subplots(1, len(tables), figsize=(style.FIGURE_WIDTH, 3.4), squeeze=False)
        for panel, (kind, table) in zip(axes[0], tables.items(), strict=True):
            title, label = titles[kind]
            lines_by_depth(panel, table)
            panel.set(title=f"{title}: {counted(table.shape[1], 'curve')}", ylabel=label)
        depth_bar(figure, axes[0].tolist())
    return figure


def lines_by_depth(axes: Axes, table: pd.DataFrame) -> None:
    """One line per column of `table` over its index, dark for the first and light for the last."""
    colours = colormaps[style.DEPTH_MAP](np.linspace(*style.DEPTH_RANGE, table.shape[1]))
    width = 1.4 if table.shape[1] <= 40 else 0.7
    for name, colour in zip(table.columns, colours, strict=True):
        axes.plot(table.index, table[name], color=colour, linewidth=width)
    axes.axhline(0, color=style.INK, linewidth=0.8)
    epoch_axis(axes)


def depth_bar(
    figure: Figure,
    axes: list[Axes],
    *,
    ends: tuple[str, str] = ("first", "last"),
    label: str = "Module, from input to output",
) -> None:
    """The key to the colours of `lines_by_depth`.

    Args:
        figure: that has the lines.
        axes: the panels that have them.
        ends: names of the first and the last module.
        label: what these are names of.
    """
    low, high = style.DEPTH_RANGE
    part = colormaps[style.DEPTH_MAP](np.linspace(low, high, 256))
    scale = ScalarMappable(Normalize(0, 1), ListedColormap(part))
    bar = figure.colorbar(scale, ax=axes, fraction=0.04, pad=0.02)
    bar.set_ticks([0, 1], labels=ends)
    bar.set_label(label)
    bar.outline.set_visible(False)


def epoch_axis(axes: Axes) -> None:
    """Label the horizontal axis as whole epochs."""
    axes.set_xlabel("Epoch")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))


def legend_below(figure: Figure, axes: Axes) -> None:
    """One key for the whole figure, from the labels of `axes`, where it covers nothing."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)), handlelength=3)


def message(text: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    with style.applied():
        figure, axes = plt.subplots(figsize=(style.FIGURE_WIDTH, 0.9))
        axes.set_axis_off()
        axes.text(0.5, 0.5, text, ha="center", va="center", wrap=True)
    return figure
