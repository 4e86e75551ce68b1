"""Statistics of the paper's own numbers: values as counts, differences, and the limits of a single seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count, pairwise

import numpy as np
from matplotlib.ticker import PercentFormatter
from scipy import special

from trsfnet.analysis.contrasts import POWER
from trsfnet.analysis.findings import ALPHA
from trsfnet.analysis.power import smallest_difference
from trsfnet.analysis.published import (
    PublishedCell,
    PublishedDifference,
    published_cells,
    published_differences,
)
from trsfnet.experiments.variants import short_name
from trsfnet.paper.numbers import PaperTable, paper_table
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, captioned, folded, picture, table
from trsfnet.text import NBSP, counted, joined, p_value, percent, percent_range

_LFW_TABLES = (1, 2, 6)
# Assumed standard deviations of TAR between seeds, in points; the largest would hide nearly all differences.
_SEED_SPREADS = (0.0, 0.25, 0.5, 1.0)

CLEAR, UNDECIDED, NOISE = "clear", "open", "within noise"
_CLASSES = {True: CLEAR, None: UNDECIDED, False: NOISE}
_MEANINGS = {
    CLEAR: "beyond chance, whatever the number of discordant pairs.",
    UNDECIDED: "undecided, because the number of discordant pairs is not published.",
    NOISE: "explained by chance, whatever the number of discordant pairs.",
}


def cells_figure() -> Picture:
    """Plot the 17 cells of tables 1, 2 and 6 with the intervals of their counts."""
    cells = [cell for cell in published_cells() if cell.table in _LFW_TABLES]
    with style.panels(1, 1, 5.4) as (figure, ((axes,),)):
        labels = []
        # Leave an empty row between tables.
        heights = [i + _LFW_TABLES.index(cell.table) for i, cell in enumerate(cells)]
        for height, cell in zip(heights, cells, strict=True):
            look, interval = style.look(cell.variant), cell.interval
            axes.plot([interval.low, interval.high], [height, height], color=look.colour)
            axes.plot(interval.value, height, look.marker, color=look.colour, markersize=6)
            labels.append(f"Table {cell.table}: {_cell_name(cell)}")
        axes.set_yticks(heights, labels)
        axes.invert_yaxis()
        axes.set_xlabel("TAR at FAR 1e-3 on LFW, as published")
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    widths = [100 * (cell.interval.high - cell.interval.low) for cell in cells]
    caption = (
        f"The paper's {len(cells)} cells on LFW, each a whole number of {cells[0].trials:,} pairs, with "
        f"Wilson's 95 % intervals, {min(widths):.1f} to {max(widths):.1f} points wide. Intervals of cells "
        "measured on the same pairs may overlap although a paired test distinguishes them."
    )
    low, high = min(cells, key=lambda c: c.accepted), max(cells, key=lambda c: c.accepted)
    alt = (
        f"A point with an interval for each cell of tables 1, 2 and 6, from {_cell_name(low)} "
        f"({low.accepted:,} pairs) to {_cell_name(high)} ({high.accepted:,} pairs); most intervals overlap."
    )
    return picture(figure, alt=alt, caption=caption)


def cells_table() -> Markdown:
    """Tabulate all cells in a dropdown, including those of IJB-B."""
    rows = [
        (
            str(cell.table),
            _cell_name(cell),
            f"{100 * cell.interval.value:.2f}{NBSP}%",
            f"{cell.accepted:,} of {cell.trials:,}",
            percent_range(cell.interval.low, cell.interval.high),
        )
        for cell in published_cells()
    ]
    header = ("Table", "Variant", "TAR", "Pairs accepted", "95 % interval")
    body = captioned("Every TAR in the paper as a count.", "published-cells", table(header, rows))
    return Markdown(folded(f"The {len(rows)} cells in numbers", body))


def _cell_name(cell: PublishedCell) -> str:
    name = short_name(cell.variant)
    return f"{name} from 0.2" if cell.table == 6 and cell.variant == "v2-prelu" else name


def differences() -> Markdown:
    """Tabulate the paper's differences by whether they are clear, open or within the noise of their test."""
    header = (
        "Difference (table)",
        "Pairs (points)",
        "p unpaired (Holm)",
        "p of McNemar's test",
        "Discordant pairs",
    )
    parts: list[str] = []
    for name, meaning in _MEANINGS.items():
        found = [d for d in published_differences() if _CLASSES[d.exceeds_noise] == name]
        caption = f"{name.capitalize()}: {meaning} {counted(len(found), 'difference')}."
        if not parts:
            caption += (
                " Points, here and in the next tables, are computed from counts of pairs, so they can differ "
                "by 0.01 from the difference of the printed percentages."
            )
        body = table(header, [_difference_row(d) for d in found])
        parts.append(captioned(caption, f"differences-{name.replace(' ', '-')}", body))
    return Markdown("\n".join(parts))


def _difference_row(d: PublishedDifference) -> list[str]:
    low, high = d.discordant
    tell = {None: "never significant", high: "significant at any number"}.get(
        d.discordant_to_tell, f"significant up to {d.discordant_to_tell}"
    )
    pairs, share = (text.replace("-", "−") for text in (f"{d.pairs:+d}", f"{100 * d.share:+.2f}"))
    return [
        f"{_difference_name(d)} ({d.table})",
        f"{pairs} ({share})",
        f"{p_value(d.p_unpaired)} ({p_value(d.p_holm)})",
        f"{p_value(d.p_smallest)} to {p_value(d.p_largest)}",
        f"{low} to {high}; {tell}",
    ]


def _difference_name(d: PublishedDifference) -> str:
    return f"{short_name(d.variant)} − {short_name(d.baseline)}"


def verdict() -> str:
    """State how many of the paper's differences exceed the noise of its own test."""
    found = published_differences()
    names = {
        name: [_difference_name(d) for d in found if _CLASSES[d.exceeds_noise] == name] for name in _MEANINGS
    }
    survive = sum(d.p_holm < ALPHA for d in found)
    return (
        f"Of {len(found)} differences that the paper reports, {len(names[CLEAR])} exceed the noise of "
        f"their own test, {len(names[UNDECIDED])} are open ({joined(names[UNDECIDED])}) and "
        f"{len(names[NOISE])} {'lies' if len(names[NOISE]) == 1 else 'lie'} within it "
        f"({joined(names[NOISE])}). If the pairs are treated as independent and all {len(found)} are "
        f"corrected for together, {survive} remain. This does not cover the variation between seeds."
    )


def grid_of_3000() -> str:
    """Explain why the percentages must be counts of 3,000 pairs."""
    cells = sum(len(paper_table(number).cells) for number in _LFW_TABLES)
    runs = len({variant for number in _LFW_TABLES for variant in paper_table(number).by_variant})
    # In percent with two decimals, k/3000 ends in 0, 3 or 7, as 3 in 10 other numbers do.
    return (
        f"All {cells} cells on LFW, of {runs} runs, end in 0, 3 or 7, as whole numbers of 3,000 pairs do. "
        f"The probability that {runs} arbitrary percentages do so is 1 in {1e-6 / 0.3**runs:,.0f} million."
    )


def single_seed() -> Markdown:
    """Tabulate what one run per network can show, for several assumed deviations between seeds."""
    found = published_differences()
    gaps = [abs(d.share) for d in found if d.table in _LFW_TABLES]
    share = _mean_share([paper_table(number) for number in _LFW_TABLES])
    trials = paper_table(1).trials
    assert trials  # known for every table of percentages
    rows = []
    for spread in _SEED_SPREADS:
        error = math.sqrt(2 * (share * (1 - share) / trials + (spread / 100) ** 2))
        smallest = special.ndtri(1 - ALPHA / 2) * error
        beyond = f"{sum(gap > smallest for gap in gaps)} of {len(gaps)}"
        rows.append((f"{spread:.2f}", f"{100 * smallest:.1f}", beyond, str(_seeds_to_see(1.0, spread))))
    header = (
        "SD between seeds",
        "Smallest difference beyond chance",
        "The paper's differences beyond it",
        "Seeds to detect 1 point",
    )
    caption = (
        "What a comparison of two single runs can show, in points of TAR, given the noise of 3,000 "
        f"independent pairs at the mean TAR of {percent(share)}, and of seeds; and how many seeds per "
        f"network detect 1 point with a power of {100 * POWER:.0f} %, given the noise of seeds alone (t "
        "test), since more seeds are tested on the same pairs. Of the paper's "
        f"{len(found)} differences, these are the {len(gaps)} on LFW; the table leaves out "
        f"{len(found) - len(gaps)} on IJB-B."
    )
    return Markdown(captioned(caption, "single-seed", table(header, rows)))


def _mean_share(tables: Sequence[PaperTable]) -> float:
    return float(np.mean([value for t in tables for value in t.by_variant.values()]))


def _seeds_to_see(difference: float, spread: float) -> int:
    """Return how many seeds (at least two) each of two variants needs to detect a difference with a t test.

    Args:
        difference: true difference, in points.
        spread: standard deviation between seeds, in points.
    """
    return next(n for n in count(2) if smallest_difference(spread, seeds=n, variants=2) <= difference)


def starts_spread() -> str:
    """State the spread between the runs of table 6, which differ only in the initial slope."""
    starts = sorted(paper_table(6).cells.items(), key=lambda cell: float(cell[0]))
    deviation = np.std([value for _, value in starts], ddof=1)
    (before, low), (after, high) = max(pairwise(starts), key=lambda pair: abs(pair[1][1] - pair[0][1]))
    return (
        "The paper itself has five runs that differ only in the initial slope. Their TAR has a standard "
        f"deviation of {deviation:.2f} points and shows no trend: {low:.2f} at {before} and {high:.2f} at "
        f"{after}. Either the initial slope changes accuracy irregularly, or seeds do; one run per value "
        "cannot tell which."
    )
