"""The figure of a variant's page in the study: training loss, a panel for each learning rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.report import style
from trsfnet.report.cards.drawing import (
    BLUE,
    INK,
    ORANGE,
    Drawing,
    concatenated,
    epochs,
    mark,
    panel,
    quantity,
    rule,
)
from trsfnet.report.cards.entry import Entry
from trsfnet.report.explore.charts import Spec
from trsfnet.text import counted, joined

_WIDTH, _HEIGHT = 640, 150  # pixels, the width of all panels together
_TICKS = [number * power for power in (0.01, 0.1, 1, 10, 100) for number in (1, 2, 5)]
_TRAINED, _COLLAPSED, _OTHER = "trained", "collapsed", "not ended, or failed"

Look = tuple[str, list[int]]
# Colour and dashes by how a run ended, so that endings differ by more than colour.
_LOOKS: dict[str, Look] = {
    _TRAINED: (BLUE, [1, 0]),
    _COLLAPSED: (ORANGE, [5, 3]),
    _OTHER: (style.look("v1-relu").colour, [6, 2, 1, 2]),
}


def study_figure(title: str, entries: Sequence[Entry]) -> Drawing | None:
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
    losses = np.concatenate([_finite(entry) for entry in drawn] + [np.array([chance])])
    bounds = (float(losses.min()), float(losses.max()))
    fates = {_fate(entry) for entry in drawn}
    looks = {fate: look for fate, look in _LOOKS.items() if fate in fates}
    panels = []
    for rate in rates:
        y = _loss_channel(bounds, labelled=rate == rates[0])
        of_rate = [entry for entry in drawn if entry.rate == rate]
        layers = [*_curves(of_rate, y, looks), rule("y", chance, strokeDash=[1, 2], strokeWidth=1)]
        panels.append(panel(f"Rate {rate:g}", layers, width=_WIDTH // len(rates) - 20, height=_HEIGHT))
    finding = _finding(entries, rates)
    few = len(entries) - len(drawn)
    without = f" Without a curve: {counted(few, 'run')} that finished no epoch." if few else ""
    caption = (
        "Mean training loss per epoch in nats, one line per seed; a cross marks a collapsed run. "
        f"Dotted line: the loss at chance level, {chance:.2f}. {finding}{without}"
    )
    alt = f"{title}: training loss over the epochs, a panel for each learning rate. {finding}"
    spec = concatenated(panels, columns=len(rates), one_legend=True)
    return Drawing(spec, alt, caption)


def _loss_channel(bounds: tuple[float, float], *, labelled: bool) -> Spec:
    """Return the channel of the loss, with the same logarithmic scale in every panel."""
    title = "Training loss (nats)" if labelled else ""
    axis = {"labels": labelled, "values": _TICKS, "grid": True, "format": "~g"}
    return quantity("loss", title, axis=axis, type="log", domain=list(bounds), nice=False)


def _curves(entries: Sequence[Entry], y: Spec, looks: Mapping[str, Look]) -> list[Spec]:
    """Draw a line per run, and a cross at the end of those that collapsed."""
    courses = {entry: _finite(entry) for entry in entries}
    curves: dict[str, list[Any]] = {
        "epoch": [epoch for course in courses.values() for epoch in range(1, len(course) + 1)],
        "loss": [loss for course in courses.values() for loss in course],
        "seed": [str(entry.run.seed) for entry, course in courses.items() for _ in course],
        "ended": [_fate(entry) for entry, course in courses.items() for _ in course],
    }
    colours, dashes = zip(*looks.values(), strict=True)
    ended = {
        "field": "ended",
        "type": "nominal",
        "legend": {"direction": "horizontal", "symbolType": "stroke", "symbolSize": 250},
    }
    channels = {
        "x": epochs(),
        "y": y,
        "color": {**ended, "scale": {"domain": list(looks), "range": colours}},
        "strokeDash": {**ended, "scale": {"domain": list(looks), "range": dashes}},
        "detail": {"field": "seed"},
    }
    single = {"size": 16} if any(len(course) == 1 for course in courses.values()) else False
    lines = mark(
        "line", pd.DataFrame(curves), channels, strokeWidth=1.3, opacity=0.85, tooltip=True, point=single
    )
    lost = {entry: course for entry, course in courses.items() if _fate(entry) == _COLLAPSED}
    ends = {
        "epoch": [len(course) for course in lost.values()],
        "loss": [course[-1] for course in lost.values()],
    }
    crosses = mark("text", pd.DataFrame(ends), {"x": epochs(), "y": y}, text="×", color=INK, fontSize=15)
    return [lines, crosses]


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
