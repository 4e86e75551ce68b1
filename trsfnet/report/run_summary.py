"""Figures and a table for one run, shown in the notebook that trained it."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from trsfnet.analysis.run import Run
from trsfnet.report import style
from trsfnet.report.display import Markdown, table
from trsfnet.report.figures import depth_bar, epoch_axis, lines_by_depth
from trsfnet.report.names import measure_header, measure_name
from trsfnet.report.run_state import message
from trsfnet.text import counted, duration, percent


def training_curves(run: Run) -> Figure:
    """Plot the loss, and TAR on unseen people, over the epochs of one run."""
    history = run.history
    if history.empty:
        return _message(f"{run.run_id}: no epoch has finished, so there is no curve.")
    with style.panels(1, 2, 3.2) as (figure, ((left, right),)):
        marker = "o" if len(history) < 10 else ""
        left.plot(history["epoch"], history["loss"], marker=marker)
        left.set(title="Training loss", ylabel="Mean cross-entropy (nats)", ylim=(0, None))
        for measure in run.measures:
            right.plot(
                history["epoch"], history[measure], marker=marker, label=measure_header(measure, run.track)
            )
        right.set(title="Verification of unseen people", ylabel="TAR", ylim=(0, None))
        right.yaxis.set_major_formatter(PercentFormatter(1))
        right.legend(loc="best")
        for axes in (left, right):
            epoch_axis(axes)
    return figure


def learned_parameters(run: Run) -> Figure:
    """Plot one run's scales, slopes and residual ratios over its epochs, coloured by depth."""
    titles = {
        "trsf": ("Residual scales", "TRSF"),
        "slope": ("PReLU slopes", "Slope α"),
        "ratio": ("Residual ratios", "‖branch‖ / ‖trunk‖"),
    }
    tables = {kind: table for kind, table in run.learned.items() if kind in titles}
    if not tables:
        return _message(f"{run.run_id} has recorded no parameters.")
    with style.panels(1, len(tables), 3.4) as (figure, (axes,)):
        for panel, (kind, table) in zip(axes, tables.items(), strict=True):
            title, label = titles[kind]
            lines_by_depth(panel, table)
            panel.set(title=f"{title}: {counted(table.shape[1], 'curve')}", ylabel=label)
        depth_bar(figure, axes.tolist())
    return figure


def _message(text: str) -> Figure:
    """Return a figure with a text that explains why there is nothing to draw."""
    with style.panels(1, 1, 0.9) as (figure, ((axes,),)):
        axes.set_axis_off()
        axes.text(0.5, 0.5, text, ha="center", va="center", wrap=True)
    return figure


def summary(run: Run) -> Markdown:
    """Summarise one run's settings, data and results in a plain Markdown table."""
    info = run.info
    rows = [
        ("Variant", run.name),
        ("Track and seed", f"{run.track}, seed {run.seed}"),
        ("Status", f"**{run.status}** {message(run)}"),
        *((measure_name(name), percent(value)) for name, value in run.metrics.items()),
        *_data(info.get("data", {})),
        *_counts(info.get("counts")),
        ("Wall time", duration(info.get("seconds", 0.0))),
        ("Record", f"`{run.path}`"),
        ("Command", f"`{info.get('command', '')}`"),
    ]
    return Markdown(table(("Run", f"`{run.run_id}`"), rows))


def _data(data: dict[str, Any]) -> list[tuple[str, str]]:
    uses = {"train": "Trained on", "test": "Verified on"}
    return [
        (uses[part], f"{faces['images']:,} images of {faces['identities']:,} people, {faces['size']} px")
        for part, faces in data.items()
    ]


def _counts(counts: dict[str, int] | None) -> list[tuple[str, str]]:
    if counts is None:
        return []
    return [
        (
            "Network",
            f"{counts['parameters']:,} parameters, including {counts['scales']:,} residual scales "
            f"and {counts['slopes']:,} slopes",
        )
    ]
