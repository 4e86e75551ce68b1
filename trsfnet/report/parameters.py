"""What the trainable scales and slopes became: the paper's figures 5, 6, 8 and 9 and its table 4."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from trsfnet.experiments.paper import paper_figure, paper_table
from trsfnet.report import style
from trsfnet.report.collection import Collection, Group
from trsfnet.report.display import Exhibit, Markdown, captioned, exhibit, folded, table
from trsfnet.report.figures import depth_bar, epoch_axis, learned_parameters, legend_below, lines_by_depth
from trsfnet.report.names import NBSP, counted, listed, setting_name, short_name
from trsfnet.report.runs import learned, settled, state

# The paper shows a few modules of its choice; these are as many, evenly spaced from input to output.
SHOWN_SLOPES = 9

_PAPER_SCALES = {1: 4, 2: 5}
_PAPER_SLOPES = {1: 9, 2: 10}

Values = dict[str, list[pd.DataFrame]]
"""By setting, a table for each seed: a row per epoch, a column per module."""


def scales_over_training(group: Group) -> Exhibit | Markdown:
    """The paper's figure 5: each block's TRSF over the epochs, a panel per setting, of its first seed."""
    values = _values(group, "trsf")
    if not values:
        return _nothing(group, "TRSF")
    with style.applied():
        figure, axes = plt.subplots(
            1, len(values), figsize=(style.FIGURE_WIDTH, 3.6), sharey=True, squeeze=False
        )
        for panel, (setting, tables) in zip(axes[0], values.items(), strict=True):
            lines_by_depth(panel, tables[0])
            panel.set_title(short_name(setting))
        axes[0][0].set_ylabel("TRSF of a block")
        depth_bar(figure, axes[0].tolist())
    ranges = [
        f"{short_name(s)} from {_two(t[0].iloc[0].mean())} to {_two(t[0].iloc[-1].mean())}"
        for s, t in values.items()
    ]
    finding = f"On average over blocks, TRSF went in {listed(ranges)}."
    return exhibit(
        figure,
        alt=f"Trainable residual scale of each block over the epochs on the {group.track} track. {finding}",
        caption=(
            f"Paper's figure 5, on our {group.track} track, first seed of each setting. "
            f"{finding}{group.unfinished}"
        ),
    )


def final_scales(group: Group) -> Exhibit | Markdown:
    """The paper's figure 6 (v2: 7): TRSF of each block after training, by setting and seed."""
    values = _values(group, "trsf")
    if not values:
        return _nothing(group, "TRSF")
    with style.applied():
        figure, axes = plt.subplots(figsize=(style.FIGURE_WIDTH, 3.8))
        for position, (setting, tables) in zip(
            np.linspace(-0.2, 0.2, len(values)), values.items(), strict=True
        ):
            _seed_points(axes, setting, position, [t.iloc[-1].to_numpy() for t in tables])
        axes.axhline(0, color=style.INK, linewidth=0.8)
        axes.set(xlabel="Block, from input to output", ylabel="TRSF after training")
        axes.xaxis.get_major_locator().set_params(integer=True)
        legend_below(figure, axes)
    finding = " ".join(
        f"{short_name(s)}: {_two(min(t.iloc[-1].min() for t in tables))} to "
        f"{_two(max(t.iloc[-1].max() for t in tables))} over blocks and {counted(len(tables), 'seed')}."
        for s, tables in values.items()
    )
    number = {1: 6, 2: 7}[group.table]
    return exhibit(
        figure,
        alt=f"Trainable residual scale of each block after training on the {group.track} track. {finding}",
        caption=(
            f"Paper's figure {number}, on our {group.track} track. A point for each block and seed. "
            f"{finding}{group.unfinished}"
        ),
    )


def slopes_over_training(group: Group) -> Exhibit | Markdown:
    """The paper's figure 8: the same few modules' slopes over the epochs, in each setting."""
    values = _values(group, "slope")
    if not values:
        return _nothing(group, "PReLU")
    names = next(iter(values.values()))[0].columns
    chosen = names[np.linspace(0, len(names) - 1, SHOWN_SLOPES).round().astype(int)]
    with style.applied():
        figure, axes = plt.subplots(
            3, SHOWN_SLOPES // 3, figsize=(style.FIGURE_WIDTH, 6.6), sharex=True, sharey=True
        )
        for panel, name in zip(axes.flat, chosen, strict=True):
            for setting, tables in values.items():
                _slope_lines(panel, setting, [t[name] for t in tables])
            panel.axhline(0, color=style.INK, linewidth=0.8)
            panel.set_title(name, fontsize=9)
        for panel in axes[-1]:
            epoch_axis(panel)
        for panel in axes[:, 0]:
            panel.set_ylabel("Slope α")
        legend_below(figure, axes.flat[0])
    ends = {
        s: sum(float(np.mean([t[n].iloc[-1] for t in ts])) < 0 for n in chosen) for s, ts in values.items()
    }
    finding = " ".join(
        f"{short_name(s)}: {n} of these {len(chosen)} end below zero." for s, n in ends.items()
    )
    return exhibit(
        figure,
        alt=f"{len(chosen)} PReLU slopes over the epochs on the {group.track} track, a panel each. {finding}",
        caption=(
            f"Paper's figure 8, on our {group.track} track: {len(chosen)} of the {len(names)} slopes, evenly "
            f"spaced from input to output. {finding}{group.unfinished}"
        ),
    )


def final_slopes(group: Group) -> Exhibit | Markdown:
    """The paper's figure 9 (v2: 10): every slope after training in forward order, a panel per setting."""
    values = _values(group, "slope")
    if not values:
        return _nothing(group, "PReLU")
    with style.applied():
        figure, axes = plt.subplots(
            len(values), 1, figsize=(style.FIGURE_WIDTH, 0.8 + 2.3 * len(values)), sharex=True, sharey=True
        )
        for panel, (setting, tables) in zip(np.atleast_1d(axes), values.items(), strict=True):
            _signed_points(panel, tables)
            panel.set(title=short_name(setting), ylabel="Slope α")
        panel.set_xlabel("PReLU, from input to output")
        legend_below(figure, panel)
    finding = " ".join(
        f"{short_name(s)}: {listed([_signs(t) for t in tables])}{' by seed' if len(tables) > 1 else ''}."
        for s, tables in values.items()
    )
    number = _PAPER_SLOPES[group.table]
    return exhibit(
        figure,
        alt=f"Every PReLU slope after training on the {group.track} track, by depth. {finding}",
        caption=f"Paper's figure {number}, on our {group.track} track. {finding}{group.unfinished}",
    )


def mean_scales(groups: list[Group]) -> Markdown:
    """The paper's table 4 (v2: 5): average TRSF after training, the paper's beside each seed's."""
    number = _PAPER_SCALES[groups[0].table]
    paper = paper_table(number)
    rows = [
        (
            short_name(setting),
            f"{value:.3f}",
            *(_by_seed(group, setting, "trsf", _mean_and_magnitude) for group in groups),
        )
        for setting, value in paper.cells.items()
    ]
    header = ("Setting", "Paper", *(_track_heading(group) for group in groups))
    caption = f"Mean TRSF after training (paper's table {number}; ours for each seed, with mean magnitude)."
    return Markdown(captioned(caption, f"mean-scales-{number}", table(header, rows)))


def slope_signs(groups: list[Group]) -> Markdown:
    """The counts in the caption of the paper's figure 9 (v2: 10) beside each seed's."""
    number = _PAPER_SLOPES[groups[0].table]
    paper = paper_figure(number)
    rows = [
        (
            short_name(setting),
            f"{counts['positive']}{NBSP}/{NBSP}{counts['negative']}",
            *(_by_seed(group, setting, "slope", _counts) for group in groups),
        )
        for setting, counts in paper.cells.items()
    ]
    header = ("Setting", "Paper", *(_track_heading(group) for group in groups))
    caption = f"Positive / negative slopes after training (paper's figure {number}; ours for each seed)."
    return Markdown(captioned(caption, f"slope-signs-{number}", table(header, rows)))


def other_runs(collection: Collection, number: int) -> Markdown:
    """The learned values of each run that is not in the paper's table `number`."""
    parts = []
    for record, reason in collection.others(number):
        if learned(record):
            name = f"{setting_name(record)}, seed {record.seed}, {record.info['track']}: {reason}"
            drawing = exhibit(
                learned_parameters(record),
                alt=f"Trainable values of {name}, over the epochs.",
                caption=f"{name} ({state(record)}).",
            )
            parts.append(folded(name, drawing.markdown()))
    return Markdown("\n\n".join(parts) or "No other run has trainable scales or slopes.")


def verdict(groups: list[Group]) -> Markdown:
    """Whether scales grow and slopes turn negative, run by run: what the paper observed."""
    lines = []
    for group in groups:
        scales = [t for tables in _values(group, "trsf", only_done=True).values() for t in tables]
        slopes = [t for tables in _values(group, "slope", only_done=True).values() for t in tables]
        if not scales and not slopes:
            lines.append(f"- `{group.track}`: no run with trainable scales or slopes has finished.")
            continue
        lines.append(f"- `{group.track}`: {_grown(scales)}; {_turned(slopes)}.")
    return Markdown("\n".join(lines))


def _grown(scales: list[pd.DataFrame]) -> str:
    """Whether scales grew, over finished runs, in magnitude: the weights before can take over a sign."""
    if not scales:
        return "no run with TRSF has finished"
    grown = sum(_magnitude(t) > float(t.iloc[0].abs().mean()) for t in scales)
    negative = [100 * float((t.iloc[-1] < 0).mean()) for t in scales]
    return (
        f"the mean magnitude of the scales grew in {grown} of {counted(len(scales), 'finished run')}, to "
        f"{_spread([_magnitude(t) for t in scales])} (mean {_spread([_mean(t) for t in scales])}; "
        f"{_share(negative)} of them negative)"
    )


def _turned(slopes: list[pd.DataFrame]) -> str:
    """Whether slopes turned negative, over finished runs."""
    if not slopes:
        return "no run with PReLU has finished"
    turned = sum(bool((t.iloc[-1] < 0).any()) for t in slopes)
    share = _share([100 * float((t.iloc[-1] < 0).mean()) for t in slopes])
    return f"slopes turned negative in {turned} of {counted(len(slopes), 'finished run')}, {share} of them"


def _values(group: Group, kind: str, *, only_done: bool = False) -> Values:
    """The learned values of each setting that has some: a table per seed, of finished runs if there are."""
    found = {
        setting: [
            tables[kind]
            for r in settled(cell)
            if r.status == "done" or not only_done
            if kind in (tables := learned(r))
        ]
        for setting, cell in group.cells.items()
    }
    return {setting: tables for setting, tables in found.items() if tables}


def _nothing(group: Group, what: str) -> Markdown:
    return Markdown(f"No run of the `{group.track}` track with {what} has finished an epoch yet.")


def _seed_points(axes: Axes, setting: str, position: float, seeds: list[np.ndarray]) -> None:
    """A point per block and seed, a little aside so that settings do not cover each other."""
    look = style.look(setting)
    for i, values in enumerate(seeds):
        label = {"label": short_name(setting)} if i == 0 else {}
        blocks = np.arange(1, len(values) + 1) + position
        axes.plot(blocks, values, look.marker, color=look.colour, markersize=5, **label)


def _slope_lines(axes: Axes, setting: str, seeds: list[pd.Series]) -> None:
    look = style.look(setting)
    for i, values in enumerate(seeds):
        label = {"label": short_name(setting)} if i == 0 else {}
        axes.plot(values, look.dashes, color=look.colour, linewidth=1.4, **label)


def _signed_points(axes: Axes, tables: list[pd.DataFrame]) -> None:
    for i, values in enumerate(t.iloc[-1].to_numpy() for t in tables):
        depth = np.arange(1, len(values) + 1)
        for sign, colour, marker, word in (
            (values >= 0, style.POSITIVE, "o", "positive"),
            (values < 0, style.NEGATIVE, "v", "negative"),
        ):
            label = {"label": word} if i == 0 else {}
            axes.plot(depth[sign], values[sign], marker, color=colour, markersize=4, alpha=0.8, **label)
    axes.axhline(0, color=style.INK, linewidth=0.8)


def _by_seed(group: Group, setting: str, kind: str, write: Callable[[pd.DataFrame], str]) -> str:
    """One entry for each run of a setting, with its state unless it is done."""
    entries = []
    for record in group.cells[setting]:
        tables = learned(record)
        text = write(tables[kind]) if kind in tables else "no epoch finished"
        entries.append(text if record.status == "done" else f"{text} ({state(record)})")
    return "; ".join(entries) or "not run"


def _track_heading(group: Group) -> str:
    return f"`{group.track}`"


def _mean(table: pd.DataFrame) -> float:
    return float(table.iloc[-1].mean())


def _magnitude(table: pd.DataFrame) -> float:
    return float(table.iloc[-1].abs().mean())


def _mean_and_magnitude(table: pd.DataFrame) -> str:
    return f"{_mean(table):.3f} ({_magnitude(table):.3f})".replace("-", "−")


def _counts(table: pd.DataFrame) -> str:
    negative = int((table.iloc[-1] < 0).sum())
    return f"{table.shape[1] - negative}{NBSP}/{NBSP}{negative}"


def _signs(table: pd.DataFrame) -> str:
    negative = int((table.iloc[-1] < 0).sum())
    return f"{table.shape[1] - negative} positive and {negative} negative"


def _two(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _spread(values: list[float]) -> str:
    low, high = _two(min(values)), _two(max(values))
    return low if low == high else f"{low} to {high}"


def _share(percentages: list[float]) -> str:
    low, high = f"{min(percentages):.0f}", f"{max(percentages):.0f}"
    return f"{low if low == high else f'{low} to {high}'}{NBSP}%"
