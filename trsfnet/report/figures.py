"""Elements shared by several figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trsfnet.report import style


def lines_by_depth(axes: Axes, table: pd.DataFrame) -> None:
    """Draw one line per column of `table` over its index, from dark for the first to light for the last."""
    colours = colormaps[style.DEPTH_MAP](np.linspace(*style.DEPTH_RANGE, table.shape[1]))
    width = 1.4 if table.shape[1] <= 40 else 0.7
    for name, colour in zip(table.columns, colours, strict=True):
        axes.plot(table.index, table[name], color=colour, linewidth=width)
    axes.axhline(0, color=style.INK, linewidth=0.8)
    epoch_axis(axes)


def visible_colours() -> ListedColormap:
    """Return the part of the colour map that is visible on black and on white."""
    return ListedColormap(colormaps[style.DEPTH_MAP](np.linspace(*style.DEPTH_RANGE, 256)))


def depth_bar(
    figure: Figure,
    axes: list[Axes],
    *,
    ends: tuple[str, str] = ("first", "last"),
    label: str = "Module, from input to output",
) -> None:
    """Add a colour bar for the lines of `lines_by_depth`.

    Args:
        figure: the figure with the lines.
        axes: its panels with the lines.
        ends: names of the first and the last module.
        label: label of the colour bar.
    """
    scale = ScalarMappable(Normalize(0, 1), visible_colours())
    bar = figure.colorbar(scale, ax=axes, fraction=0.04, pad=0.02)
    bar.set_ticks([0, 1], labels=ends)
    bar.set_label(label)
    bar.outline.set_visible(False)


def mean_over_seeds(
    axes: Axes, seeds: pd.DataFrame, label: str, look: style.Look, *, size: float = 4, band: float = 0.0
) -> None:
    """Draw the mean of several seeds' curves, with a few markers.

    Args:
        axes: the panel.
        seeds: the curves, with a row per epoch and a column per seed.
        label: label in the legend.
        look: colour, dashes and marker of the line.
        size: size of the markers in points.
        band: opacity of the band from the lowest to the highest seed; no band if 0.
    """
    if band:
        low, high = seeds.min(axis=1), seeds.max(axis=1)
        axes.fill_between(seeds.index, low, high, color=look.colour, alpha=band, linewidth=0)
    marks: dict[str, Any] = {"marker": look.marker, "markersize": size, "markevery": max(1, len(seeds) // 8)}
    axes.plot(seeds.mean(axis=1), look.dashes, color=look.colour, label=label, **marks)


def epoch_axis(axes: Axes) -> None:
    """Label the horizontal axis "Epoch" and place its ticks at whole numbers."""
    axes.set_xlabel("Epoch")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))


def legend_below(figure: Figure, axes: Axes) -> None:
    """Add one legend for the whole figure below its panels, from the labels of `axes`."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)), handlelength=3)
