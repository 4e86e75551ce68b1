"""The learned trainable residual scales (TRSF): the paper's figures 5, 6 and 7 for our tracks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from trsfnet.analysis.tables import TableRuns
from trsfnet.experiments.variants import short_name, variant_of
from trsfnet.models.recorded_names import recorded_names
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, picture
from trsfnet.report.figure_runs import FigureRuns, Values, final, seeds_in_words, shown_seeds
from trsfnet.report.figures import depth_bar, lines_by_depth
from trsfnet.text import decimal, percent

_MEAN = "mean over modules"


def over_training(tables: Sequence[TableRuns]) -> list[Picture | Markdown]:
    """Plot the scale of every module over the epochs, a row for each table (the paper's figure 5).

    Args:
        tables: tables 1 and 2 of one track.
    """
    return FigureRuns(tables, 5).first_and_further("trsf", "Every scale over training", _trajectories)


def _trajectories(of: FigureRuns, shown: Values) -> Picture:
    rows = [[v for v in shown if variant_of(v).arch == arch] for arch in ("v1", "v2")]
    rows = [row for row in rows if row]
    height = 0.5 + 2.8 * len(rows)
    with style.panels(len(rows), max(map(len, rows)), height, sharey=True) as (figure, axes):
        for panels, variants in zip(axes, rows, strict=True):
            for panel, variant in zip(panels, variants, strict=False):
                for table in shown[variant].values():
                    lines_by_depth(panel, table)
                panel.set_title(short_name(variant))
            for panel in panels[len(variants) :]:
                panel.set_axis_off()
            panels[0].set_ylabel("TRSF")
            first, last = (recorded_names(variant_of(variant).arch)[table.columns[end]] for end in (0, -1))
            depth_bar(figure, panels.tolist(), ends=(first.label, last.label), label=first.series)
    finding = _spread(shown)
    return picture(
        figure,
        alt=f"Lines of the scale of every module over the epochs, a panel per variant: {finding}",
        caption=f"{of.opening}, {shown_seeds(shown)}: {finding} One line per module and seed.{of.missing}",
    )


def _spread(shown: Values) -> str:
    """State how the scales of all variants spread during training: their magnitudes and signs."""
    start, end = (
        {v: pd.concat([t.iloc[place] for t in seeds.values()]) for v, seeds in shown.items()}
        for place in (0, -1)
    )
    means = {variant: values.abs().mean() for variant, values in end.items()}
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    first, last = pd.concat(start.values()), pd.concat(end.values())
    ends = f"at {decimal(means[low])} ({short_name(low)})"
    if low != high:
        ends = f"between {ends[3:]} and {decimal(means[high])} ({short_name(high)})"
    return (
        f"the mean magnitude starts at {decimal(first.abs().mean())} and ends {ends}; "
        f"{percent(float((last < 0).mean()))} of the scales end negative."
    )


def after_training(table: TableRuns, number: int) -> Picture | Markdown:
    """Plot the scale of every module after training, a panel per variant (the paper's figure 6; for v2, 7).

    Args:
        table: table 1, or table 2 for figure 7.
        number: number of the paper's figure.
    """
    of = FigureRuns([table], number)
    found = of.learned("trsf")
    if not found:
        return of.nothing
    names = next(iter(final(found).values())).columns
    height = 1.2 + 0.21 * len(names)
    with style.panels(1, len(found), height, sharex=True, sharey=True) as (figure, (axes,)):
        for panel, (variant, ends) in zip(axes, final(found).items(), strict=True):
            _modules(panel, variant, ends)
            start = next(iter(found[variant].values())).iloc[0].mean()
            panel.axvline(start, color=style.INK, linestyle=":", linewidth=1.2)
        axes[0].set_yticks(range(len(names) + 1), [*names, _MEAN], fontsize=8)
        axes[0].set_ylim(len(names) + 0.6, -0.6)
    finding = _finding(final(found))
    return picture(
        figure,
        alt=f"The scale of every module after training, a row per module, a panel per variant. {finding}",
        caption=(
            f"{of.opening}: {finding} One point per module and seed; dotted line: "
            f"the initial value. {seeds_in_words(found)}.{of.missing}"
        ),
    )


def _modules(axes: Axes, variant: str, ends: pd.DataFrame) -> None:
    """Draw a row for each module and one for the mean over modules, with a point for each seed."""
    look = style.look(variant)
    rows = ends.assign(**{_MEAN: ends.mean(axis=1)})
    for _, seed in rows.iterrows():
        axes.plot(seed, np.arange(len(seed)), look.marker, color=look.colour, alpha=0.7, markersize=5)
    axes.axvline(0, color=style.INK, linewidth=0.8)
    axes.axhline(len(ends.columns) - 0.5, color=style.INK, linewidth=0.8)
    axes.set(title=short_name(variant), xlabel="TRSF after training")


def _finding(ends: dict[str, pd.DataFrame]) -> str:
    """State where all scales end, and how many lie between 0.6 and 1.3, as most of the paper's do."""
    values = np.concatenate([end.to_numpy(float).ravel() for end in ends.values()])
    inside = (np.abs(values) >= 0.6) & (np.abs(values) <= 1.3)
    return (
        f"the scales end between {decimal(values.min())} and {decimal(values.max())}, at a mean magnitude of "
        f"{decimal(np.abs(values).mean())}; {percent(inside.mean())} of them have a magnitude between 0.6 "
        "and 1.3, where the paper finds most."
    )
