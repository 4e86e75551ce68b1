"""The numbers that a figure plots, as CSV, so that others can plot them again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer, Container, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

HEADER = ("panel", "series", "x", "y")


def drawn_numbers(figure: Figure) -> str:
    """Return the plotted numbers as CSV: a row per line vertex (in order), marker, heat map cell or bar.

    Columns: `panel`, the title or axis label of the panel; `series`, its label, or the value of
    a heat map cell; `x` and `y`, in the units of the axes, or the tick label if the ticks are words.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for axes in figure.axes:
        panel = axes.get_title() or axes.get_ylabel() or axes.get_xlabel()
        names = [_words(axes, which) for which in ("x", "y")]
        for series, x, y in _points(axes):
            writer.writerow((panel, series, _written(x, names[0]), _written(y, names[1])))
    return text.getvalue()


def _points(axes: Axes) -> Iterator[tuple[str, float, float]]:
    named = {_look(line): _name(line) for line in axes.lines if not str(line.get_label()).startswith("_")}
    bars_of = {part.lines[0]: part for part in axes.containers if isinstance(part, ErrorbarContainer)}
    for line in axes.lines:
        # A line without a label has the name of the one that looks like it, as for readers of the legend.
        name = _name(bars_of.get(line, line)) or named.get(_look(line), "")
        for x, y in np.column_stack([np.asarray(part, float) for part in line.get_data(orig=False)]):
            yield name, x, y
    for marks in axes.collections:
        if isinstance(marks, PathCollection):
            for x, y in np.asarray(marks.get_offsets()):
                yield _name(marks), x, y
    for image in axes.images:
        values: np.ndarray = np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan)
        # Skip RGB images, which have no values to tabulate.
        for (row, column), value in np.ndenumerate(values) if values.ndim == 2 else ():
            yield f"{value:.6g}", column, row
    for bars in axes.containers:
        if not isinstance(bars, BarContainer):
            continue
        for bar in bars.patches:
            name = _name(bars)
            if bars.orientation == "horizontal":
                yield name, bar.get_width(), bar.get_y() + bar.get_height() / 2
            else:
                yield name, bar.get_x() + bar.get_width() / 2, bar.get_height()


def _name(drawn: Artist | Container) -> str:
    """Return the label of what was drawn; it starts with `_` if the legend leaves it out."""
    label = str(drawn.get_label())
    return "" if label.startswith(("_child", "_nolegend_")) else label.lstrip("_")


def _look(line: Line2D) -> tuple[str, str, str]:
    """Return colour, dashes and marker of a line."""
    return to_hex(line.get_color()), str(line.get_linestyle()), str(line.get_marker())


def _words(axes: Axes, which: str) -> dict[float, str]:
    """Return the tick labels of an axis, by position."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    texts = [label.get_text() for label in axis.get_ticklabels()]
    positions = axis.get_ticklocs()
    return {} if len(texts) != len(positions) else dict(zip(map(float, positions), texts, strict=True))


def _written(value: float, words: dict[float, str]) -> str:
    text = words.get(float(value), "")
    # Numeric tick labels, such as 20 %, are less exact than the number.
    return text if any(c.isalpha() for c in text) else f"{value:.6g}"
