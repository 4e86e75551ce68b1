"""*What if?*: how far a schedule moves the scales under gradient flow, compared with runs and the paper."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import vl_convert

from trsfnet.analysis.gradient_flow import flow, initial_norms, mean_scale
from trsfnet.analysis.length import LONG, LONG_USUAL_DECAY
from trsfnet.models.inception_resnet import PAPER_SCALE
from trsfnet.paper.numbers import paper_table
from trsfnet.report import style
from trsfnet.report.display import Picture
from trsfnet.report.explore import charts
from trsfnet.report.explore.catalogue import Run
from trsfnet.report.explore.shown import rounded
from trsfnet.training.budget import regime
from trsfnet.training.config import TrainConfig, track_defaults

# Decay budgets of the curves, from a short run to four times the paper's longest.
_BUDGETS = np.logspace(-2, np.log10(200), 90)
_KEPT = {"stays the same": 1.0, "falls to half": 0.5, "falls to a quarter": 0.25}
_OURS, _LONG, _PAPERS, _YOURS = "our short runs", "our long runs", "the paper (v1, v2)", "your schedule"
_COLOURS = {_OURS: style.POSITIVE, _LONG: style.POSITIVE, _PAPERS: style.NEGATIVE, _YOURS: "#c2185b"}
_SHAPES = {_OURS: "circle", _LONG: "triangle-up", _PAPERS: "diamond", _YOURS: "cross"}


def data(runs: Iterable[Run]) -> dict[str, Any]:
    """Return the data for the sliders, as JSON types.

    Args:
        runs: our runs; those of v1 with trainable scales from 0.1 become points.
    """
    points = [*_our_points(runs), *_paper_points()]
    norms = initial_norms("v1")
    return {
        "budgets": _short(_BUDGETS),
        "curves": [_curve(name, kept, norms) for name, kept in _KEPT.items()],
        "points": points,
        "presets": _presets(points),
        "charts": _charts(points),
    }


def _curve(name: str, kept: float, norms: np.ndarray) -> dict[str, Any]:
    """Return the mean scale, and the scale and norm of a median module, at each decay budget."""
    scales, kernels = flow(_BUDGETS, PAPER_SCALE * kept, float(np.median(norms)))
    return {
        "name": name,
        "scales": _short(mean_scale(_BUDGETS, norms, start=PAPER_SCALE, kept=kept)),
        "module": {"scales": _short(scales), "norms": _short(kernels)},
    }


def drawing(found: dict[str, Any]) -> Picture:
    """Draw the mean scale by decay budget as a static figure, for use without scripts."""
    curve = found["curves"][0]
    rows = [{"budget": b, "scale": s} for b, s in zip(found["budgets"], curve["scales"], strict=True)]
    spec = {
        **_by_budget(found["points"]),
        "width": 600,
        "height": 260,
        "datasets": {"curve": rows, "points": found["points"], "yours": []},
        "config": charts.CONFIG,
    }
    svg = vl_convert.vegalite_to_svg(json.dumps(spec), vl_version=charts.VEGA_LITE)
    paper = [point for point in found["points"] if point["series"] == _PAPERS]
    text = (
        "Mean magnitude of the scales at the end of training against the decay budget κ of the schedule. The "
        "curve is the gradient-flow prediction for the paper's width, for scales that start at "
        f"{PAPER_SCALE} and a constant |s| ‖W‖. The paper's schedule has κ = {rounded(paper[0]['budget'])}."
    )
    return Picture(svg, text, text)


def _our_points(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """Return the mean |scale| of each setting of v1 that starts at 0.1, averaged over the seeds."""
    found: dict[str, list[tuple[Run, float]]] = {}
    for run in runs:
        config = run.record.config
        usual = config["trsf"] and not config["trsf_per_channel"] and config["scale_init"] == PAPER_SCALE
        # Learning rates above the track's default are excluded: there, effects of the finite step size, which
        # gradient flow lacks, move the scales.
        usual = usual and config["learning_rate"] <= track_defaults(config["track"])["learning_rate"]
        if usual and run.arch == "v1" and run.record.status == "done" and "trsf" in run.tables:
            name = f"{run.setting}, {run.budget}, {run.track}"
            found.setdefault(name, []).append((run, float(run.tables["trsf"].iloc[-1].abs().mean())))
    return [_our_point(name, seeds) for name, seeds in found.items()]


def _our_point(name: str, seeds: list[tuple[Run, float]]) -> dict[str, Any]:
    record = seeds[0][0].record
    config = record.settings
    steps = int(record.history["step"].iloc[-1]) // config.epochs
    scale = float(np.mean([value for _, value in seeds]))
    track = seeds[0][0].track
    series = _LONG if record.budget in (LONG, LONG_USUAL_DECAY) else _OURS
    return _point(series, f"{name} (seeds: {len(seeds)})", config, steps, scale) | {"track": track}


def _paper_points() -> list[dict[str, Any]]:
    """Return the values of tables 4 and 5, at the decay budget of the paper's schedule in our reading."""
    config = TrainConfig.from_parameters({"arch": "v1"}, "vggface2")
    cells = paper_table(4).by_variant | paper_table(5).by_variant
    return [
        _point(_PAPERS, f"the paper's {name}", config, config.steps_per_epoch, value)
        for name, value in cells.items()
    ]


def _point(series: str, name: str, config: TrainConfig, steps_per_epoch: int, scale: float) -> dict[str, Any]:
    return {
        "series": series,
        "name": name,
        "budget": float(f"{regime(config, steps_per_epoch).decay_budget:.4g}"),
        "scale": float(f"{scale:.4g}"),
        "schedule": config.schedule,
        "rate": config.learning_rate,
        "decay": config.weight_decay,
        "steps": config.epochs * steps_per_epoch,
    }


def _presets(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return schedules as presets for the sliders: our longest one on each track, and the paper's."""
    longest: dict[str, dict[str, Any]] = {}
    for point in sorted(points, key=lambda point: point["steps"]):
        longest["The paper, VGGFace2" if point["series"] == _PAPERS else f"Ours, {point['track']}"] = point
    return [{**point, "name": name} for name, point in longest.items()]


def _by_budget(points: list[dict[str, Any]]) -> charts.Spec:
    """Return the chart of the final mean scale by decay budget: curve, measurements, and user's schedule."""
    # The legend lists only what the chart shows.
    shown = [name for name in _COLOURS if name == _YOURS or any(p["series"] == name for p in points)]
    x: dict[str, Any] = {
        "field": "budget",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [0.03, 100], "nice": False},
        "axis": {
            "title": "Decay budget κ",
            "format": "~r",
        },
    }
    x["axis"] |= {"tickCount": 5, "grid": False}
    y = {"field": "scale", "type": "quantitative", "axis": {"title": "Mean |scale| at the end"}}
    series = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": shown, "range": [_COLOURS[name] for name in shown]},
        "legend": {"title": None, "orient": "top", "labelColor": "currentColor", "labelFontSize": 12},
    }
    shape = {**series, "scale": {"domain": shown, "range": [_SHAPES[name] for name in shown]}}
    at = {"x": x, "y": y}
    tooltip = [
        {"field": "name"},
        {"field": "budget", "title": "κ"},
        {"field": "scale", "title": "Mean |scale|"},
    ]
    marks = {"color": series, "shape": shape, "tooltip": tooltip}
    one = {"data": {"values": [{}]}, "mark": {"type": "rule", "strokeDash": [4, 4], "strokeOpacity": 0.5}}
    return {
        "layer": [
            {**one, "encoding": {"y": {"datum": 1}}},
            {
                "data": {"name": "curve"},
                "mark": {"type": "line", "clip": True, "color": "currentColor"},
                "encoding": at,
            },
            {
                "data": {"name": "points"},
                "mark": {"type": "point", "filled": True, "size": 55, "opacity": 1},
                "encoding": at | marks,
            },
            {
                "data": {"name": "yours"},
                "mark": {"type": "point", "filled": True, "size": 220, "opacity": 1, "clip": True},
                "encoding": at | marks,
            },
        ]
    }


def _path() -> charts.Spec:
    """Return the chart of the mean scale over the steps of the user's schedule."""
    x = {"field": "step", "type": "quantitative", "axis": {"title": "Step", "format": "~s", "grid": False}}
    y = {"field": "scale", "type": "quantitative", "axis": {"title": "Mean |scale|"}}
    line = {"type": "line", "color": _COLOURS[_YOURS], "strokeWidth": 2.5}
    return {"data": {"name": "path"}, "mark": line, "encoding": {"x": x, "y": y}}


def _gauge() -> charts.Spec:
    """Return the chart of a module's path along the line of equal functions, over the schedule."""

    def channel(field: str, title: str, padding: int) -> charts.Spec:
        axis = {"title": title, "grid": False, "tickCount": 4, "format": "~r"}
        return {
            "field": field,
            "type": "quantitative",
            "scale": {"type": "log", "nice": False, "padding": padding},
            "axis": axis,
        }

    # The label "start" has its place below the lowest point.
    y = channel("scale", "|scale| (log)", padding=28)
    at = {"x": channel("norm", "Kernel norm ‖W‖ (log)", padding=12), "y": y}
    text = {
        "type": "text",
        "align": "left",
        "dx": {"expr": "datum.name == 'end' ? 10 : -40"},
        "dy": {"expr": "datum.name == 'end' ? -10 : 14"},
    }
    line = {"type": "line", "strokeDash": [1, 4], "color": "currentColor"}
    taken = {"type": "line", "strokeWidth": 3, "color": _COLOURS[_YOURS]}
    ends = {"type": "point", "filled": True, "size": 120, "color": _COLOURS[_YOURS], "opacity": 1}
    return {
        "layer": [
            {"data": {"name": "line"}, "mark": line, "encoding": at},
            {"data": {"name": "taken"}, "mark": taken, "encoding": at},
            {"data": {"name": "ends"}, "mark": ends, "encoding": at},
            {"data": {"name": "ends"}, "mark": text, "encoding": at | {"text": {"field": "name"}}},
        ]
    }


def _charts(points: list[dict[str, Any]]) -> dict[str, charts.Spec]:
    made = {"budget": _by_budget(points), "path": _path(), "gauge": _gauge()}
    return {name: charts.filling(spec) for name, spec in made.items()}


def _short(numbers: np.ndarray) -> list[float]:
    return [float(f"{number:.4g}") for number in numbers]
