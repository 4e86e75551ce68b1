"""Our means over seeds with their intervals, for each row of a table of the paper."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from trsfnet.analysis.tables import TableRuns
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, picture
from trsfnet.report.names import measure_header, runs_in_words
from trsfnet.report.tables.wording import mean_text, sentence, short_row
from trsfnet.text import capitalised, joined


def means_figure(tables: Sequence[TableRuns]) -> Picture | Markdown:
    """Plot each row's mean with its interval and every seed, a panel per track with finished runs."""
    shown = [one for one in tables if any(row.values for row in one.rows)]
    if not shown:
        return Markdown("No run of this table has finished, so there is nothing to draw.")
    first = shown[0]
    with style.panels(1, len(shown), 1.3 + 0.36 * len(first.cells), sharey=True) as (figure, (axes,)):
        for panel, one in zip(axes, shown, strict=True):
            _points(panel, one)
        axes[0].set_yticks(range(len(first.cells)), [short_row(first, variant) for variant in first.cells])
        axes[0].set_ylim(len(first.cells) - 0.5, -0.5)
        if first.table == 6:
            axes[0].set_ylabel("Initial slope")
    findings = " ".join(f"{capitalised(runs_in_words(one))}: {sentence(one)}" for one in shown)
    means = " ".join(f"{capitalised(runs_in_words(one))}: {_means(one)}." for one in shown)
    caption = (
        f"{findings} Each row shows the mean over seeds, its 95 % interval and each seed (pale). The panels "
        "cannot be compared with each other or with the paper."
    )
    alt = f"A point with its interval for each row of the table. {means}"
    return picture(figure, alt=alt, caption=caption)


def _points(panel: Axes, one: TableRuns) -> None:
    for y, row in enumerate(one.rows):
        look = style.look(row.variant)
        panel.plot(list(row.values.values()), [y] * len(row.values), "o", color=look.colour, alpha=0.35)
        if row.mean:
            panel.plot([row.mean.interval.low, row.mean.interval.high], [y, y], color=look.colour)
        if row.value is not None:
            panel.plot(row.value, y, look.marker, color=look.colour, markersize=8)
    if one.of_tar:
        panel.set_xlabel(measure_header(one.measures[0], one.track))
        # No steps of 2.5, because the tick labels are whole percentages.
        panel.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        panel.xaxis.set_major_formatter(PercentFormatter(1))
    else:
        panel.set_xlabel("Mean magnitude of TRSF after training")
    panel.set_title(capitalised(runs_in_words(one)))


def _means(one: TableRuns) -> str:
    texts = [
        f"{short_row(one, row.variant)} {mean_text(one, row).replace('*', '')}"
        for row in one.rows
        if row.values
    ]
    return joined(texts)
