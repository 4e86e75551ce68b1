"""The explorer's charts as Vega-Lite specifications, shared by Jupyter, the book's page and print.

The browser supplies each chart's rows and updates its parameters; `trsfnet.report.explore.drawing` does the
same once, without a browser. Text and axes use `currentColor`, the colour of the surrounding text, so that a
chart suits light mode, dark mode and print.
"""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]

VEGA_LITE = "6.4"
HEIGHT = 230
BINS = 24

_INK = "currentColor"
CONFIG: Spec = {
    "background": "transparent",
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": _INK,
        "titleColor": _INK,
        "domainColor": _INK,
        "tickColor": _INK,
        "gridColor": _INK,
        "gridOpacity": 0.15,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelOverlap": True,
    },
    "rule": {"color": _INK},
    "text": {"color": _INK, "fontSize": 12},
    "aria": False,
}

PARAMS: list[Spec] = [
    {"name": "low", "value": 0},
    {"name": "high", "value": 1},
    {"name": "epoch", "value": 0},
    {"name": "epochs", "value": 1},
    {"name": "modules", "value": 20},
    {"name": "first", "value": 1},
    {"name": "last", "value": 999},
    {"name": "pointed", "value": 0},
    {"name": "label", "value": ""},
    {"name": "module", "value": "Module"},
]
"""The charts' parameters: the range of the values (`low`, `high`), the shown and the last epoch, the number
of modules, the selected modules (`first` to `last`, or the one `pointed` at, 0 for none), and the names of
values and modules."""

_HOT = "(pointed ? datum.place == pointed : datum.place >= first && datum.place <= last)"
_CHOSEN = "(pointed || first > 1 || last < modules)"
_COLOUR = {"field": "colour", "type": "nominal", "scale": None}
_SHAPE = {"field": "shape", "type": "nominal", "scale": None}
_TOOLTIP = [
    {"field": "side", "title": "Group"},
    {"field": "run", "title": "Run"},
    {"field": "name", "title": "Module"},
    {"field": "epoch", "title": "Epoch"},
    {"field": "value", "title": "Value", "format": ".3~g"},
]


def _axis(title: str, **others: Any) -> Spec:
    return {"title": {"expr": title}, **others}


def _value(channel_axis: Spec | None = None) -> Spec:
    """Return the channel for values of the selected kind, with a scale for all epochs."""
    scale = {"domainMin": {"expr": "low"}, "domainMax": {"expr": "high"}, "nice": False, "zero": False}
    return {"field": "value", "type": "quantitative", "scale": scale, "axis": channel_axis or _axis("label")}


def _places() -> Spec:
    scale = {"domainMin": 0.4, "domainMax": {"expr": "modules + 0.6"}, "nice": False, "zero": False}
    axis = _axis("module + ', from input to output'", tickMinStep=1, format="d", grid=False)
    return {"field": "x", "type": "quantitative", "scale": scale, "axis": axis}


def _points(**others: Any) -> Spec:
    """Draw a point per value, filled for group A and hollow for group B; unselected points fade."""
    return {
        "mark": {"type": "point", "strokeWidth": 1.5, "filled": False},
        "encoding": {
            "color": _COLOUR,
            "shape": _SHAPE,
            "fill": {"condition": {"test": "datum.side == 'A'", **_COLOUR}, "value": "transparent"},
            "size": {"condition": {"test": f"{_CHOSEN} && {_HOT}", "value": 90}, "value": 42},
            "opacity": {
                "condition": {"test": _HOT, "field": "strength", "type": "quantitative", "scale": None},
                "value": 0.12,
            },
            "tooltip": _TOOLTIP,
            **others,
        },
    }


# Shift the groups' points apart horizontally, so that they do not overlap at the same module.
_BESIDE = {"calculate": "datum.place + (datum.side == 'A' ? -0.15 : 0.15)", "as": "x"}
_ZERO = {
    "data": {"values": [{}]},
    "mark": {"type": "rule", "strokeOpacity": 0.7},
    "encoding": {"y": {"datum": 0}},
}


def _modules() -> Spec:
    """Return the chart of every module's value at the epoch; dragging over it selects modules everywhere."""
    band = {
        "data": {"name": "band"},
        "mark": {"type": "rect", "color": _INK, "opacity": 0.08},
        "encoding": {"x": {"field": "from", "type": "quantitative"}, "x2": {"field": "to"}},
    }
    points = {
        "data": {"name": "rows"},
        "transform": [_BESIDE],
        **_points(x=_places(), y=_value()),
    }
    return {"layer": [band, _ZERO, points]}


def _brush() -> Spec:
    mark = {"fillOpacity": 0, "strokeOpacity": 0}
    return {"name": "brush", "select": {"type": "interval", "encodings": ["x"], "mark": mark, "zoom": False}}


def _histogram() -> Spec:
    """Return the histogram of each group's values, with darker bars for the selected modules."""
    width = f"((high - low) / {BINS})"
    bins = [
        {"filter": "isValid(datum.value)"},
        {
            "calculate": f"clamp(floor((datum.value - low) / {width}), 0, {BINS - 1}) * {width} + low"
            f" + (datum.side == 'A' ? 0 : {width} / 2)",
            "as": "from",
        },
        {"aggregate": [{"op": "count", "as": "count"}], "groupby": ["from", "side", "colour"]},
        {"calculate": f"datum.from + {width} * 0.46", "as": "to"},
    ]
    scale = {"domainMin": {"expr": "low"}, "domainMax": {"expr": "high"}, "nice": False, "zero": False}
    encoding = {
        "x": {"field": "from", "type": "quantitative", "scale": scale, "axis": _axis("label", grid=False)},
        "x2": {"field": "to"},
        "y": {
            "field": "count",
            "type": "quantitative",
            "stack": None,
            "axis": {"title": "Modules", "tickMinStep": 1, "format": "d"},
        },
        "stroke": _COLOUR,
        "fill": _COLOUR,
        "tooltip": [
            {"field": "side", "title": "Group"},
            {"field": "from", "title": "From", "format": ".3~g"},
            {"field": "count", "title": "Modules"},
        ],
    }

    def layer(test: list[Spec], filled: float, hollow: float) -> Spec:
        fill = {"condition": {"test": "datum.side == 'A'", "value": filled}, "value": hollow}
        mark = {"type": "rect", "strokeWidth": 1.2}
        return {"transform": test + bins, "mark": mark, "encoding": {**encoding, "fillOpacity": fill}}

    data = {"name": "rows"}
    return {"data": data, "layer": [layer([], 0.25, 0), layer([{"filter": _HOT}], 0.9, 0.3)]}


def _courses() -> Spec:
    """Return the chart of one group's modules over the epochs."""
    axis = {"title": "Epoch", "tickMinStep": 1, "format": "d", "grid": False}
    scale = {"domainMin": 0, "domainMax": {"expr": "epochs"}, "nice": False}
    opacity = f"{_HOT} ? ({_CHOSEN} ? 1 : datum.strength * 0.8) : 0.06"
    lines = {
        "data": {"name": "courses"},
        "mark": {"type": "line", "strokeWidth": {"expr": f"{_CHOSEN} ? 1.8 : 1.1"}},
        "transform": [{"calculate": opacity, "as": "shade"}],
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "scale": scale, "axis": axis},
            "y": _value(),
            "color": _COLOUR,
            "detail": [{"field": "place"}, {"field": "run"}],
            "opacity": {"field": "shade", "type": "quantitative", "scale": None},
        },
    }
    now = {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "strokeDash": [2, 3], "strokeOpacity": 0.7},
        "encoding": {"x": {"datum": {"expr": "epoch"}, "type": "quantitative"}},
    }
    return {"layer": [_ZERO, lines, now]}


def _plane() -> Spec:
    """Return the chart of scale against kernel norm.

    Dotted lines connect points with an equal product, which describe the same function.
    """
    log = {"type": "log", "nice": False, "padding": 8}

    def channel(field: str, title: str) -> Spec:
        return {
            "field": field,
            "type": "quantitative",
            "scale": log,
            "axis": {"title": title, "tickCount": 4, "format": ".1~r", "grid": False},
        }

    x, y = channel("norm", "Kernel norm ‖W‖ (log)"), channel("size", "|scale| (log)")
    equal = {
        "data": {"name": "equal"},
        "mark": {"type": "line", "color": _INK, "strokeDash": [1, 4], "strokeOpacity": 0.6, "clip": True},
        "encoding": {"x": x, "y": y, "detail": {"field": "product"}},
    }
    trail = {
        "data": {"name": "trail"},
        "mark": {"type": "line", "strokeWidth": 1, "clip": True},
        "transform": [{"calculate": f"{_HOT} ? 0.35 * datum.strength : 0.05", "as": "shade"}],
        "encoding": {
            "x": x,
            "y": y,
            "color": _COLOUR,
            "detail": [{"field": "place"}, {"field": "run"}],
            "order": {"field": "epoch"},
            "opacity": {"field": "shade", "type": "quantitative", "scale": None},
        },
    }
    tooltip = [*_TOOLTIP[:4], {"field": "scale", "title": "Scale", "format": ".3~g"}]
    tooltip.append({"field": "norm", "title": "‖W‖", "format": ".3~g"})
    points = {"data": {"name": "rows"}, **_points(x=x, y=y, tooltip=tooltip)}
    return {"layer": [equal, trail, points]}


def _ratio() -> Spec:
    """Return the chart of the residual ratio ‖branch‖ / ‖trunk‖ of every module."""
    y = {
        "field": "value",
        "type": "quantitative",
        "scale": {"type": "log", "nice": False, "padding": 8},
        "axis": {"title": "‖branch‖ / ‖trunk‖ (log)", "tickCount": 5, "format": ".1~r"},
    }
    data = {"name": "rows"}
    return {"data": data, "transform": [_BESIDE], **_points(x=_places(), y=y)}


def _stages() -> Spec:
    """Return the chart of PReLU's slopes by stage of the network, with the median of each stage."""
    x = {
        "field": "stage",
        "type": "nominal",
        "sort": None,
        "axis": {
            "title": "Stage, from input to output",
            "labelAngle": 0,
            "labelExpr": "split(replace(datum.label, '-', ' '), ' ')",
            "grid": False,
        },
    }
    y = {"field": "value", "type": "quantitative", "axis": {"title": "Slope α"}}
    offset = {"xOffset": {"field": "side", "type": "nominal"}, "x": x, "y": y}
    ticks = {
        "mark": {"type": "tick", "thickness": 1.2, "bandSize": 14},
        "encoding": {**offset, "color": _COLOUR, "opacity": {"value": 0.4}, "tooltip": _TOOLTIP},
    }
    middle = {
        "transform": [
            {
                "aggregate": [{"op": "median", "field": "value", "as": "value"}],
                "groupby": ["stage", "side", "colour", "shape"],
            }
        ],
        "mark": {"type": "point", "size": 80, "strokeWidth": 2},
        "encoding": {
            **offset,
            "color": _COLOUR,
            "shape": _SHAPE,
            "fill": {"condition": {"test": "datum.side == 'A'", **_COLOUR}, "value": "transparent"},
            "opacity": {"value": 1},
        },
    }
    return {"data": {"name": "rows"}, "layer": [_ZERO, ticks, middle]}


_UNITS = {
    "modules": _modules,
    "histogram": _histogram,
    "courses": _courses,
    "plane": _plane,
    "ratio": _ratio,
    "stages": _stages,
}


def unit(name: str) -> Spec:
    """Return a chart without size and parameters, to be combined with others."""
    return _UNITS[name]()


def filling(spec: Spec) -> Spec:
    """Return a chart that fills its box in a page."""
    size = {"width": "container", "height": HEIGHT, "autosize": {"type": "fit", "contains": "padding"}}
    return {**spec, **size, "config": CONFIG}


def interactive() -> dict[str, Spec]:
    """Return the charts for the browser by name, with parameters; each fills its box in a page."""
    found = {name: {**filling(unit(name)), "params": PARAMS} for name in _UNITS}
    found["modules"]["layer"][-1]["params"] = [_brush()]
    return found
