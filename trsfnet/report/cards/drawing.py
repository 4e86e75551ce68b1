"""Drawings of cards: Vega-Lite specifications, which the reader's browser draws.

There are hundreds of cards. Drawing each of them during the build would take a third of its time.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trsfnet.report import style
from trsfnet.report.display import exhibit, json_element
from trsfnet.report.explore.charts import CONFIG, Spec

INK = "currentColor"
BLUE, ORANGE = style.POSITIVE, style.NEGATIVE

_SMALL = {"labelFontSize": 10, "titleFontSize": 11, "tickCount": 4, "labelFlush": False}
_CONFIG = {
    **CONFIG,
    "axis": {**CONFIG["axis"], **_SMALL, "grid": False},
    "title": {"color": INK, "fontSize": 11, "fontWeight": "normal", "anchor": "middle"},
    "legend": {
        "labelColor": INK,
        "labelFontSize": 10,
        "orient": "top",
        "direction": "vertical",
        "title": None,
        "labelLimit": 0,
    },
    "line": {"strokeWidth": 1.8, "invalid": "break-paths-show-path-domains"},
    "concat": {"spacing": 18},
}


@dataclass(frozen=True)
class Drawing:
    """A figure that the browser draws.

    Attributes:
        spec: the Vega-Lite specification, with its data.
        alt: alternative text for readers who cannot see the figure.
        caption: what the figure shows, generated from the records.
    """

    spec: Spec
    alt: str
    caption: str

    def markdown(self) -> str:
        """Return the figure as raw HTML for use within Markdown, without blank lines, which would end it."""
        label = html.escape(self.alt, quote=True)
        drawing = (
            f'<div class="card-drawing" role="img" aria-label="{label}"></div>'
            "<noscript>Your browser draws this figure by a script. The record, linked below, has its numbers."
            "</noscript>"
        )
        return exhibit(drawing, self.caption, json_element(self.spec))


def concatenated(panels: Sequence[Spec], *, columns: int, one_legend: bool = False) -> Spec:
    """Return the specification of panels in rows of `columns`, with one legend for all or one for each."""
    colours = "shared" if one_legend else "independent"
    own = {"scale": {"color": colours, "strokeDash": colours}}
    return {"concat": list(panels), "columns": columns, "resolve": own, "config": _CONFIG}


def panel(title: str, layers: Sequence[Spec], *, width: int, height: int, **others: Any) -> Spec:
    """Return a panel of layers, `width` × `height` pixels without its axes."""
    return {"title": title, "width": width, "height": height, "layer": list(layers), **others}


def mark(kind: str, data: pd.DataFrame, channels: Mapping[str, Any], **look: Any) -> Spec:
    """Return a layer of marks with data of its own.

    Args:
        kind: kind of mark, such as `line`.
        data: its data; numbers that are not finite are left out of the drawing.
        channels: Vega-Lite's encoding.
        look: properties of the mark.
    """
    names = [str(name) for name in data]
    rows = [dict(zip(names, map(_value, row), strict=True)) for row in data.itertuples(index=False)]
    return {"data": {"values": rows}, "mark": {"type": kind, **look}, "encoding": dict(channels)}


def _value(value: Any) -> Any:
    """Return a value for JSON, to five digits, which is finer than a pixel."""
    if isinstance(value, str):
        return value
    return float(f"{value:.5g}") if math.isfinite(value) else None


def quantity(field: str, title: str, *, axis: Mapping[str, Any] | None = None, **scale: Any) -> Spec:
    """Return the channel of a number.

    Args:
        field: the column.
        title: title of the axis.
        axis: other properties of the axis.
        scale: properties of the scale; by default, it is linear and need not include zero.
    """
    shown = {"title": title, **(axis or {})}
    # Vega warns of `zero` in other scales.
    linear = {} if "type" in scale else {"zero": False}
    return {"field": field, "type": "quantitative", "axis": shown, "scale": linear | scale}


def epochs() -> Spec:
    """Return the channel of the epoch."""
    whole = {"tickMinStep": 1, "format": "d"}
    return {**quantity("epoch", "Epoch", axis=whole), "scale": {"zero": False, "nice": False, "padding": 4}}


def rule(channel: str, value: float, **look: Any) -> Spec:
    """Return a line across a panel at a value of the channel `x` or `y`."""
    line = {"type": "rule", "color": INK, "strokeWidth": 0.8, **look}
    return {"data": {"values": [{}]}, "mark": line, "encoding": {channel: {"datum": _value(value)}}}
