"""The learned size of the branches: held-out loss after all scales are multiplied by a common factor."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from trsfnet.analysis import Analysis
from trsfnet.analysis.mechanism import NEAR_ONE, loss_by_factor
from trsfnet.experiments.mechanism import ENDS
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, picture
from trsfnet.text import counted
from trsfnet.training.rescaling import FACTORS


def size_figure(found: Analysis) -> Picture | Markdown:
    """Plot the change in held-out loss by the factor on all branches, a panel per weight decay."""
    losses = _losses(found.mechanism)
    if not losses:
        return Markdown("No run has measured the loss with rescaled branches yet.")
    with style.panels(1, len(losses), 3.6) as (figure, (axes,)):
        for panel, (decay, by_run) in zip(axes, losses.items(), strict=True):
            _curves(panel, by_run)
            budget = found.mechanism.loc[found.mechanism["weight_decay"] == decay, "decay_budget"].mean()
            panel.set_title(f"Weight decay {decay:g}, κ {budget:.2f}")
        axes[0].set_ylabel("Change in held-out loss (nats)")
    finding = size_finding(found.mechanism)
    seeds = counted(max(by_run.index.nunique() for by_run in losses.values()), "seed")
    return picture(
        figure,
        alt=f"Two curves of the held-out loss over the factor, from 0.5 to 2. {finding}",
        caption=(
            f"{finding} Thick lines are means over all runs with trainable scales, which differ in their "
            f"initial scales or their slopes; thin lines are means for each of {seeds}. The loss is the "
            "classifier's on unseen images of the training people, with each batch's own statistics. The "
            f"shaded factors, {NEAR_ONE[0]:g} to {NEAR_ONE[1]:g}, count as nearly optimal. The panels have "
            "different vertical axes."
        ),
    )


def _losses(runs: pd.DataFrame) -> dict[float, pd.DataFrame]:
    """Return the table of `loss_by_factor` of each weight decay that has runs."""
    found = {decay: loss_by_factor(runs, decay) for decay in ENDS} if len(runs) else {}
    return {decay: losses for decay, losses in found.items() if len(losses)}


def _curves(panel: Axes, losses: pd.DataFrame) -> None:
    """Draw the mean change in loss, and that of each seed; the distance between factors is logarithmic."""
    changes = losses.sub(losses[1.0], axis=0)
    panel.axvspan(*NEAR_ONE, color=style.INK, alpha=0.08, linewidth=0)
    panel.axhline(0, color=style.INK, linewidth=0.8)
    for seed, change in changes.groupby(level=0).mean().iterrows():
        panel.plot(change, color=style.POSITIVE, linewidth=0.8, alpha=0.6, label=f"_seed {seed}")
    panel.plot(changes.mean(), "o-", color=style.POSITIVE, markersize=5, label="_mean over runs")
    panel.set(xscale="log", xlabel="Factor on all branches")
    panel.xaxis.set_major_locator(FixedLocator(FACTORS))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def size_finding(runs: pd.DataFrame) -> str:
    """State where the held-out loss is lowest, at each weight decay; empty without measurements.

    Args:
        runs: the table of `trsfnet.analysis.mechanism.mechanism_runs`.
    """
    return " ".join(_finding(decay, losses) for decay, losses in _losses(runs).items())


def _finding(decay: float, losses: pd.DataFrame) -> str:
    best, mean = _best(losses), losses.mean()
    said = (
        f"With weight decay {decay:g}, the learned size of the branches has the lowest held-out loss "
        f"in {_exact(losses)} of {counted(len(losses), 'run')}"
    )
    if best == 1:
        return f"{said}, and on average ({mean[1.0]:.3f} nats)."
    return (
        f"{said}; on average, {best:g} times this size has the lowest. The branches end {_too(best)}, which "
        f"costs {mean[1.0] - mean[best]:.4f} of {mean[1.0]:.3f} nats."
    )


def size_bias(runs: pd.DataFrame) -> str:
    """State at which weight decays the branches end too small or too large, and how often; empty if at none.

    Args:
        runs: the table of `trsfnet.analysis.mechanism.mechanism_runs`.
    """
    return " ".join(
        f"With weight decay {decay:g}, the branches end {_too(_best(losses))}: their learned size is the "
        f"best in {_exact(losses)} of {counted(len(losses), 'run')}."
        for decay, losses in _losses(runs).items()
        if _best(losses) != 1
    )


def _exact(losses: pd.DataFrame) -> int:
    """Return in how many runs the learned size has the lowest loss."""
    return int((losses.idxmin(axis=1) == 1).sum())


def _best(losses: pd.DataFrame) -> float:
    """Return the factor with the lowest mean loss over runs."""
    mean = losses.mean()
    return min(FACTORS, key=lambda factor: mean[factor])


def _too(best: float) -> str:
    """Return how far the branches end from their best size, such as `slightly too small`."""
    slightly = "slightly " if NEAR_ONE[0] <= best <= NEAR_ONE[1] else ""
    return f"{slightly}too {'small' if best > 1 else 'large'}"
