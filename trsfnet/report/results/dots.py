"""Our means over seeds with their intervals, a row for each of the paper's."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from trsfnet.report import style
from trsfnet.report.collection import Group
from trsfnet.report.display import Exhibit, Markdown, exhibit
from trsfnet.report.names import MEASURE_NAMES, TRACKS, capitalised, listed
from trsfnet.report.results.wording import mean_text, sentence, short_row
from trsfnet.report.verdicts.comparisons import Row, rows


def dots(groups: Sequence[Group]) -> Exhibit | Markdown:
    """A panel for each track that has finished runs: the mean with its interval, and each seed."""
    found = {group.track: rows(group) for group in groups}
    shown = [group for group in groups if any(row.values for row in found[group.track])]
    if not shown:
        return Markdown("No run of this table has finished, so that there is nothing to draw.")
    with style.applied():
        height = 1.3 + 0.36 * len(shown[0].cells)
        figure, axes = plt.subplots(
            1, len(shown), figsize=(style.FIGURE_WIDTH, height), sharey=True, squeeze=False
        )
        for panel, group in zip(axes[0], shown, strict=True):
            _points(panel, group, found[group.track])
        axes[0][0].set_yticks(
            range(len(shown[0].cells)), [short_row(shown[0], setting) for setting in shown[0].cells]
        )
        axes[0][0].set_ylim(len(shown[0].cells) - 0.5, -0.5)
        if shown[0].table == 6:
            axes[0][0].set_ylabel("Start of the slopes")
    findings = " ".join(f"{capitalised(TRACKS[group.track])}: {sentence(group)}" for group in shown)
    means = " ".join(
        f"{capitalised(TRACKS[group.track])}: {_means(group, found[group.track])}." for group in shown
    )
    caption = (
        f"Our runs of the paper's table {shown[0].table}, in its order: mean over seeds, its 95 % interval, "
        f"and each seed (pale). Panels are not comparable with each other, nor with the paper. {findings}"
    )
    return exhibit(
        figure, alt=f"A point with its interval for each row of the table. {means}", caption=caption
    )


def _points(panel: Axes, group: Group, found: Sequence[Row]) -> None:
    for place, row in enumerate(found):
        look = style.look(row.setting)
        panel.plot(list(row.values.values()), [place] * len(row.values), "o", color=look.colour, alpha=0.35)
        if row.mean:
            ends = [row.mean.interval.low, row.mean.interval.high]
            panel.plot(ends, [place, place], color=look.colour)
        if row.value is not None:
            panel.plot(row.value, place, look.marker, color=look.colour, markersize=8)
    if group.quantity == "tar":
        panel.set_xlabel(MEASURE_NAMES[group.measure])
        # Without steps of 2.5, which whole percents would misstate.
        panel.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        panel.xaxis.set_major_formatter(PercentFormatter(1))
    else:
        panel.set_xlabel("Mean TRSF after training")
    panel.set_title(capitalised(TRACKS[group.track]))


def _means(group: Group, found: Sequence[Row]) -> str:
    texts = [
        f"{short_row(group, row.setting)} {mean_text(group, row).replace('*', '')}"
        for row in found
        if row.values
    ]
    return listed(texts)
