"""Figures on the meaning of a scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from trsfnet.analysis.branches import Branches, BranchRuns
from trsfnet.analysis.tables import TableRuns
from trsfnet.experiments.variants import short_name, variant_of
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, picture
from trsfnet.report.figures import depth_bar, epoch_axis, legend_below, mean_over_seeds
from trsfnet.report.names import TRACKS, runs_in_words
from trsfnet.text import capitalised, counted, joined, significant

_LABELS = {
    "scale": "Scale |s|",
    "kernel": "Kernel norm ‖W‖",
    "product": "|s| ‖W‖",
    "ratio": "‖branch‖ / ‖trunk‖",
}
_KINDS = {False: "constants", True: "TRSF"}


def same_product(table: TableRuns) -> Picture | Markdown:
    """Plot the scale of each module against its kernel norm, from start to end.

    Dashed lines connect points with an equal product, which describe the same function.
    """
    runs = table.branches
    if not runs.by_variant:
        return _nothing(table)
    shown = next(iter(runs.pairs), tuple(runs.by_variant)[:1])
    first = {v: runs.by_variant[v][min(runs.by_variant[v])] for v in shown}
    with style.panels(1, len(shown), 4.0, sharex=True, sharey=True) as (figure, (axes,)):
        for panel, (variant, found) in zip(axes, first.items(), strict=True):
            _paths(panel, found)
            panel.set(title=short_name(variant), xlabel=_LABELS["kernel"])
        for panel in axes:
            _equal_products(panel, list(first.values()))
        axes[0].set_ylabel(_LABELS["scale"])
        depth_bar(figure, axes.tolist())
    moved = "; ".join(f"{short_name(variant)}, {_moved(runs, variant)}" for variant in shown)
    caption = (
        f"{capitalised(runs_in_words(table))}, first seed: one thin line per module from the start of "
        "training (ring) to its end (dot). A line dips where its scale passes near 0, as on the way to the "
        "other sign. Moving a module along a dashed line does not change what the network computes. "
        f"Geometric means over modules, averaged over {_seeds({v: runs.by_variant[v] for v in shown})}: "
        f"{moved}."
    )
    alt = f"Scale of each module over the norm of its kernel, with lines of equal product. {moved}."
    return picture(figure, alt=alt, caption=caption)


def _paths(panel: Axes, found: Branches) -> None:
    colours = colormaps[style.DEPTH_MAP](np.linspace(*style.DEPTH_RANGE, found.scale.shape[1]))
    for module, colour in zip(found.scale, colours, strict=True):
        kernel, scale = found.kernel[module], found.scale[module]
        panel.plot(kernel, scale, color=colour, linewidth=0.6, alpha=0.35)
        panel.plot(kernel.iloc[0], scale.iloc[0], "o", color=colour, markersize=6, fillstyle="none")
        panel.plot(kernel.iloc[-1], scale.iloc[-1], "o", color=colour, markersize=5)
    panel.set_yscale("log")


def _equal_products(panel: Axes, shown: list[Branches]) -> None:
    """Draw lines of equal product, at powers of 2, behind the points and without extending the axes."""
    products = np.concatenate([found.product.to_numpy().ravel() for found in shown])
    low, high = np.log2(products[products > 0].min()), np.log2(products.max())
    limits, y = panel.get_xlim(), panel.get_ylim()
    # The limits may include 0, where no product is constant.
    x = np.geomspace(max(limits[0], limits[1] / 1000), limits[1])
    for power in range(int(np.floor(low)) - 1, int(np.ceil(high)) + 2):
        panel.plot(x, 2.0**power / x, "--", color=style.INK, alpha=0.3, linewidth=0.8, zorder=0)
    panel.set(xlim=limits, ylim=y)
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _moved(runs: BranchRuns, variant: str) -> str:
    """State the factors by which the mean scale and kernel norm changed, averaged over seeds."""
    (before, scale), (norm, kernel) = (
        [float(np.mean(list(runs.geometric(variant, quantity, epoch).values()))) for epoch in (0, -1)]
        for quantity in ("scale", "kernel")
    )
    if not before:
        return f"|s| changed from 0 to {significant(scale)}"
    return (
        f"|s| ended at {significant(scale / before)} and ‖W‖ at {significant(kernel / norm)} times its "
        "initial value"
    )


def final_ratios(table: TableRuns) -> Picture | None:
    """Plot the ratio of branch to trunk after training, for constants and TRSF."""
    runs = table.branches.by_variant
    if not runs:
        return None
    by_activation: dict[str, list[str]] = {}
    for variant in runs:
        by_activation.setdefault(replace(variant_of(variant), trsf=False).key, []).append(variant)
    with style.panels(1, len(by_activation), 3.8, sharey=True) as (figure, (axes,)):
        for panel, (fixed, variants) in zip(axes, by_activation.items(), strict=True):
            for variant in variants:
                _by_module(panel, variant, list(runs[variant].values()))
            panel.set(title=short_name(fixed), xlabel="Module, from input to output", yscale="log")
            panel.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes[0].set_ylabel(f"{_LABELS['ratio']} after training")
        # Each panel has colours of its own, so the legend has none.
        dashes = {variant_of(variant).trsf: style.look(variant).dashes for variant in runs}
        lines = [axes[0].plot([], [], dashes[trsf], color=style.INK)[0] for trsf in sorted(dashes)]
        labels = [_KINDS[trsf] for trsf in sorted(dashes)]
        figure.legend(lines, labels, loc="outside lower center", ncols=len(lines), handlelength=3)
    means = [f"{short_name(v)} {significant(_mean_ratio(found))}" for v, found in runs.items()]
    caption = (
        f"Effective residual ratio of each module ({runs_in_words(table)}). Lines are means over "
        f"{_seeds(runs)}; thin lines are seeds, which dip where a scale ends near 0. Geometric means over "
        f"modules: {joined(means)}."
    )
    alt = (
        f"Norm of each scaled branch over that of its trunk, by module, for each activation. {joined(means)}."
    )
    return picture(figure, alt=alt, caption=caption)


def _by_module(panel: Axes, variant: str, seeds: list[Branches]) -> None:
    look = style.look(variant)
    ends = pd.concat([found.ratio.iloc[-1] for found in seeds], axis=1)
    if len(seeds) > 1:
        panel.plot(ends, color=look.colour, linewidth=0.6, alpha=0.5)
    label = _KINDS[variant_of(variant).trsf]
    panel.plot(
        ends.mean(axis=1), look.dashes, color=look.colour, marker=look.marker, markersize=4, label=label
    )


def _mean_ratio(runs: dict[int, Branches]) -> float:
    return float(np.mean([found.means["ratio"].iloc[-1] for found in runs.values()]))


def _seeds(runs: Mapping[str, Mapping[int, Branches]]) -> str:
    numbers = sorted({len(found) for found in runs.values()})
    low, high = numbers[0], numbers[-1]
    return counted(low, "finished seed") if low == high else f"{low} to {high} finished seeds"


def over_training(table: TableRuns) -> Picture | None:
    """Plot scale, kernel norm and ratio over the epochs: geometric means over modules, a line per variant."""
    runs = table.branches.by_variant
    if not runs:
        return None
    quantities = ("scale", "kernel", "ratio")
    with style.panels(1, len(quantities), 3.8) as (figure, (axes,)):
        for panel, quantity in zip(axes, quantities, strict=True):
            for variant, found in runs.items():
                seeds = pd.concat([b.means[quantity] for b in found.values()], axis=1)
                mean_over_seeds(panel, seeds, short_name(variant), style.look(variant))
            panel.set(title=_LABELS[quantity], ylim=(0, 1.06 * panel.dataLim.y1))
            epoch_axis(panel)
        axes[0].set_ylabel("Geometric mean over modules")
        legend_below(figure, axes[0])
    finding = joined([f"{short_name(variant)} {_from_to(found)}" for variant, found in runs.items()])
    caption = (
        f"Scale, norm of its kernel and residual ratio ({runs_in_words(table)}): means over "
        f"{_seeds(runs)}. The ratio changed in {finding}."
    )
    alt = f"Three panels over the epochs: scale, kernel norm, residual ratio. The ratio changed in {finding}."
    return picture(figure, alt=alt, caption=caption)


def _from_to(runs: dict[int, Branches]) -> str:
    ratios = pd.concat([found.means["ratio"] for found in runs.values()], axis=1).mean(axis=1)
    return f"from {significant(ratios.iloc[0])} to {significant(ratios.iloc[-1])}"


def _nothing(table: TableRuns) -> Markdown:
    """Explain why a table has no such runs, in place of its first figure; its other figures are omitted."""
    arch = variant_of(table.baseline).arch
    if any(run.done for run in table.runs):
        return Markdown(
            f"The finished runs of {arch} on {TRACKS[table.track]} were made before residual ratios "
            "were recorded."
        )
    return Markdown(f"No run of {arch} on {TRACKS[table.track]} has finished yet.")
