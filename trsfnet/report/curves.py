"""Verification accuracy and loss over training: the paper's figures 3 and 4 for our tracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trsfnet.analysis import Analysis
from trsfnet.analysis.run import Run
from trsfnet.analysis.tables import TableRuns
from trsfnet.experiments.variants import short_name, variant_of
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, captioned, folded, picture, table
from trsfnet.report.figure_runs import FigureRuns, Runs, seeds_in_words
from trsfnet.report.figures import epoch_axis, legend_below, mean_over_seeds
from trsfnet.report.names import measure_header, runs_in_words, short_track
from trsfnet.report.run_state import finished_or_all
from trsfnet.text import capitalised, joined, percent, with_range


def over_training(tables: Sequence[TableRuns], number: int) -> list[Picture | Markdown]:
    """Plot verification after every epoch, a row of panels per table, with the training loss in a dropdown.

    Args:
        tables: tables of one track, such as tables 1 and 2 for the paper's figure 3.
        number: number of the paper's figure.
    """
    of = FigureRuns(tables, number)
    rows = [row for table in tables if (row := _started(FigureRuns([table], number).runs))]
    if not rows:
        return [of.nothing]
    title = f"Training loss on {of.track}, which the paper does not show"
    return [_validation(of, rows), Markdown(folded(title, _loss(of, rows).markdown()))]


def _started(runs: Runs) -> Runs:
    """Keep the runs with at least one finished epoch, and drop variants that have none."""
    found = {variant: [run for run in cell if run.epochs_done] for variant, cell in runs.items()}
    return {variant: cell for variant, cell in found.items() if cell}


def _validation(of: FigureRuns, rows: list[Runs]) -> Picture:
    measures, track = of.tables[0].measures, of.tables[0].track
    named = {measure_header(name, track): name for name in measures}
    drawing, first = _draw(rows, named), next(iter(named))
    for axes in drawing.axes:
        axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    finding = _findings(rows, measures[0])
    return picture(
        drawing,
        alt=f"{first} of unseen people over the epochs, a line per variant. {finding}",
        caption=f"{of.opening}, {first}: {finding} {_key(rows)}{of.missing}",
    )


def _loss(of: FigureRuns, rows: list[Runs]) -> Picture:
    finding = _findings(rows, "loss")
    return picture(
        _draw(rows, {"Training loss (nats)": "loss"}),
        alt=f"Mean training loss over the epochs, a line per variant. {finding}",
        caption=f"Mean training loss of the same runs on {of.track}: {finding} {_key(rows)}",
    )


def _draw(rows: list[Runs], columns: dict[str, str]) -> Figure:
    """Draw a panel for each row of variants and each column of the history.

    Args:
        rows: the runs of each row, by variant.
        columns: columns of the history, by the label of their axis.
    """
    size = (style.FIGURE_WIDTH * (1 if len(columns) > 1 else 0.8), 0.9 + 3.0 * len(rows))
    panels = style.panels(len(rows), len(columns), size[1], figsize=size, sharex=True, sharey="col")
    with panels as (figure, axes):
        for row, runs in zip(axes, rows, strict=True):
            for panel, (label, column) in zip(row, columns.items(), strict=True):
                for variant, cell in runs.items():
                    _lines(panel, variant, cell, column)
                panel.set(ylabel=label, ylim=(0, None))
                panel.set_title(f"Inception-ResNet {variant_of(next(iter(runs))).arch}")
                panel.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        for panel in axes[-1]:
            epoch_axis(panel)
        fullest = max(axes[:, 0], key=lambda panel: len(panel.get_legend_handles_labels()[1]))
        legend_below(figure, fullest)
    return figure


def _lines(axes: Axes, variant: str, runs: list[Run], column: str) -> None:
    """Draw the mean over finished seeds with a band for their range, and unfinished runs as dotted lines."""
    look = style.look(variant)
    label = variant_of(variant).additions or "original"
    finished = [run for run in runs if run.done]
    if finished:
        mean_over_seeds(axes, _by_epoch(finished, column), label, look, band=0.13)
    for run in runs:
        if not run.done:
            name = "" if finished else f"{label} ({run.status})"
            axes.plot(_by_epoch([run], column), ":", color=look.colour, linewidth=1.2, label=name)


def _by_epoch(runs: list[Run], column: str) -> pd.DataFrame:
    """Return one history column of every run side by side, for the epochs that all runs have."""
    return pd.concat([run.history.set_index("epoch")[column] for run in runs], axis=1).dropna()


def _findings(rows: list[Runs], column: str) -> str:
    """State which curves end highest and lowest in each row of panels."""
    if len(rows) == 1:
        return _ends(rows[0], column)
    return " ".join(
        f"Of the {variant_of(next(iter(row))).arch} networks, {_ends(row, column)}" for row in rows
    )


def _ends(runs: Runs, column: str) -> str:
    """State in one sentence which curves end highest and lowest, and at which values."""
    last = {key: _by_epoch(finished_or_all(cell), column).iloc[-1] for key, cell in runs.items()}
    low, high = (choose(last, key=lambda key: last[key].mean()) for choose in (min, max))
    write = (lambda value: f"{value:.2f}") if column == "loss" else percent
    if low == high:
        return f"{short_name(low)} ends at {_end(last[low], write)}."
    if write(last[low].mean()) == write(last[high].mean()):
        names = joined([short_name(variant) for variant in last])
        return f"{names} {'both' if len(last) == 2 else 'all'} end at {write(last[low].mean())}."
    highest, lowest = ("higher", "lower") if len(last) == 2 else ("highest", "lowest")
    return (
        f"{short_name(high)} ends {highest} at {_end(last[high], write)}, "
        f"{short_name(low)} {lowest} at {_end(last[low], write)}."
    )


def _end(values: pd.Series, write: Callable[[float], str]) -> str:
    """Format the mean of a variant's last values, with their range if there are several seeds."""
    if len(values) == 1:
        return write(values.iloc[0])
    return with_range(values.mean(), values.min(), values.max(), write)


def _key(rows: list[Runs]) -> str:
    """Explain the lines and bands, with the number of seeds."""
    finished = {key: [run.seed for run in cell if run.done] for row in rows for key, cell in row.items()}
    finished = {key: seeds for key, seeds in finished.items() if seeds}
    if not finished:
        return "Dotted lines are unfinished runs."
    drawn = "Lines are means over seeds; bands span the lowest to the highest seed"
    if max(map(len, finished.values())) == 1:
        drawn = "Each line is one run"
    return f"{drawn}; {seeds_in_words(finished)}."


_PARTS = (0.5, 0.75, 1.0)
# Training stands still at a smaller share of the initial learning rate.
_STOPPED = 0.01


def convergence(groups: Sequence[Sequence[TableRuns]]) -> Markdown:
    """Tabulate how far verification of the baselines still rises at the end of training.

    Args:
        groups: the tables of each track.
    """
    found = [one for tables in groups for each in tables if (one := _converged(each))]
    if not found:
        return Markdown("No baseline has finished yet.")
    header = ("Runs", "Baseline", "Measure", "Half of the epochs", "Three quarters", "All")
    rows = [
        (
            capitalised(runs_in_words(one.of)),
            short_name(one.of.baseline),
            measure_header(one.of.measures[0], one.of.track),
            *map(percent, one.verification),
            f"{one.loss:.2f}",
            percent(one.accuracy),
        )
        for one in found
    ]
    caption = (
        "Verification after parts of the training, and the final training loss (nats) and training accuracy, "
        "of the baselines without TRSF and with ReLU: means over seeds."
    )
    body = table((*header, "Training loss", "Training accuracy"), rows)
    return Markdown(f"{captioned(caption, 'table-convergence', body)}\n{_still_rising(found)}")


@dataclass(frozen=True)
class _Convergence:
    """The course of a table's baseline, as means over its finished seeds.

    Attributes:
        of: the table.
        verification: its measure after each of `_PARTS` of the epochs.
        loss: final training loss in nats.
        accuracy: final training accuracy.
        slowed: final learning rate over the initial one, the largest of all seeds.
    """

    of: TableRuns
    verification: list[float]
    loss: float
    accuracy: float
    slowed: float

    @property
    def rise(self) -> float:
        """The change of the measure in the last quarter of the epochs."""
        return self.verification[-1] - self.verification[-2]


def _converged(of: TableRuns) -> _Convergence | None:
    finished = [run for run in of.cells.get(of.baseline, []) if run.done]
    if not finished or variant_of(of.baseline).activation != "relu":
        return None
    epochs = finished[0].config["epochs"]
    if epochs < len(_PARTS) + 1:  # its parts would be the same epoch
        return None
    verification, loss, accuracy = (
        _by_epoch(finished, column).mean(axis=1) for column in (of.measures[0], "loss", "train_accuracy")
    )
    return _Convergence(
        of,
        [verification.loc[round(part * epochs)] for part in _PARTS],
        loss.iloc[-1],
        accuracy.iloc[-1],
        max(run.history["learning_rate"].iloc[-1] / run.learning_rate for run in finished),
    )


def _still_rising(found: Sequence[_Convergence]) -> str:
    """Conclude from the last quarter of the epochs whether training has converged."""
    rising = [one for one in found if one.rise > 0]
    accuracies = [one.accuracy for one in found]
    ends = f"{_range(accuracies, percent)} of the training images are classified correctly at the end"
    if not rising:
        return f"In the last quarter of the epochs, no baseline improves any more; {ends}."
    gain = f"{len(rising)} of {len(found)} baselines still gain"
    if len(rising) == len(found):
        gain = "every baseline still gains"
    gained = _range([100 * one.rise for one in rising], "{:.1f}".format)
    said = (
        f"In the last quarter of the epochs, {gain} {gained} points of TAR, and {ends}: training has not "
        "converged."
    )
    if max(one.slowed for one in found) < _STOPPED:
        said += " Curves that flatten at the end do so because the learning rate ends near zero."
    return said


def _range(values: Sequence[float], write: Callable[[float], str]) -> str:
    low, high = write(min(values)), write(max(values))
    return low if low == high else f"{low} to {high}"


# The measures of the pilot, over all pairs, by track.
_ALL_PAIRS = {"synthetic": "all_pairs_tar@{}", "lfw": "tar@{}"}


def pilot(found: Analysis) -> Markdown:
    """Tabulate the pilot study on the schedule of the budget `full`, and state which schedule is better."""
    runs = [run for run in found.runs if run.budget == "matched-pilot" and run.done]
    if not runs:
        return Markdown("The pilot has not been run.")
    runs.sort(key=lambda run: (list(_ALL_PAIRS).index(run.track), run.config["schedule"], run.seed))
    rows = [
        (
            capitalised(short_track(run.track)),
            _schedule(run),
            f"{run.config['weight_decay']:g}",
            str(run.seed),
            *(percent(_over_all_pairs(run, far)) for far in ("1e-2", "1e-3")),
        )
        for run in runs
    ]
    header = ("Track", "Schedule", "Weight decay", "Seed", "TAR at FAR 1e-2", "TAR at FAR 1e-3")
    caption = (
        "The baseline v1 at the paper's decay budget, with two schedules; TAR over all pairs. "
        f"{' '.join(_better_schedule(runs, track) for track in _ALL_PAIRS)}"
    )
    return Markdown(captioned(caption.rstrip(), "table-pilot", table(header, rows)))


def _schedule(run: Run) -> str:
    return "cosine" if run.config["schedule"] == "cosine" else "five constant rates"


def _over_all_pairs(run: Run, far: str) -> float:
    return float(run.metrics[_ALL_PAIRS[run.track].format(far)])


def _better_schedule(runs: Sequence[Run], track: str) -> str:
    """State the mean TAR at FAR 1e-2 with each schedule on a track; empty without runs with both."""
    found: dict[str, list[float]] = {}
    for run in runs:
        if run.track == track:
            found.setdefault(_schedule(run), []).append(_over_all_pairs(run, "1e-2"))
    if len(found) < 2:
        return ""
    better, worse = sorted(found, key=lambda schedule: -fmean(found[schedule]))
    return (
        f"On {short_track(track)}, the mean TAR at FAR 1e-2 is {percent(fmean(found[better]))} ({better}) "
        f"against {percent(fmean(found[worse]))} ({worse})."
    )
