"""The book's explorer: numbers in the page, drawn by `book/_static/explore/`, and a figure without it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, folded, table
from trsfnet.report.explore.catalogue import LEVELS, Run, first_two
from trsfnet.report.explore.drawing import BINS, compare
from trsfnet.report.explore.shown import KINDS, Shown, last_epoch, rounded
from trsfnet.report.run_words import card_link
from trsfnet.text import NBSP, counted

_FIRST_KIND = "trsf"


@dataclass(frozen=True)
class Page:
    """The explorer as HTML; where no script runs and in print, the static figure stands in its place."""

    data: dict[str, Any]
    static: Picture

    def _repr_html_(self) -> str:
        # JSON in which nothing can end the element that it stands in.
        data = json.dumps(self.data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
        return (
            f'<div class="explorer"><div class="explorer-static">{self.static._repr_html_()}</div>'
            f'<script type="application/json">{data}</script></div>'
        )

    def __repr__(self) -> str:
        return repr(self.static)


def explorer(runs: list[Run]) -> Page | Markdown:
    """The explorer over `runs`, or a sentence that there is none."""
    if not runs:
        return Markdown("Nothing to explore yet: no run has recorded scales, slopes or ratios.")
    first, second = first_two(runs)
    epoch = last_epoch((first, second))
    static = compare(Shown(first, _FIRST_KIND, epoch), Shown(second, _FIRST_KIND, epoch))
    return Page(packed(runs, (first, second)), static)


def packed(runs: list[Run], chosen: tuple[Run, Run]) -> dict[str, Any]:
    """Everything the browser needs, of JSON types; values have three significant digits, signs are kept."""
    names: list[list[str]] = []
    entries = [_entry(run, names) for run in runs]
    return {
        "levels": LEVELS,
        "kinds": {key: asdict(kind) for key, kind in KINDS.items()},
        "bins": BINS,
        "start": {"kind": _FIRST_KIND, "runs": [runs.index(run) for run in chosen]},
        "runs": entries,
        "names": names,
    }


def _entry(run: Run, names: list[list[str]]) -> dict[str, Any]:
    kinds = {}
    for kind, values in run.tables.items():
        modules = values.columns.tolist()
        if modules not in names:
            names.append(modules)
        kinds[kind] = {
            "names": names.index(modules),
            "epochs": values.index.tolist(),
            "values": _short(values),
            "means": [rounded(mean) for mean in values.mean(axis=1)],
        }
    return {
        "id": run.record.run_id,
        "name": run.name,
        "colour": style.look(run.record.variant).colour,
        **{level: getattr(run, level) for level in LEVELS},
        "kinds": kinds,
    }


def _short(values: pd.DataFrame) -> list[list[float | None]]:
    """By epoch and module; None for what is not a number."""
    return [[float(f"{v:.3g}") if np.isfinite(v) else None for v in row] for row in values.to_numpy()]


def list_of_runs(runs: list[Run]) -> Markdown:
    """The runs as a table: what became of their values, and a link to what else is known of each."""
    rows = []
    for run in runs:
        ends = {kind: values.iloc[-1] for kind, values in run.tables.items()}
        below = f"{int((ends['slope'] < 0).sum())} of {len(ends['slope'])}" if "slope" in ends else "–"
        means = [rounded(ends[kind].mean()) if kind in ends else "–" for kind in KINDS]
        rows.append((run.name, *means, below, card_link(run.record, run.record.run_id)))
    if not rows:
        return Markdown("")
    header = ("Run", *(f"Mean {kind.label}" for kind in KINDS.values()), "Slopes below zero", "Record")
    return Markdown(folded(f"The {len(rows)} runs in numbers", table(header, rows)))


def verdict(runs: list[Run]) -> Markdown:
    """On each track, in how many finished runs a scale or a slope turned negative."""
    done = [run for run in runs if run.record.status == "done"]
    lines = [
        f"- On {track}, {_turned(here, 'trsf', 'trainable scales')}; {_turned(here, 'slope', 'PReLU')}."
        for track in dict.fromkeys(run.track for run in done)
        if (here := [run for run in done if run.track == track])
    ]
    return Markdown("\n".join(lines) or "No run has finished, so there is nothing to conclude.")


def _turned(runs: list[Run], kind: str, what: str) -> str:
    ends = [run.tables[kind].iloc[-1] for run in runs if kind in run.tables]
    if not ends:
        return f"no run with {what} has finished"
    turned = [int((values < 0).sum()) for values in ends]
    shares = [100 * below / len(values) for below, values in zip(turned, ends, strict=True)]
    return (
        f"{sum(map(bool, turned))} of {counted(len(ends), 'run')} with {what} ended with some below zero "
        f"({min(shares):.0f} to {max(shares):.0f}{NBSP}% of them)"
    )
