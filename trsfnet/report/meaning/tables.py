"""Tables on what a scale means: changes over training, and TRSF against constants."""

from __future__ import annotations

import numpy as np

from trsfnet.analysis.contrasts import Effect, contrast, pooled_spread
from trsfnet.report.collection import Group
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.meaning.branches import Branches, Runs, finished_branches, pairs
from trsfnet.report.names import short_name


def changes(group: Group) -> Markdown | None:
    """Of each setting where scale, kernel, their product and the ratio started and ended."""
    runs = finished_branches(group)
    if not runs:
        return None
    header = (
        "Setting",
        "Seeds",
        "|s|",
        "‖W‖",
        "|s|·‖W‖",
        "Ratio",
        "Ratio, arithmetic mean",
        "Ratio of each seed",
    )
    rows = [_change_row(setting, found) for setting, found in runs.items()]
    caption = (
        f"From the start to the end of training on the {group.track} track: geometric means over all blocks, "
        "averaged over seeds; of each seed at the end. Ratio: ‖s · Inception(x)‖ / ‖x‖."
    )
    return Markdown(captioned(caption, f"branches-{group.track}-{group.table}", table(header, rows)))


def _change_row(setting: str, runs: dict[int, Branches]) -> list[str]:
    means = [found.means for found in runs.values()]
    cells = []
    for quantity in ("scale", "kernel", "product", "ratio"):
        start, end = (float(np.mean([m[quantity].iloc[i] for m in means])) for i in (0, -1))
        cells.append(f"{start:.3g} → {end:.3g}")
    cells.append(f"{mean_ratio(runs, 0):.3g} → {mean_ratio(runs):.3g}")
    each = "; ".join(f"{m['ratio'].iloc[-1]:.3f}" for m in means)
    return [short_name(setting), str(len(means)), *cells, each]


def gains(group: Group) -> Markdown | None:
    """How many times as large each quantity ends with TRSF as with constants."""
    runs = finished_branches(group)
    compared = pairs(list(runs))
    if not compared:
        return None
    header = ("Activation", "|s|", "‖W‖", "|s|·‖W‖", "Ratio (95 % interval)", "Ratio, arithmetic mean")
    rows = []
    for fixed, trained in compared:
        means = [f"{10 ** _difference(runs, fixed, trained, q):.2f}" for q in ("scale", "kernel", "product")]
        arithmetic = mean_ratio(runs[trained]) / mean_ratio(runs[fixed])
        rows.append((_activation(fixed), *means, ratio_gain(runs, fixed, trained), f"{arithmetic:.2f}"))
    caption = (
        f"TRSF over constants after training on the {group.track} track, as factors of geometric means. The "
        "interval is of this comparison alone, its spread pooled over the table's settings with TRSF and "
        "over those with constants."
    )
    return Markdown(captioned(caption, f"branches-gain-{group.track}-{group.table}", table(header, rows)))


def ratio_gain(runs: Runs, fixed: str, trained: str) -> str:
    """Such as `1.42 (1.30 to 1.55)`."""
    effect = _effect(runs, fixed, trained)
    if effect is None:
        return f"{10 ** _difference(runs, fixed, trained, 'ratio'):.2f} (no interval: one seed)"
    interval = effect.interval
    return f"{10**interval.value:.2f} ({10**interval.low:.2f} to {10**interval.high:.2f})"


def _effect(runs: Runs, fixed: str, trained: str) -> Effect | None:
    values = {setting: _logs(found, "ratio") for setting, found in runs.items()}
    # Trained scales spread more between seeds than constants, which do not move.
    spreads = [
        pooled_spread(values[s] for s, found in runs.items() if _is_trained(found) == _is_trained(runs[one]))
        for one in (trained, fixed)
    ]
    known = [spread for spread in spreads if spread]
    return contrast([values[trained], values[fixed]], [1.0, -1.0], known) if len(known) == 2 else None


def _is_trained(runs: dict[int, Branches]) -> bool:
    return any(found.trained for found in runs.values())


def _difference(runs: Runs, fixed: str, trained: str, quantity: str) -> float:
    """Of the means over seeds of the decimal logarithm."""
    ends = [np.mean(list(_logs(runs[setting], quantity).values())) for setting in (trained, fixed)]
    return float(ends[0] - ends[1])


def mean_ratio(runs: dict[int, Branches], epoch: int = -1) -> float:
    """Arithmetic mean over blocks and seeds, by default after the last epoch."""
    return float(np.mean([found.ratio.iloc[epoch].mean() for found in runs.values()]))


def _logs(runs: dict[int, Branches], quantity: str) -> dict[int, float]:
    """Decimal logarithm of the geometric mean at the end, by seed."""
    return {seed: float(np.log10(found.means[quantity].iloc[-1])) for seed, found in runs.items()}


def _activation(setting: str) -> str:
    return short_name(setting).partition(" + ")[2] or "ReLU"
