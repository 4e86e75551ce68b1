"""The learned slopes of PReLU: the paper's figures 8, 9 and 10 for our tracks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from trsfnet.analysis.run import Run
from trsfnet.analysis.tables import TableRuns
from trsfnet.experiments.variants import short_name, variant_of
from trsfnet.models.recorded_names import RecordedName, recorded_names
from trsfnet.paper.numbers import paper_figure
from trsfnet.report import style
from trsfnet.report.card_links import runs_popover
from trsfnet.report.display import Markdown, Picture, captioned, picture
from trsfnet.report.display import table as markdown_table
from trsfnet.report.figure_runs import FigureRuns, Values, final, seeds_in_words, shown_seeds, signs, span
from trsfnet.report.figures import epoch_axis, legend_below
from trsfnet.report.names import TRACKS
from trsfnet.report.run_state import finished_or_all
from trsfnet.text import NBSP, capitalised, counted, decimal, joined

SHOWN = 9
"""Number of slopes drawn over training, evenly spaced over the network; a multiple of 3."""


def over_training(table: TableRuns) -> list[Picture | Markdown]:
    """Plot the slopes of a few modules over the epochs, for one version (the paper's figure 8)."""
    of = FigureRuns([table], 8)
    arch = variant_of(next(iter(of.runs))).arch
    return of.first_and_further("slope", f"Slopes of {arch} over training", _trajectories)


def _trajectories(of: FigureRuns, shown: Values) -> Picture:
    arch = variant_of(next(iter(shown))).arch
    names = next(iter(final(shown).values())).columns
    chosen = names[np.linspace(0, len(names) - 1, SHOWN).round().astype(int)]
    with style.panels(SHOWN // 3, 3, 5.6, sharex=True, sharey=True) as (figure, axes):
        for panel, name in zip(axes.flat, chosen, strict=True):
            for variant, seeds in shown.items():
                _slope_lines(panel, variant, [table[name] for table in seeds.values()])
            panel.axhline(0, color=style.INK, linewidth=0.8)
            panel.set_title(name, fontsize=8)
        for panel in axes[-1]:
            epoch_axis(panel)
        for panel in axes[:, 0]:
            panel.set_ylabel("Slope α")
        legend_below(figure, axes.flat[0])
    finding = " ".join(_below_zero(variant, ends[chosen]) for variant, ends in final(shown).items())
    return picture(
        figure,
        alt=f"Lines of {SHOWN} slopes over the epochs, a panel for each slope. {finding}",
        caption=(
            f"{of.opening}, {arch}, {shown_seeds(shown)}: {finding} Of the {len(names)} slopes, these "
            f"{SHOWN} are evenly spaced from input to output.{of.missing}"
        ),
    )


def _slope_lines(axes: Axes, variant: str, seeds: list[pd.Series]) -> None:
    look = style.look(variant)
    for i, slope in enumerate(seeds):
        label, width = "" if i else short_name(variant), 1.8 if len(seeds) == 1 else 1
        axes.plot(slope, look.dashes, color=look.colour, linewidth=width, label=label)


def _below_zero(variant: str, ends: pd.DataFrame) -> str:
    """State how many of the drawn slopes ended negative in each seed."""
    below = (ends < 0).sum(axis=1)
    verb = "ends" if below.tolist() == [1] else "end"
    # The caption names the seed if there is only one.
    seeds = [f" (seed {seed})" if len(below) > 1 else "" for seed in below.index]
    numbers = joined([f"{number}{seed}" for number, seed in zip(below, seeds, strict=True)])
    return f"In {short_name(variant)}, {numbers} of these {ends.shape[1]} slopes {verb} below zero."


def after_training(table: TableRuns, number: int) -> Picture | Markdown:
    """Plot every slope after training, from input to output (the paper's figure 9; for v2, 10).

    There is a panel for each variant.

    Args:
        table: table 1, or table 2 for figure 10.
        number: number of the paper's figure.
    """
    of = FigureRuns([table], number)
    found = of.learned("slope")
    if not found:
        return of.nothing
    height = 1.4 + 1.9 * len(found)
    with style.panels(len(found), 1, height, sharex=True, sharey=True) as (figure, axes):
        for panel, (variant, ends) in zip(axes[:, 0], final(found).items(), strict=True):
            _signed_points(panel, ends)
            panel.set(title=short_name(variant), ylabel="Slope α")
        variant, ends = next(iter(final(found).items()))
        _name_parts(axes[-1, 0], [recorded_names(variant_of(variant).arch)[name] for name in ends.columns])
        legend_below(figure, axes[0, 0])
    finding = " ".join(_finding(variant, ends) for variant, ends in final(found).items())
    return picture(
        figure,
        alt=f"Every slope after training, from input to output, a panel per variant. {finding}",
        caption=(
            f"{of.opening}: {finding} One point per slope and seed; {seeds_in_words(found)}.{of.missing}"
        ),
    )


def _signed_points(axes: Axes, ends: pd.DataFrame) -> None:
    modules = np.arange(1, ends.shape[1] + 1)
    for i, (_, seed) in enumerate(ends.iterrows()):
        for sign, colour, marker, label in (
            (seed >= 0, style.POSITIVE, "o", "positive"),
            (seed < 0, style.NEGATIVE, "v", "negative"),
        ):
            look = {"color": colour, "markersize": 4, "alpha": 0.8}
            axes.plot(modules[sign], seed[sign], marker, label="" if i else label, **look)
    axes.axhline(0, color=style.INK, linewidth=0.8)


def _name_parts(axes: Axes, slopes: Sequence[RecordedName]) -> None:
    """Label some modules of the network, such as `v1.reduction-a`, at the position of their first slope."""
    parts = [slope.label for slope in slopes]
    firsts = [(part, parts.index(part) + 1) for part, _ in groupby(parts)]
    shown = firsts[:: max(1, len(firsts) // 10)]
    axes.set_xticks([place for _, place in shown], [part for part, _ in shown], rotation=40, ha="right")
    axes.set_xlabel(f"{slopes[0].series} …, from input to output")


def _finding(variant: str, ends: pd.DataFrame) -> str:
    """State how many slopes ended positive and negative: the mean over seeds, and the range by seed."""
    negative = (ends < 0).sum(axis=1)
    total, mean = ends.shape[1], negative.mean()
    if len(ends) == 1:
        return f"{short_name(variant)} has {total - int(mean)} positive and {int(mean)} negative slopes."
    return (
        f"{short_name(variant)} has {decimal(total - mean, 1)} positive and {decimal(mean, 1)} negative "
        f"slopes on average over seeds (negative per seed: {span([str(n) for n in sorted(negative)])})."
    )


def signs_table(tables: Sequence[TableRuns], number: int) -> Markdown:
    """Compare the counts in the caption of the paper's figure 9 (for v2, 10) with those of our runs.

    Args:
        tables: table 1 on each track, or table 2 for figure 10.
        number: number of the paper's figure.
    """
    papers = paper_figure(number)
    rows = [
        (
            short_name(variant),
            f"{counts['positive']}{NBSP}/{NBSP}{counts['negative']}",
            *(_by_seed(table, variant) for table in tables),
        )
        for variant, counts in papers.cells.items()
    ]
    header = ("Variant", "Paper", *(capitalised(TRACKS[table.track]) for table in tables))
    caption = f"Positive / negative slopes at the end: the paper's (figure {number}) and our mean over seeds."
    return Markdown(captioned(caption, f"slope-signs-{number}", markdown_table(header, rows)))


def _by_seed(table: TableRuns, variant: str) -> str:
    """Return the mean counts over runs, with a popover that lists the counts of each run."""
    runs = table.cells[variant]
    if not runs:
        return "not run"
    ends = [run.learned["slope"].iloc[-1] for run in finished_or_all(runs) if "slope" in run.learned]
    mean = _mean_signs(pd.DataFrame(ends)) if ends else "no epoch finished"
    entries = [(f"seed {run.seed}: {_signs_of(run)}", run) for run in runs]
    name = f"signs-{table.table}-{table.track}-{variant}"
    return f"{mean}, {runs_popover(name, entries, counted(len(runs), 'seed'))}"


def _mean_signs(ends: pd.DataFrame) -> str:
    negative = (ends < 0).sum(axis=1).mean()
    return f"{decimal(ends.shape[1] - negative, 1)}{NBSP}/{NBSP}{decimal(negative, 1)}"


def _signs_of(run: Run) -> str:
    slopes = run.learned.get("slope")
    return "no epoch finished" if slopes is None else signs(slopes.iloc[-1])
