"""Two runs side by side: modules, histogram and trajectories of one kind of value at one epoch."""

from __future__ import annotations

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from trsfnet.report import style
from trsfnet.report.display import Picture, picture
from trsfnet.report.explore.shown import KINDS, Shown, last_epoch, limits
from trsfnet.report.figures import epoch_axis

BINS = 24

# The first run is filled, the second hollow, so that two seeds of one setting are told apart.
_FILLS = ("full", "none")


def compare(first: Shown, second: Shown) -> Picture:
    """The two runs as a figure with its text alternative; both show the same kind at the same epoch."""
    summaries = f"A: {first.summary} B: {second.summary}"
    kind = KINDS[first.kind]
    return picture(
        comparison(first, second),
        alt=f"{kind.title} by module, as a histogram and over the epochs, in two runs. {summaries}",
        caption=f"{kind.title} of two runs. {summaries}",
    )


def comparison(first: Shown, second: Shown) -> Figure:
    """Modules and histogram of both runs above, the trajectories of each below."""
    shown = (first, second)
    kind = KINDS[first.kind]
    low, high = limits([s.table for s in shown])
    with style.applied():
        figure, axes = plt.subplot_mosaic(
            [["modules", "histogram"], ["A", "B"]], figsize=(style.FIGURE_WIDTH, 6.2)
        )
        for name, one, fill in zip("AB", shown, _FILLS, strict=True):
            _modules(axes["modules"], one, name, fill)
            _trajectories(axes[name], one)
            axes[name].set(title=f"{name}: {one.run.setting}", ylabel=kind.label, ylim=(low, high))
            axes[name].set_xlim(0, last_epoch((first.run, second.run)))
        axes["modules"].set(
            xlabel=f"{kind.module}, from input to output", ylabel=kind.label, ylim=(low, high)
        )
        axes["modules"].axhline(0, color=style.INK, linewidth=0.8)
        axes["modules"].legend(loc="best")
        _histogram(axes["histogram"], shown, (low, high))
        axes["histogram"].set(xlabel=kind.label, ylabel="Number of modules")
    return figure


def _modules(axes: Axes, shown: Shown, name: str, fill: str) -> None:
    values, look = shown.values, style.look(shown.run.record.variant)
    places = np.arange(1, len(values) + 1)
    axes.plot(places, values, look.marker, color=look.colour, fillstyle=fill, markersize=4.5, label=name)


def _trajectories(axes: Axes, shown: Shown) -> None:
    """A line per module, and where the epoch is."""
    look, table = style.look(shown.run.record.variant), shown.table
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.axvline(shown.epoch, color=style.INK, linewidth=0.8, linestyle=":")
    courses = [np.column_stack([table.index, column]) for column in table.to_numpy().T]
    axes.add_collection(LineCollection(courses, colors=look.colour, linewidths=0.9, alpha=0.6))
    epoch_axis(axes)


def _histogram(axes: Axes, shown: tuple[Shown, Shown], within: tuple[float, float]) -> None:
    edges = np.linspace(*within, BINS + 1)
    for one, filled in zip(shown, (True, False), strict=True):
        colour = style.look(one.run.record.variant).colour
        kind = "stepfilled" if filled else "step"
        axes.hist(one.values, edges, histtype=kind, color=colour, alpha=0.5 if filled else 1, linewidth=1.8)
