"""The explorer without a browser: the same charts for two runs at one epoch, as a static figure."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import vl_convert

from trsfnet.report import style
from trsfnet.report.display import Picture
from trsfnet.report.explore import charts
from trsfnet.report.explore.shown import KINDS, Shown, last_epoch, limits

_WIDE, _NARROW = 660, 285  # pixels


def compare(first: Shown, second: Shown) -> Picture:
    """Draw two runs as a figure with alternative text; both must show the same kind at the same epoch."""
    summaries = f"A: {first.summary} B: {second.summary}"
    title = KINDS[first.kind].title
    return Picture(
        _svg(_comparison(first, second)),
        f"{title} by module, as a histogram and over the epochs, in two runs. {summaries}",
        f"{title} of two runs, A filled and B hollow. {summaries}",
    )


def _svg(spec: charts.Spec) -> str:
    return vl_convert.vegalite_to_svg(json.dumps(spec), vl_version=charts.VEGA_LITE)


def _comparison(first: Shown, second: Shown) -> charts.Spec:
    """Return the specification: modules and histogram for both runs, and the epochs of each in between."""
    both = dict(zip("AB", (first, second), strict=True))
    kind = KINDS[first.kind]
    low, high = limits([one.table for one in both.values()])
    values = {
        "low": low,
        "high": high,
        "epoch": first.epoch,
        "epochs": max(1, last_epoch((first.run, second.run))),
        "modules": max(1, *(len(one.values) for one in both.values())),
        "label": kind.label,
        "module": kind.module,
    }
    courses = {f"courses {side}": _rows(one, side, one.table) for side, one in both.items()}
    now = [row for side, one in both.items() for row in _rows(one, side, one.now)]
    return {
        "vconcat": [
            _chart("modules", _WIDE),
            {"hconcat": [_chart("courses", _NARROW, courses=name) for name in courses]},
            _chart("histogram", _WIDE),
        ],
        "datasets": {"rows": now, "band": [], **courses},
        "params": [{**param, "value": values.get(param["name"], param["value"])} for param in charts.PARAMS],
        "config": charts.CONFIG,
    }


def _chart(name: str, width: int, **datasets: str) -> charts.Spec:
    """Return a chart of fixed size, with its data sets renamed according to `datasets`."""
    text = json.dumps(charts.unit(name))
    for known, other in datasets.items():
        text = text.replace(f'{{"name": "{known}"}}', f'{{"name": "{other}"}}')
    return {**json.loads(text), "width": width, "height": charts.HEIGHT}


def _rows(shown: Shown, side: str, table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a run's values as rows for the charts, in the same form as `values.js`."""
    look = {
        "side": side,
        "colour": style.look(shown.run.record.variant).colour,
        "shape": {"A": "circle", "B": "diamond"}[side],
        "strength": 1,
        "run": shown.run.seed,
    }
    return [
        {**look, "place": place, "epoch": int(epoch), "value": float(value)}
        for place, name in enumerate(table.columns, 1)
        for epoch, value in zip(table.index.tolist(), table[name].tolist(), strict=True)
        if np.isfinite(value)
    ]
