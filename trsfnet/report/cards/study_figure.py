"""The figure of a variant's page in the study: training loss, a panel for each learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from trsfnet.report import style
from trsfnet.report.cards.entry import Entry
from trsfnet.report.cards.figure import rounded
from trsfnet.report.display import Picture, picture
from trsfnet.report.figures import epoch_axis
from trsfnet.text import counted, joined

_HEIGHT = 2.7  # inches
_TRAINED, _COLLAPSED, _OTHER = "trained", "collapsed", "not ended, or failed"
# Colour and dashes by how a run ended, so that endings differ by more than colour.
_LOOKS = {
    _TRAINED: (style.POSITIVE, "-"),
    _COLLAPSED: (style.NEGATIVE, "--"),
    _OTHER: (style.look("v1-relu").colour, "-."),
}


def study_figure(title: str, entries: Sequence[Entry]) -> Picture | None:
    """Plot the loss of every epoch, a line per run; None if no run has finished an epoch.

    Args:
        title: title of the page, for the alternative text.
        entries: the runs whose records are sound.
    """
    drawn = [entry for entry in entries if len(_finite(entry))]
    if not drawn:
        return None
    rates = sorted({entry.rate for entry in entries})
    chance = drawn[0].chance
    with style.applied():
        # Fixed margins: a constrained layout would double the time per page.
        figure = Figure(figsize=(style.FIGURE_WIDTH, _HEIGHT), layout="none")  # type: ignore[arg-type]
        figure.subplots_adjust(0.08, 0.31, 0.99, 0.9, wspace=0.12)
        panels = figure.subplots(1, len(rates), sharex=True, sharey=True, squeeze=False)[0]
        for panel, rate in zip(panels, rates, strict=True):
            _panel(panel, [entry for entry in drawn if entry.rate == rate], chance)
            panel.set_title(f"Rate {rate:g}", fontsize=10)
        panels[0].set_ylabel("Training loss (nats)", fontsize=10)
        figure.legend(handles=_key(drawn), loc="lower center", ncols=4, fontsize=9)
    finding = _finding(entries, rates)
    few = len(entries) - len(drawn)
    without = f" Without a curve: {counted(few, 'run')} that finished no epoch." if few else ""
    caption = (
        "Mean training loss per epoch, one line per seed; a cross marks a collapsed run. "
        f"Dotted line: the loss at chance level, {chance:.2f}. {finding}{without}"
    )
    alt = f"{title}: training loss over the epochs, a panel for each learning rate. {finding}"
    shown = picture(figure, alt=alt, caption=caption, with_numbers=False)
    return replace(shown, svg=rounded(shown.svg))


def _panel(panel: Axes, entries: Sequence[Entry], chance: float) -> None:
    for entry in entries:
        losses = _finite(entry)
        epochs = np.arange(1, len(losses) + 1)
        colour, dashes = _LOOKS[_fate(entry)]
        marker = "" if len(losses) > 1 else "o"
        panel.plot(
            epochs, losses, dashes, color=colour, linewidth=1.3, marker=marker, markersize=3, alpha=0.85
        )
        if _fate(entry) == _COLLAPSED:
            panel.plot(epochs[-1], losses[-1], "x", color=style.INK, markersize=7, markeredgewidth=1.5)
    panel.axhline(chance, color=style.INK, linewidth=1, linestyle=":")
    panel.grid(visible=False, axis="x")
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.tick_params(labelsize=9, length=3)
    epoch_axis(panel)
    panel.xaxis.label.set_fontsize(10)


def _key(entries: Sequence[Entry]) -> list[Line2D]:
    lines = []
    for fate, (colour, dashes) in _LOOKS.items():
        if any(_fate(entry) == fate for entry in entries):
            marker = "x" if fate == _COLLAPSED else ""
            look = {"color": colour, "linestyle": dashes, "marker": marker, "markeredgecolor": style.INK}
            lines.append(Line2D([], [], label=fate, **look))
    return [*lines, Line2D([], [], color=style.INK, linestyle=":", linewidth=1, label="chance")]


def _fate(entry: Entry) -> str:
    return {"done": _TRAINED, "collapsed": _COLLAPSED}.get(entry.status, _OTHER)


def _finite(entry: Entry) -> np.ndarray:
    """Return the losses before the first one that is not finite or not positive, which cannot be drawn."""
    finite = np.isfinite(entry.losses) & (entry.losses > 0)
    return entry.losses[: len(finite) if finite.all() else int(finite.argmin())]


def _finding(entries: Sequence[Entry], rates: Sequence[float]) -> str:
    """State how many runs trained at each learning rate, and the range of their final losses."""
    counts, ends = [], []
    for rate in rates:
        ended = [e for e in entries if e.rate == rate and _fate(e) != _OTHER]
        trained = [e for e in ended if _fate(e) == _TRAINED]
        if ended:
            counts.append(f"{len(trained)} of {len(ended)} at rate {rate:g}")
        losses = [float(_finite(e)[-1]) for e in trained if len(_finite(e))]
        if losses:
            bounds = dict.fromkeys(f"{loss:.2f}" for loss in (min(losses), max(losses)))
            ends.append(f"{' to '.join(bounds)} at rate {rate:g}")
    if not counts:
        return "No run has ended yet."
    last = f" Their last losses: {joined(list(dict.fromkeys((ends[0], ends[-1]))))}." if ends else ""
    return f"Trained: {joined(counts)}.{last}"
