"""The book's explorer: data in the page, drawn by scripts, with a static figure as the fallback."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from trsfnet.report.card_links import card_link
from trsfnet.report.display import Markdown, Picture, folded, json_element, table
from trsfnet.report.explore import script, whatif
from trsfnet.report.explore.catalogue import Run, first_two, groups
from trsfnet.report.explore.drawing import compare
from trsfnet.report.explore.payload import FIRST_KIND, packed
from trsfnet.report.explore.shown import KINDS, Shown, last_epoch, rounded
from trsfnet.text import counted, percent_range


@dataclass(frozen=True)
class Html:
    """HTML that is inserted into a page unchanged; `text` replaces it where only text can be shown."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def explorer(runs: list[Run]) -> Html | Markdown:
    """Return the explorer of `runs` with the scripts of the whole page, or a sentence without any runs."""
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
    """Return *What if?*, the scale's path by gradient flow; its sliders need `explorer` on the same page."""
    data = whatif.data(runs)
    return _part("what-if", whatif.drawing(data), data)


def _part(name: str, static: Picture, data: dict[str, Any], more: str = "") -> Html:
    """Return a part of the page, with a static figure that is shown without scripts and in print."""
    return Html(
        f'<div class="explorer" data-part="{name}"><div class="explorer-static">{static.html()}</div>'
        f"{json_element(data)}{more}</div>",
        repr(static),
    )


def list_of_runs(runs: list[Run]) -> Markdown:
    """Tabulate the runs with the means of their final values, and a link to the card of each run."""
    rows = []
    for run in runs:
        ends = {kind: values.iloc[-1] for kind, values in run.tables.items()}
        below = f"{int((ends['slope'] < 0).sum())} of {len(ends['slope'])}" if "slope" in ends else "–"
        means = [rounded(ends[kind].mean()) if kind in ends else "–" for kind in KINDS]
        rows.append((run.name, *means, below, card_link(run.record, run.record.run_id)))
    if not rows:
        return Markdown("")
    # With signs, unlike in other tables, whose mean scales are those of the magnitudes.
    labels = [f"Mean {kind.label}{' (with signs)' if kind.signed else ''}" for kind in KINDS.values()]
    header = ("Run", *labels, "Slopes below zero", "Record")
    about = (
        "Arithmetic means over all modules, including the last, which other pages leave out of ratios and "
        "kernel norms."
    )
    return Markdown(folded(f"The {len(rows)} runs in numbers", f"{about}\n\n{table(header, rows)}"))


def verdict(runs: list[Run]) -> Markdown:
    """State for each track in how many finished runs scales or slopes turned negative."""
    done = [run for run in runs if run.record.status == "done"]
    lines = [
        f"- On {track}, {_turned(here, 'trsf', 'trainable scales')}; {_turned(here, 'slope', 'PReLU')}."
        for track in dict.fromkeys(run.track for run in done)
        if (here := [run for run in done if run.track == track])
    ]
    return Markdown("\n".join(lines) or "No run has finished, so there is nothing to conclude.")


def _turned(runs: list[Run], kind: str, what: str) -> str:
    tables = [run.tables[kind] for run in runs if kind in run.tables]
    # A value that starts below zero has not turned.
    ends = [table.iloc[-1] for table in tables if (table.iloc[0] >= 0).all()]
    if not ends:
        return f"no run with {what} has finished"
    turned = [int((values < 0).sum()) for values in ends]
    shares = [below / len(values) for below, values in zip(turned, ends, strict=True)]
    left_out = len(tables) - len(ends)
    others = f", without {counted(left_out, 'run')} that started below zero" if left_out else ""
    return (
        f"{sum(map(bool, turned))} of {counted(len(ends), 'run')} with {what} ended with some below zero "
        f"({percent_range(min(shares), max(shares))} of a run's{others})"
    )
