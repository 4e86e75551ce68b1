"""Slopes of v2 + PReLU from five initial values: the paper's figure 11 for our tracks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import to_hex

from trsfnet.analysis.tables import TableRuns
from trsfnet.paper.numbers import paper_quantities
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, picture
from trsfnet.report.figure_runs import FigureRuns, Values, final, seeds_in_words, shown_seeds
from trsfnet.report.figures import epoch_axis, legend_below, mean_over_seeds
from trsfnet.report.names import row_name
from trsfnet.text import decimal, percent

_MARKERS = ("v", "s", "o", "D", "^")


def after_training(table: TableRuns) -> list[Picture | Markdown]:
    """Plot 40 slopes after training in networks with different initial slopes (the paper's figure 11).

    The figure also shows each slope's mean and standard deviation over these networks.

    Args:
        table: table 6.
    """
    title = "Slopes after training from each initial value"
    return FigureRuns([table], 11).first_and_further("slope", title, _slopes)


def _slopes(of: FigureRuns, networks: Values) -> Picture:
    names = next(iter(final(networks).values())).columns
    shown = int(paper_quantities()["slopes shown of 243"].number)
    chosen = names[np.linspace(0, len(names) - 1, shown).round().astype(int)]
    by_start = {row_name(6, variant): ends[chosen] for variant, ends in final(networks).items()}
    every = pd.concat(by_start.values())
    rows = np.arange(shown)
    with style.panels(1, 1, 1.4 + 0.21 * shown) as (figure, ((axes,),)):
        for (name, ends), look in zip(by_start.items(), _looks(len(by_start)), strict=True):
            at = np.tile(rows, (len(ends), 1)).T
            drawn = axes.plot(ends.T, at, look.marker, color=look.colour, markersize=5)
            drawn[0].set_label(f"from {name}")
        if len(every) > 1:
            axes.errorbar(
                every.mean(),
                rows,
                xerr=every.std(),
                fmt="|",
                color=style.INK,
                elinewidth=1,
                capsize=2,
                label="mean ± deviation",
            )
        axes.axvline(0, color=style.INK, linewidth=0.8)
        axes.set_yticks(rows, chosen, fontsize=8)
        axes.set(ylim=(shown - 0.4, -0.6), xlabel="Slope α after training")
        legend_below(figure, axes)
    starts = pd.concat([table.iloc[[0]] for seeds in networks.values() for table in seeds.values()])
    finding = _between(by_start, float(starts[chosen].std().mean()))
    return picture(
        figure,
        alt=f"{shown} slopes after training, a row per slope, a point per network. {finding}",
        caption=(
            f"{of.opening}, {shown_seeds(networks)}: {finding} The figure shows {shown} of {len(names)} "
            f"slopes, evenly spaced from input to output.{of.missing}"
        ),
    )


def _between(by_start: dict[str, pd.DataFrame], initially: float) -> str:
    """State how far a slope differs between networks, and how far slopes differ from one another.

    Args:
        by_start: final slopes by initial value, a row per network.
        initially: standard deviation of the initial values over the networks.
    """
    every = pd.concat(by_start.values())
    if len(by_start) == 1:
        return f"only the initial value {next(iter(by_start))} has been run, so there is no comparison."
    return (
        f"over the {len(every)} networks, a slope's final values have a standard deviation of "
        f"{decimal(every.std().mean())} on average; that of the initial values is {decimal(initially)}. The "
        f"means of the slopes over the networks have a standard deviation of {decimal(every.mean().std())}."
    )


def over_training(table: TableRuns) -> Picture | Markdown:
    """Plot the mean and standard deviation of all slopes over the epochs, a line for each initial value."""
    of = FigureRuns([table], 11)
    found = of.learned("slope")
    if not found:
        return of.nothing
    with style.panels(1, 2, 3.8) as (figure, (panels,)):
        for (variant, seeds), look in zip(found.items(), _looks(len(found)), strict=True):
            name = f"from {row_name(6, variant)}"
            means = pd.concat([t.mean(axis=1) for t in seeds.values()], axis=1)
            deviations = pd.concat([t.std(axis=1) for t in seeds.values()], axis=1)
            for panel, by_seed in zip(panels, (means, deviations), strict=True):
                mean_over_seeds(panel, by_seed, name, look, size=5, band=0.15)
        for panel, label in zip(panels, ("Mean slope α", "Standard deviation of slopes"), strict=True):
            panel.set_ylabel(label)
            epoch_axis(panel)
        panels[0].axhline(0, color=style.INK, linewidth=0.8)
        panels[1].set_ylim(0, None)
        legend_below(figure, panels[0])
    finding = _convergence(found)
    return picture(
        figure,
        alt=f"Mean and standard deviation of all slopes over the epochs, a line per start. {finding}",
        caption=(
            f"{of.opening}, over training and over all slopes: {finding} Lines are means over "
            f"seeds; bands show their range; {seeds_in_words(found)}.{of.missing}"
        ),
    )


def _convergence(found: Values) -> str:
    """State whether the mean slope forgets its initial value."""
    means = {
        row_name(6, variant): pd.DataFrame([t.mean(axis=1) for t in seeds.values()]).mean()
        for variant, seeds in found.items()
    }
    ends = ", ".join(f"{name} to {decimal(mean.iloc[-1])}" for name, mean in means.items())
    text = f"the mean slope changed from {ends}."
    if len(means) == 1:
        return text
    before, after = (np.ptp([mean.iloc[place] for mean in means.values()]) for place in (0, -1))
    kept = f"the final means still span {percent(after / before)} of the range of the initial values"
    return f"{text} In these runs, {kept} ({decimal(after)} of {decimal(before)})."


def _looks(number: int) -> list[style.Look]:
    """Return a colour and a marker for each of `number` initial values, from the smallest to the largest."""
    colours = colormaps[style.DEPTH_MAP](np.linspace(*style.DEPTH_RANGE, number))
    return [style.Look(to_hex(c), "-", marker) for c, marker in zip(colours, _MARKERS, strict=False)]
