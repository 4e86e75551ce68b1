"""Loss and verification over training: the paper's figure 3, on our tracks."""

from __future__ import annotations

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from trsfnet.experiments.record import Record
from trsfnet.report import style
from trsfnet.report.collection import Group
from trsfnet.report.display import Exhibit, Markdown, exhibit
from trsfnet.report.figures import epoch_axis, legend_below
from trsfnet.report.names import MEASURE_NAMES, MEASURES, percent, short_name
from trsfnet.report.runs import epochs_done, settled


def validation(group: Group) -> Exhibit | Markdown:
    """Verification of unseen people after every epoch, a line per setting."""
    measures = MEASURES[group.track]
    return _over_epochs(
        group,
        f"TAR at FAR 1e-3 on the {group.track} track after every epoch, one line per setting.",
        f"Paper's figure 3 (top), on our {group.track} track.",
        [(MEASURE_NAMES[name], name) for name in measures],
        percentages=True,
    )


def loss(group: Group) -> Exhibit | Markdown:
    """Mean training loss of every epoch, a line per setting."""
    return _over_epochs(
        group,
        f"Mean training loss of every epoch on the {group.track} track, one line per setting.",
        f"Training loss (mean cross-entropy, nats) on the {group.track} track.",
        [("Training loss (nats)", "loss")],
        percentages=False,
    )


def verdict(groups: list[Group]) -> Markdown:
    """Whether the settings lie further apart than seeds of one setting do, by track."""
    return Markdown("\n".join(f"- `{group.track}`: {_apart(group)}" for group in groups))


def _apart(group: Group) -> str:
    values = {key: v for key in group.cells if (v := group.values(key, group.measure))}
    if len(values) < 2:
        return "fewer than two settings have finished, so their order is unknown."
    means = [sum(v) / len(v) for v in values.values()]
    settings = f"the settings' means end {100 * (max(means) - min(means)):.1f} points apart"
    repeated = [max(v) - min(v) for v in values.values() if len(v) > 1]
    if not repeated:
        return f"{settings}; with one seed each, how far seeds lie apart is unknown, and so is the order."
    return f"{settings}, seeds of one setting up to {100 * max(repeated):.1f} points."


def _over_epochs(
    group: Group, alt: str, opening: str, panels: list[tuple[str, str]], *, percentages: bool
) -> Exhibit | Markdown:
    shown = {key: [r for r in cell if epochs_done(r)] for key, cell in group.cells.items()}
    shown = {key: records for key, records in shown.items() if records}
    if not shown:
        return Markdown(f"No run of the `{group.track}` track has finished an epoch yet.")
    with style.applied():
        width = style.FIGURE_WIDTH if len(panels) > 1 else 0.75 * style.FIGURE_WIDTH
        figure, axes = plt.subplots(1, len(panels), figsize=(width, 4.0), squeeze=False)
        for panel, (label, column) in zip(axes[0], panels, strict=True):
            for setting, records in shown.items():
                _lines(panel, setting, records, column)
            panel.set(ylabel=label, ylim=(0, None))
            epoch_axis(panel)
            if percentages:
                panel.yaxis.set_major_formatter(PercentFormatter(1))
        legend_below(figure, axes[0][0])
    caption = f"{opening} {_ends(shown, panels[0][1])} {_lines_mean(shown)}{group.unfinished}"
    return exhibit(figure, alt=f"{alt} {_ends(shown, panels[0][1])}", caption=caption)


def _lines(axes: Axes, setting: str, records: list[Record], column: str) -> None:
    """The mean over seeds as a bold line, each seed as a thin one."""
    look = style.look(setting)
    if len(records) > 1:
        axes.plot(_by_epoch(records, column), color=look.colour, linewidth=0.6, alpha=0.5)
    mean = _by_epoch(settled(records), column).dropna().mean(axis=1)
    axes.plot(
        mean,
        look.dashes,
        color=look.colour,
        marker=look.marker,
        markersize=4,
        markevery=max(1, len(mean) // 8),
        label=short_name(setting),
    )


def _by_epoch(records: list[Record], column: str) -> pd.DataFrame:
    """A column of each run's history side by side, a row per epoch."""
    return pd.concat([r.history().set_index("epoch")[column] for r in records], axis=1)


def _ends(shown: dict[str, list[Record]], column: str) -> str:
    """Where the curves of the first panel stand, in one sentence."""
    last = {
        short_name(key): float(_by_epoch(settled(records), column).dropna().iloc[-1].mean())
        for key, records in shown.items()
    }
    write = (lambda value: f"{value:.2f}") if column == "loss" else percent
    low, high = min(last, key=last.__getitem__), max(last, key=last.__getitem__)
    if low == high:
        return f"After the last epoch {low} stands at {write(last[low])}."
    return (
        f"After the last epoch {high} stands highest at {write(last[high])}, "
        f"{low} lowest at {write(last[low])}."
    )


def _lines_mean(shown: dict[str, list[Record]]) -> str:
    numbers = {len(settled(records)) for records in shown.values()}
    if max(len(records) for records in shown.values()) == 1:
        return "One seed per setting."
    span = " to ".join(str(n) for n in sorted({min(numbers), max(numbers)}))
    return f"Bold: mean over {span} finished seeds per setting. Thin: each seed."
