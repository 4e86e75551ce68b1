"""Tables on the meaning of a scale: changes over training, and TRSF compared with constants."""

from __future__ import annotations

import numpy as np

from trsfnet.analysis.branches import QUANTITIES, BranchRuns
from trsfnet.analysis.tables import TableRuns
from trsfnet.analysis.units import FACTOR
from trsfnet.experiments.variants import short_name, variant_of
from trsfnet.report.display import Markdown, captioned
from trsfnet.report.display import table as markdown_table
from trsfnet.report.names import runs_in_words
from trsfnet.text import significant


def changes(table: TableRuns) -> Markdown | None:
    """Tabulate the initial and final scale, kernel norm, their product and the ratio, by variant."""
    runs = table.branches
    if not runs.by_variant:
        return None
    header = (
        "Variant",
        "Seeds",
        "|s|",
        "‖W‖",
        "|s|·‖W‖",
        "Ratio",
        "Ratio, arithmetic mean",
        "Ratio of each seed",
    )
    rows = [_change_row(runs, variant) for variant in runs.by_variant]
    caption = (
        f"From the start to the end of training ({runs_in_words(table)}): geometric means over all modules "
        "but the last, averaged over seeds, and for each seed at the end. Ratio: ‖s · Inception(x)‖ / ‖x‖."
    )
    name = f"branches-{table.track}-{table.table}"
    return Markdown(captioned(caption, name, markdown_table(header, rows)))


def _change_row(runs: BranchRuns, variant: str) -> list[str]:
    cells = []
    for quantity in QUANTITIES:
        start, end = (np.mean(list(runs.geometric(variant, quantity, epoch).values())) for epoch in (0, -1))
        cells.append(f"{start:.3g} → {end:.3g}")
    cells.append(f"{runs.arithmetic_ratio(variant, 0):.3g} → {runs.arithmetic_ratio(variant):.3g}")
    ends = runs.geometric(variant, "ratio").values()
    return [short_name(variant), str(len(ends)), *cells, "; ".join(map(significant, ends))]


def gains(table: TableRuns) -> Markdown | None:
    """Tabulate the factor between TRSF and constants in the final value of each quantity."""
    runs = table.branches
    if not runs.pairs:
        return None
    header = (
        "Activation",
        "|s|",
        "‖W‖",
        "|s|·‖W‖",
        "Ratio (95 % interval)",
        "Ratio, arithmetic mean",
        "Ratio, median",
    )
    rows = [
        (
            variant_of(fixed).additions or "ReLU",
            *(f"{runs.gain(fixed, trained, quantity):.2f}" for quantity in ("scale", "kernel", "product")),
            ratio_gain(runs, fixed, trained),
            *(f"{runs.gain(fixed, trained, 'ratio', mean):.2f}" for mean in ("arithmetic", "median")),
        )
        for fixed, trained in runs.pairs
    ]
    caption = (
        f"TRSF divided by constants after training ({runs_in_words(table)}), as factors of geometric means "
        "over modules unless the column names another. The interval is for this comparison alone; its "
        "variance is pooled over the table's variants with TRSF and over those with constants."
    )
    name = f"branches-gain-{table.track}-{table.table}"
    return Markdown(captioned(caption, name, markdown_table(header, rows)))


def ratio_gain(runs: BranchRuns, fixed: str, trained: str, mean: str = "geometric") -> str:
    """Format the factor in a mean of the ratio with its interval: `1.42 (1.30 to 1.55)`.

    Args:
        runs: the runs.
        fixed: the variant with constants.
        trained: the variant with TRSF.
        mean: the mean over modules, one of `MEANS`.
    """
    effect = runs.ratio_effect(fixed, trained, mean)
    if effect is None:
        return f"{runs.gain(fixed, trained, 'ratio', mean):.2f} (no interval: one seed)"
    return FACTOR.interval(effect.interval.value, effect.interval.low, effect.interval.high)
