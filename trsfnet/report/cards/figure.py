"""The figure of a card: small panels on the course of a run and its final state."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from trsfnet.analysis.run import Run
from trsfnet.report import style
from trsfnet.report.cards.evaluated import Evaluated
from trsfnet.report.display import Picture, picture
from trsfnet.report.figures import epoch_axis, lines_by_depth
from trsfnet.report.names import measure_name
from trsfnet.text import counted, percent

_COLUMNS = 3
_ROW_HEIGHT = 2.3  # inches
_BLUE, _ORANGE = style.POSITIVE, style.NEGATIVE

# The style of small panels.
_SMALL = {
    "axes.grid": False,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "legend.fontsize": 8,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
}

Panel = Callable[[Axes], None]


def figure(run: Run, scores: Evaluated | None) -> Picture | None:
    """Draw a panel for everything that a run's record contains; None if no epoch has finished.

    Args:
        run: the run.
        scores: its final evaluation, or None.
    """
    history = run.history
    if history.empty:
        return None
    values = run.learned
    panels: list[Panel] = [
        partial(_loss, history),
        partial(_shares, history, run),
        *_parameter_panels(values),
    ]
    if scores:
        panels.insert(2, partial(_score_panel, scores))
    rows = -(-len(panels) // _COLUMNS)
    height = _ROW_HEIGHT * rows
    with style.applied(_SMALL):
        # Fixed margins and few ticks: a constrained layout would double the time per card.
        drawn = Figure(figsize=(style.FIGURE_WIDTH, height), layout="none")  # type: ignore[arg-type]
        drawn.subplots_adjust(0.1, 0.5 / height, 0.99, 1 - 0.3 / height, wspace=0.45, hspace=0.6)
        for place, panel in enumerate(panels, start=1):
            axes = drawn.add_subplot(rows, _COLUMNS, place)
            axes.locator_params(nbins=4)
            panel(axes)
    caption = _caption(history, values, scores)
    # Without numbers, because a card links to the record.
    shown = picture(drawn, alt=_alt(history, run, values), caption=caption, with_numbers=False)
    return replace(shown, svg=rounded(shown.svg))


def rounded(svg: str) -> str:
    """Round the coordinates to tenths of a point, which makes the hundreds of drawings a third smaller."""
    places = r' (?:d|x|y|transform)="[^"]*"'
    return re.sub(places, lambda found: re.sub(r"(\.\d)\d+", r"\1", found[0]), svg)


def _parameter_panels(values: dict[str, pd.DataFrame]) -> list[Panel]:
    panels: list[Panel] = []
    if "trsf" in values:
        panels += [
            partial(_lines, values["trsf"], "TRSF of each block", "TRSF"),
            partial(_final_scales, values["trsf"]),
        ]
    if "ratio" in values:
        panels.append(partial(_lines, values["ratio"], "Residual ratio of each block", "‖branch‖ / ‖trunk‖"))
    if "slope" in values:
        panels += [
            partial(_bands, values["slope"]),
            partial(_final_slopes, values["slope"]),
        ]
    return panels


def _loss(history: pd.DataFrame, axes: Axes) -> None:
    axes.plot(history["epoch"], history["loss"], color=_BLUE, marker=_marker(history), markersize=3)
    axes.set(ylim=(0, None), ylabel="Nats")
    axes.set_title("Training loss")
    epoch_axis(axes)


def _shares(history: pd.DataFrame, run: Run, axes: Axes) -> None:
    """Draw the training accuracy, and the track's measures on unseen people."""
    names = {"train_accuracy": "training images"} | {name: measure_name(name) for name in run.measures}
    for (column, label), dashes in zip(names.items(), ("--", "-", ":"), strict=False):
        if column in history:
            axes.plot(
                history["epoch"], history[column], dashes, marker=_marker(history), markersize=3, label=label
            )
    axes.set(ylim=(0, 1.6), yticks=(0, 0.5, 1))  # room for the legend
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_title("Right answers")
    axes.legend(loc="upper left", handlelength=1.4, borderpad=0)
    epoch_axis(axes)


def _score_panel(scores: Evaluated, axes: Axes) -> None:
    bins = np.linspace(min(scores.impostor.min(), scores.genuine.min()), 1, 60)
    parts = (
        ("different people", scores.impostor, scores.impostor_pairs, _ORANGE),
        ("same person", scores.genuine, len(scores.genuine), _BLUE),
    )
    for label, cosines, pairs, colour in parts:
        share = np.histogram(cosines, bins)[0] / pairs
        axes.stairs(share, bins, fill=True, color=colour, alpha=0.55, label=label)
    if scores.threshold is not None:
        axes.axvline(scores.threshold, color=style.INK, linewidth=1, linestyle="--", label="threshold")
    if scores.impostor_pairs > len(scores.impostor):
        axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%" if share <= 1 else "")
    low, high = axes.get_ylim()
    top = high * (high / low) ** 0.6 if axes.get_yscale() == "log" else 1.6 * high  # room for the legend
    axes.set(xlabel="Cosine of a pair", ylim=(low, top))
    axes.set_title("Scores, share of pairs")
    axes.legend(loc="upper left", handlelength=1.4, borderpad=0)


def _lines(table: pd.DataFrame, title: str, label: str, axes: Axes) -> None:
    lines_by_depth(axes, table)
    axes.set(ylabel=label)
    axes.set_title(title)


def _bands(table: pd.DataFrame, axes: Axes) -> None:
    """Draw quantiles of the slopes over the epochs, because there would be hundreds of lines."""
    for low, high, alpha in ((0, 1, 0.15), (0.1, 0.9, 0.3)):
        bounds = table.quantile([low, high], axis=1)
        axes.fill_between(table.index, *bounds.to_numpy(), color=_BLUE, alpha=alpha, linewidth=0)
    axes.plot(table.median(axis=1), color=_BLUE)
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.set(ylabel="Slope α")
    axes.set_title("Slopes: range, 80 %, median")
    epoch_axis(axes)


def _final_scales(table: pd.DataFrame, axes: Axes) -> None:
    last = table.iloc[-1].to_numpy()
    axes.plot(np.arange(1, len(last) + 1), last, linestyle="", marker="o", markersize=3, color=_BLUE)
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.set(xlabel="Block, from input to output", ylabel="TRSF")
    axes.set_title("TRSF at the end")


def _final_slopes(table: pd.DataFrame, axes: Axes) -> None:
    last = table.iloc[-1].to_numpy()
    bins = np.histogram_bin_edges(np.append(last, 0), 30)
    for part, colour in ((last >= 0, _BLUE), (last < 0, _ORANGE)):
        axes.stairs(np.histogram(last[part], bins)[0], bins, fill=True, color=colour)
    axes.axvline(0, color=style.INK, linewidth=0.8)
    axes.set(xlabel="Slope α at the end", ylabel="Activations")
    axes.set_title("Slopes at the end")


def _marker(history: pd.DataFrame) -> str:
    return "o" if len(history) < 10 else ""


def _alt(history: pd.DataFrame, run: Run, values: dict[str, pd.DataFrame]) -> str:
    kinds = {"trsf": "residual scales", "ratio": "residual ratios", "slope": "slopes"}
    shown = [words for kind, words in kinds.items() if kind in values]
    parts = ", ".join(["loss", "accuracy", "verification", *shown])
    return f"{run.run_id}: {parts} over {counted(len(history), 'epoch')}, in small panels."


def _caption(history: pd.DataFrame, values: dict[str, pd.DataFrame], scores: Evaluated | None) -> str:
    """Summarise the panels in numbers."""
    first, last = history["loss"].iloc[0], history["loss"].iloc[-1]
    sentences = [f"The loss went from {first:.2f} in the first epoch to {last:.2f} in the last."]
    if "trsf" in values:
        ends = values["trsf"].iloc[[0, -1]].mean(axis=1)
        sentences.append(f"The scales went from {ends.iloc[0]:.2f} to {ends.iloc[1]:.2f} on average.")
    if "slope" in values:
        final = values["slope"].iloc[-1]
        sentences.append(f"{int((final < 0).sum())} of {len(final)} slopes ended below zero.")
    if scores:
        if scores.threshold is not None:
            accepted = float(np.mean(scores.genuine > scores.threshold))
            sentences.append(
                f"At one threshold for all pairs, a cosine of {scores.threshold:.2f}, {percent(accepted)} of "
                "same-person pairs and 1 in 1,000 of the others are accepted."
            )
        if scores.impostor_pairs > len(scores.impostor):
            sentences.append(
                f"Of {scores.impostor_pairs:,} different-person pairs, the {len(scores.impostor):,} most "
                "similar are drawn."
            )
    return " ".join(sentences)
