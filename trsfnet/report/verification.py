"""Verification curves as an SVG file, for one model or for two models on the same pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter

from trsfnet.data.files import replacing
from trsfnet.errors import DataError
from trsfnet.evaluation.bootstrap import Scores
from trsfnet.evaluation.curves import Roc, Similarities, roc, similarities
from trsfnet.evaluation.names import far_name
from trsfnet.report import style

# The false accept rate whose threshold is marked.
_FAR = 1e-3
_SIZE = (style.FIGURE_WIDTH, 3.9)  # inches
_COLOURS = (style.POSITIVE, style.NEGATIVE)
_DASHES = ("-", "--")
_FRR_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)


def draw(models: Sequence[tuple[str, Scores]], file: Path) -> None:
    """Write a figure as SVG: ROC and histogram of one model, or ROC and error trade-off (DET) of two models.

    Args:
        models: name and scores of at most two models on the same pairs.
        file: file to write.

    Raises:
        DataError: the file cannot be written.
    """
    curves = [(name, roc(scores)) for name, scores in models]
    with style.applied():
        figure = Figure(figsize=_SIZE)
        left, right = figure.subplots(1, 2)
        _roc_panel(left, curves)
        if len(models) == 1:
            _histogram(right, similarities(models[0][1]))
        else:
            _det_panel(right, curves)
        numbers = [str(number) for number in range(len(models))]
        legend = figure.legend(left.lines, numbers, loc="outside lower center", ncols=len(models))
        for text, (name, _) in zip(legend.get_texts(), models, strict=True):
            # As a label, a name would be left out if it began with _, and read as mathematics if it had a $.
            text.set(text=name, parse_math=False)
        try:
            with replacing(file) as aside:
                figure.savefig(aside, format="svg", facecolor="white", metadata={"Date": None})
        except OSError as error:
            raise DataError(f"Cannot write {file}: {error.strerror or error}.") from error


def _roc_panel(axes: Axes, curves: Sequence[tuple[str, Roc]]) -> None:
    for (_, curve), colour, dashes in zip(curves, _COLOURS, _DASHES, strict=False):
        axes.plot(curve.far, curve.tar, dashes, color=colour)
        if curve.low is not None and curve.high is not None:
            axes.fill_between(curve.far, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
    # The band may end before the curve.
    highest = max(
        values.max() for _, curve in curves for values in (curve.tar, curve.high) if values is not None
    )
    top = min(1, 1.05 * float(highest))
    axes.set(title="ROC, with intervals at 95 %", xlabel="FAR", ylabel="TAR", xscale="log", ylim=(0, top))
    axes.yaxis.set_major_formatter(PercentFormatter(1))


def _det_panel(axes: Axes, curves: Sequence[tuple[str, Roc]]) -> None:
    shown = []
    for (_, curve), colour, dashes in zip(curves, _COLOURS, _DASHES, strict=False):
        missed = 1 - curve.tar
        inside = (missed > 0) & (missed < 1)  # 0 and 1 lie at infinity on a logit scale
        axes.plot(curve.far[inside], missed[inside], dashes, color=colour)
        shown.append(missed[inside])
    axes.set(title="Error trade-off (DET)", xlabel="FAR", ylabel="FRR = 1 - TAR", xscale="log")
    low, high = np.concatenate(shown).min(initial=0.5), np.concatenate(shown).max(initial=0.5)
    axes.set_yscale("logit")
    axes.set_yticks([tick for tick in _FRR_TICKS if low / 2 <= tick <= (1 + high) / 2])
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g}%")  # not 100 for 99.9 %
    axes.yaxis.set_minor_locator(NullLocator())


def _histogram(axes: Axes, pairs: Similarities) -> None:
    """Draw the similarities of same-person and different-person pairs, and the threshold at FAR 1e-3."""
    everything = np.concatenate([pairs.genuine, pairs.impostor])
    bins = np.linspace(everything.min(), everything.max(), 61).tolist()
    kept = len(pairs.impostor) < pairs.impostor_pairs
    names = ("one person", "two people, the highest" if kept else "two people")
    for values, name, colour in zip((pairs.genuine, pairs.impostor), names, _COLOURS, strict=True):
        axes.hist(values, bins, density=True, alpha=0.55, color=colour, label=name)
    limit = pairs.threshold(_FAR)
    if limit is not None:
        axes.axvline(limit, color=style.INK, linewidth=1, linestyle=":", label=f"FAR {far_name(_FAR)}")
    axes.set(title="Scores of pairs", xlabel=f"Similarity ({pairs.measure})", ylabel="Density")
    axes.legend(loc="best")
