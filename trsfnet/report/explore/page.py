"""The book's explorer: numbers in the page, drawn by our scripts, and a figure where none run."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from trsfnet.report.card_links import card_link
from trsfnet.report.display import Markdown, Picture, folded, table
from trsfnet.report.explore import script, whatif
from trsfnet.report.explore.catalogue import Run, first_two, groups
from trsfnet.report.explore.drawing import compare
from trsfnet.report.explore.payload import FIRST_KIND, packed
from trsfnet.report.explore.shown import KINDS, Shown, last_epoch, rounded
from trsfnet.text import NBSP, counted


@dataclass(frozen=True)
class Html:
    """HTML that a page carries as it is; `text` stands for it where only words can be shown."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def explorer(runs: list[Run]) -> Html | Markdown:
    """The explorer over `runs`, or a sentence that there is none. It brings the scripts of the whole page."""
    if not runs:
        return Markdown("Nothing to explore yet: no run has recorded scales, slopes or ratios.")
    (first,), (second,) = (group.runs for group in first_two(groups(runs)))
    epoch = last_epoch((first, second))
    static = compare(Shown(first, FIRST_KIND, epoch), Shown(second, FIRST_KIND, epoch))
    index, values = packed(runs)
    numbers = f'<script type="text/plain">{b64encode(values).decode()}</script>'
    scripts = f"<style>{script.styles()}</style><script>{script.page()}</script>"
    return _part("explorer", static, index, numbers + scripts)


def what_if(runs: list[Run]) -> Html:
    """The scale's path by gradient flow, with sliders where the page has the explorer too."""
    data = whatif.data(runs)
    return _part("what-if", whatif.drawing(data), data)


def _part(name: str, static: Picture, data: dict[str, Any], more: str = "") -> Html:
    """A part of the page; where no script runs and in print, the static figure stands in its place."""
    # JSON in which nothing can end the element that it stands in.
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return Html(
        f'<div class="explorer" data-part="{name}"><div class="explorer-static">{static._repr_html_()}</div>'
        f'<script type="application/json">{text}</script>{more}</div>',
        repr(static),
    )


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
