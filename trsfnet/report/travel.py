"""Slopes, scales and branches by travel: how our schedules compare with the paper's."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter

from trsfnet.analysis import Analysis
from trsfnet.analysis.mechanism import RATIOS
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.analysis.reach import paper_regime
from trsfnet.experiments.budgets import LONG_STUDIES
from trsfnet.experiments.variants import short_name, variant_of
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, captioned, picture, table
from trsfnet.report.figures import visible_colours
from trsfnet.report.names import TRACKS, name_of_campaign
from trsfnet.text import joined, percent

_PANELS = {
    "negative_slopes": ("Negative slopes", "slope_share_negative"),
    "scale": ("Mean magnitude of scales", "scale_magnitude"),
    "ratio": ("‖branch‖ / ‖trunk‖", None),
}
"""Label of each panel's axis, and the quantity whose published values belong in it."""

_MARKERS = {("synthetic", "v1"): "o", ("synthetic", "v2"): "s", ("lfw", "v1"): "^", ("lfw", "v2"): "v"}
_BUDGETS = LogNorm(0.05, 15)
_NOTHING = "No run with the paper's initial values has finished yet."


def travel_figure(found: Analysis) -> Picture | Markdown:
    """Plot negative slopes, scales and residual ratios by travel, with the paper's values."""
    reached = found.by_travel
    if reached.empty:
        return Markdown(_NOTHING)
    with style.panels(1, 3, 4.0, figsize=(1.25 * style.FIGURE_WIDTH, 4.0)) as (figure, (axes,)):
        for panel, (name, (label, quantity)) in zip(axes, _PANELS.items(), strict=True):
            _courses(panel, reached, name)
            _points(panel, reached, name)
            if quantity:
                values = list(QUANTITIES[quantity].published().values())
                where = [paper_regime().travel] * len(values)
                panel.plot(where, values, "*", color=style.INK, markersize=9, label="The paper")
            panel.set(xscale="log", xlim=(40, 20_000), xlabel="Travel τ", ylabel=label)
            panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            panel.xaxis.set_minor_formatter(NullFormatter())
        axes[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        bar = figure.colorbar(ScalarMappable(_BUDGETS, visible_colours()), ax=axes.tolist(), fraction=0.03)
        bar.set_label("Decay budget κ")
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        keys = {t: h for p in axes for h, t in zip(*p.get_legend_handles_labels(), strict=True)}
        figure.legend(keys.values(), keys.keys(), loc="outside lower center", ncols=3)
    finding = _finding(reached)
    return picture(
        figure,
        alt=f"Three panels by travel: negative slopes, scales and residual ratio. {finding}",
        caption=(
            f"{finding} Each point is the mean over the runs of one variant with one schedule; its colour is "
            "the decay budget. Lines join the points of long runs, which are shown at the end of the first "
            "epoch that completes each tenth of their travel, with the decay budget reached by then. Scales "
            "and ratios are those of variants with TRSF; next to our means of magnitudes, the stars are the "
            f"paper's plain means.{_other_means(reached)} The paper gives no residual ratios."
        ),
    )


def _courses(panel: Axes, reached: pd.DataFrame, name: str) -> None:
    """Join the points of each variant of a study on the length of training."""
    long = reached[reached["budget"].isin(LONG_STUDIES)].dropna(subset=[name])
    for (budget, variant), course in long.groupby(["budget", "variant"]):
        panel.plot(
            course["travel"],
            course[name],
            color=style.INK,
            linewidth=0.8,
            alpha=0.5,
            zorder=0,
            label=f"_{short_name(str(variant))}, {budget}",
        )


def _points(panel: Axes, reached: pd.DataFrame, name: str) -> None:
    for (track, arch), marker in _MARKERS.items():
        shown = reached[(reached["track"] == track) & (reached["arch"] == arch)].dropna(subset=[name])
        if len(shown):
            panel.scatter(
                shown["travel"],
                shown[name],
                c=shown["decay_budget"].clip(lower=_BUDGETS.vmin),
                norm=_BUDGETS,
                cmap=visible_colours(),
                marker=marker,
                s=28,
                label=f"{TRACKS[track]}, {arch}",
            )


def _finding(reached: pd.DataFrame) -> str:
    """State the shares of negative slopes at the smallest and the largest travel, next to the paper's."""
    slopes = reached.dropna(subset=["negative_slopes"])
    paper = paper_regime().travel
    published = list(QUANTITIES["slope_share_negative"].published().values())
    papers = f"in the paper {percent(min(published))} to {percent(max(published))} at {paper:,.0f}"
    if slopes.empty:
        return f"No run with PReLU has finished; the share of slopes that end negative is {papers}."
    parts = []
    for travel in sorted({slopes["travel"].min(), slopes["travel"].max()}):
        shares = slopes.loc[slopes["travel"] == travel, "negative_slopes"]
        span = percent(shares.min())
        if shares.max() > shares.min():
            span = f"{span} to {percent(shares.max())}"
        parts.append(f"{span} at a travel of {travel:,.0f}")
    return f"The share of slopes that end negative is {joined([*parts, papers])}."


def _other_means(reached: pd.DataFrame) -> str:
    """Compare the averages of the residual ratios over modules, in a sentence with a leading space."""
    shown = reached.dropna(subset=["ratio"])
    if shown.empty:
        return ""
    others = shown[["ratio_geometric", "ratio_median"]].div(shown["ratio"], axis=0)
    geometric, median = (f"{others[name].min():.2g} to {others[name].max():.2g}" for name in others)
    return (
        " Ratios are arithmetic means over modules; at the same points, the geometric means are "
        f"{geometric} times and the medians {median} times as large."
    )


def travel_table(found: Analysis) -> Markdown | None:
    """Tabulate the points of the figure; None without any."""
    reached = found.by_travel
    if reached.empty:
        return None
    shown = reached.dropna(subset=["negative_slopes", "scale"], how="all")
    rows = [
        (
            name_of_campaign(row["track"], f"{row['budget']} budget"),
            variant_of(row["variant"]).short_name,
            f"{row['travel']:,.0f}",
            f"{row['decay_budget']:.3g}",
            "–" if pd.isna(row["negative_slopes"]) else percent(row["negative_slopes"]),
            *("–" if pd.isna(row[name]) else f"{row[name]:.3g}" for name in ("scale", *RATIOS)),
            str(row["runs"]),
        )
        for row in shown.to_dict("records")
    ]
    header = (
        "Budget",
        "Variant",
        "Travel",
        "κ",
        "Negative slopes",
        "Mean |s|",
        "Ratio, arithmetic mean",
        "Geometric mean",
        "Median",
        "Runs",
    )
    caption = "Slopes, scales and branches by travel."
    if stages := [budget for budget in LONG_STUDIES if budget in set(shown["budget"])]:
        budgets = f"{'budget' if len(stages) == 1 else 'budgets'} {joined(stages)}"
        caption += f" Rows of the {budgets} are stages of the same runs."
    return Markdown(captioned(caption, "table-travel", table(header, rows)))
