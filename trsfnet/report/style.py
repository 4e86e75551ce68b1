"""The one look of every figure: colours by variant, fonts, and an ink that follows the page's theme."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from trsfnet.experiments.variants import VARIANTS

# Text, axes and grid. The book replaces it by the page's own text colour, so that figures stay readable in
# dark mode; elsewhere it is a near black on white.
INK = "#1b1f24"

_BLUE, _ORANGE, _GREEN, _, _PINK, _BROWN, _, _GREY = sns.color_palette("colorblind").as_hex()[:8]

# Modules from input to output: ordered in lightness, without the ends that vanish on black or on white.
DEPTH_MAP = "viridis"
DEPTH_RANGE = (0.25, 0.82)

POSITIVE, NEGATIVE = _BLUE, _ORANGE

FIGURE_WIDTH = 8.0  # inches


@dataclass(frozen=True)
class Look:
    """How a variant is drawn. Fixed scales are dashed, TRSF is solid, so that colour is never alone."""

    colour: str
    dashes: str
    marker: str


# By activation and whether scales are trained.
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
    """The look of a variant such as `v1-trsf-prelu`, the same for every architecture and loss."""
    known = VARIANTS.get(variant)
    if known is None or known.trsf_per_channel or (known.scale_init, known.slope_init) != (None, None):
        return _OTHER
    return _LOOKS[known.activation, known.trsf]


@contextmanager
def panels(rows: int, columns: int, height: float, **options: Any) -> Iterator[tuple[Figure, np.ndarray]]:
    """A figure and its axes, [rows, columns], to be drawn on inside this context.

    Args:
        rows: of panels.
        columns: of panels.
        height: of the figure, in inches.
        options: of `plt.subplots`, such as `sharey`; the width is `FIGURE_WIDTH` unless `figsize` is given.
    """
    with applied():
        options = {"figsize": (FIGURE_WIDTH, height), **options}
        yield plt.subplots(rows, columns, squeeze=False, **options)


@contextmanager
def applied() -> Iterator[None]:
    """Draw in the project's style inside this context."""
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
                # Words stay words in the SVG: searchable, readable aloud, in the reader's own fonts.
                "svg.fonttype": "none",
                # Equal records give equal bytes.
                "svg.hashsalt": "trsfnet",
            }
        )
        yield
