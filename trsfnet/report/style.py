"""The common style of all figures: colours by variant, fonts, and a text colour that follows the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from trsfnet.experiments.variants import VARIANTS, Variant

# Colour of text, axes and grid. The book replaces it with the page's text colour, so that figures stay
# readable in dark mode; elsewhere it remains nearly black.
INK = "#1b1f24"

_BLUE, _ORANGE, _GREEN, _, _PINK, _BROWN, _, _GREY = sns.color_palette("colorblind").as_hex()[:8]

# Colours of modules from input to output, ordered by lightness. The range omits the ends of the map, which
# are hard to see on black or white.
DEPTH_MAP = "viridis"
DEPTH_RANGE = (0.25, 0.82)

POSITIVE, NEGATIVE = _BLUE, _ORANGE

FIGURE_WIDTH = 8.0  # inches


@dataclass(frozen=True)
class Look:
    """The drawing style of a variant; among the paper's, dashed for fixed scales and solid for TRSF.

    Attributes:
        colour: colour of lines and markers.
        dashes: matplotlib line style.
        marker: matplotlib marker.
    """

    colour: str
    dashes: str
    marker: str


# Keys: activation, and whether the scales are trained.
_LOOKS = {
    ("relu", False): Look(_GREY, "--", "o"),
    ("relu", True): Look(_BLUE, "-", "o"),
    ("leaky_relu", False): Look(_BROWN, "--", "s"),
    ("leaky_relu", True): Look(_ORANGE, "-", "s"),
    ("prelu", False): Look(_PINK, "--", "^"),
    ("prelu", True): Look(_GREEN, "-", "^"),
}
_OTHER = Look(_BLUE, "-", "o")


def look(variant: str) -> Look:
    """Return the look of a variant such as `v1-trsf-prelu`; it is independent of architecture and loss."""
    known = VARIANTS.get(variant)
    if known is None:
        return _OTHER
    # Without constants or initial values of its own.
    usual = Variant(arch=known.arch, trsf=known.trsf, activation=known.activation, loss=known.loss)
    return _LOOKS[known.activation, known.trsf] if known == usual else _OTHER


@contextmanager
def panels(rows: int, columns: int, height: float, **options: Any) -> Iterator[tuple[Figure, np.ndarray]]:
    """Create a figure and its axes, an array [rows, columns], to be drawn on within this context.

    Args:
        rows: number of rows of panels.
        columns: number of columns of panels.
        height: height of the figure in inches.
        options: options of `plt.subplots`, such as `sharey`. The width is `FIGURE_WIDTH` unless `figsize` is
            given.
    """
    with applied():
        options = {"figsize": (FIGURE_WIDTH, height), **options}
        yield plt.subplots(rows, columns, squeeze=False, **options)


@cache
def _load_backend() -> None:
    """Load the plotting backend once, outside any context that restores settings.

    Jupyter's backend turns on the interactive mode when it is loaded. If a context turned it off again, cells
    would not show later figures.
    """
    plt.switch_backend(mpl.get_backend())


@contextmanager
def applied() -> Iterator[None]:
    """Apply the project's matplotlib style within this context."""
    ink: dict[Any, Any] = {
        key: INK
        for key in (
            "text.color",
            "axes.labelcolor",
            "axes.edgecolor",
            "axes.titlecolor",
            "xtick.color",
            "ytick.color",
            "grid.color",
        )
    }
    _load_backend()
    with mpl.rc_context():
        sns.set_theme(context="notebook", style="ticks", palette="colorblind")
        mpl.rcParams.update(
            ink
            | {
                "font.size": 11,
                "axes.titlesize": 11,
                "axes.labelsize": 11,
                "xtick.labelsize": 10,
                "ytick.labelsize": 10,
                "legend.fontsize": 10,
                "legend.frameon": False,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.grid": True,
                "grid.alpha": 0.18,
                "lines.linewidth": 1.8,
                "figure.constrained_layout.use": True,
                # Rows of panels, and labels of axes beside the next panel, would otherwise touch.
                "figure.constrained_layout.h_pad": 0.1,
                "figure.constrained_layout.w_pad": 0.08,
                # Keep text as text: searchable, accessible to screen readers, in the reader's fonts.
                "svg.fonttype": "none",
                # Make the SVG reproducible: equal records give equal bytes.
                "svg.hashsalt": "trsfnet",
                # A fixed position: matplotlib would otherwise measure all ticks to look for some at the top.
                "axes.titley": 1.0,
            }
        )
        yield
