"""Verification and loss over training: the paper's figures 3 and 4, on our tracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trsfnet.experiments.record import Record
from trsfnet.report import style
from trsfnet.report.collection import Group
from trsfnet.report.display import Exhibit, Markdown, exhibit, folded
from trsfnet.report.feeds import Runs, fed, missing, nothing, opening, seeds_in_words
from trsfnet.report.figures import epoch_axis, legend_below
from trsfnet.report.names import MEASURE_NAMES, MEASURES, percent, short_name
from trsfnet.report.runs import epochs_done, settled


def over_training(groups: Sequence[Group], number: int) -> list[Exhibit | Markdown]:
    """Verification after every epoch, a row of panels for each group, and the training loss behind a fold.

    Args:
        groups: of one track, such as tables 1 and 2 for the paper's figure 3.
        number: of the paper's figure.
    """
    runs = [_started(fed([group], number)) for group in groups]
    rows = [row for row in runs if row]
    if not rows:
        return [Markdown(nothing(groups, number))]
    verification = _validation(groups, number, rows)
    title = f"Training loss on the {groups[0].track} track, which the paper does not show"
    return [verification, Markdown(folded(title, _loss(groups[0].track, rows).markdown()))]


def _started(runs: Runs) -> Runs:
    """Of each setting the runs with an epoch to draw; no setting without."""
    found = {setting: [r for r in cell if epochs_done(r)] for setting, cell in runs.items()}
    return {setting: cell for setting, cell in found.items() if cell}


def _validation(groups: Sequence[Group], number: int, rows: list[Runs]) -> Exhibit:
    measures = MEASURES[groups[0].track]
    drawing = _draw(rows, {MEASURE_NAMES[name]: name for name in measures})
    for axes in drawing.axes:
        axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    finding = " ".join(_ends(row, measures[0]) for row in rows)
    lacking = missing(fed(groups, number))
    return exhibit(
        drawing,
        alt=f"{MEASURE_NAMES[measures[0]]} of unseen people over the epochs, a line per setting. {finding}",
        caption=f"{opening(groups, number)}: {finding} {_key(rows)}{lacking}",
    )


def _loss(track: str, rows: list[Runs]) -> Exhibit:
    finding = " ".join(_ends(row, "loss") for row in rows)
    return exhibit(
        _draw(rows, {"Training loss (nats)": "loss"}),
        alt=f"Mean training loss over the epochs, a line per setting. {finding}",
        caption=f"Mean training loss of the same runs on our {track} track: {finding} {_key(rows)}",
    )


def _draw(rows: list[Runs], columns: dict[str, str]) -> Figure:
    """A panel for each row of settings and each column of the history, by the label of its axis."""
    with style.applied():
        width = style.FIGURE_WIDTH * (1 if len(columns) > 1 else 0.8)
        figure, axes = plt.subplots(
            len(rows),
            len(columns),
            figsize=(width, 0.9 + 3.0 * len(rows)),
            sharex=True,
            sharey="col",
            squeeze=False,
        )
        for panels, settings in zip(axes, rows, strict=True):
            for panel, (label, column) in zip(panels, columns.items(), strict=True):
                for setting, records in settings.items():
                    _lines(panel, setting, records, column)
                panel.set(ylabel=label, ylim=(0, None))
                panel.set_title(f"Inception-ResNet {next(iter(settings)).partition('-')[0]}")
                panel.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        for panel in axes[-1]:
            epoch_axis(panel)
        fullest = max(axes[:, 0], key=lambda panel: len(panel.get_legend_handles_labels()[1]))
        legend_below(figure, fullest)
    return figure


def _lines(axes: Axes, setting: str, records: list[Record], column: str) -> None:
    """The mean over finished seeds within the band of their range; dotted, each run that is not finished."""
    look = style.look(setting)
    label = _variant(setting)
    finished = [r for r in records if r.status == "done"]
    if finished:
        curves = _by_epoch(finished, column)
        low, mean, high = curves.min(axis=1), curves.mean(axis=1), curves.max(axis=1)
        axes.fill_between(curves.index, low, high, color=look.colour, alpha=0.13, linewidth=0)
        every = max(1, len(mean) // 8)
        marks = {"marker": look.marker, "markersize": 4, "markevery": every}
        axes.plot(mean, look.dashes, color=look.colour, label=label, **marks)
    for record in records:
        if record.status != "done":
            name = {} if finished else {"label": f"{label} ({record.status})"}
            axes.plot(_by_epoch([record], column), ":", color=look.colour, linewidth=1.2, **name)


def _variant(setting: str) -> str:
    """What a setting adds to its network, such as `TRSF + PReLU`."""
    return short_name(setting).partition(" + ")[2] or "original"


def _by_epoch(records: list[Record], column: str) -> pd.DataFrame:
    """A column of each run's history side by side, a row for each epoch that all of them have."""
    return pd.concat([r.history().set_index("epoch")[column] for r in records], axis=1).dropna()


def _ends(settings: Runs, column: str) -> str:
    """Which curves of a row end highest and lowest, and where, in one sentence."""
    last = {key: _by_epoch(settled(records), column).iloc[-1] for key, records in settings.items()}
    low, high = (choose(last, key=lambda key: last[key].mean()) for choose in (min, max))
    write = (lambda value: f"{value:.2f}") if column == "loss" else percent
    if low == high:
        return f"{short_name(low)} ends at {_end(last[low], write)}."
    return (
        f"{short_name(high)} ends highest at {_end(last[high], write)}, "
        f"{short_name(low)} lowest at {_end(last[low], write)}."
    )


def _end(values: pd.Series, write: Callable[[float], str]) -> str:
    """The mean of a setting's last values, and their range where there are several."""
    if len(values) == 1:
        return write(values.iloc[0])
    return f"{write(values.mean())} ({write(values.min())} to {write(values.max())})"


def _key(rows: list[Runs]) -> str:
    """What lines and bands are, and of how many seeds."""
    finished = {
        key: [r.seed for r in cell if r.status == "done"] for row in rows for key, cell in row.items()
    }
    finished = {key: seeds for key, seeds in finished.items() if seeds}
    if not finished:
        return "Dotted: runs that are not finished."
    drawn = "Lines are means over seeds, bands reach from the lowest seed to the highest"
    if max(map(len, finished.values())) == 1:
        drawn = "A line is one run"
    return f"{drawn}; {seeds_in_words(finished)}."
