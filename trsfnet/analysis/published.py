"""Sampling error of the paper's published results: intervals, and which differences exceed the noise.

A percentage on LFW is a count k out of 3,000 same-person pairs; on IJB-B, out of 10,270. This module
estimates how far k may deviate from its expectation over random samples of pairs. It cannot estimate the
variation between training seeds, because the paper reports one run per cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import special

from trsfnet.analysis.contrasts import holm
from trsfnet.analysis.findings import ALPHA
from trsfnet.evaluation.statistics import Interval, wilson
from trsfnet.paper.numbers import PaperTable, paper_table

_TABLES_OF_TAR = (1, 2, 3, 6)


@dataclass(frozen=True)
class PublishedCell:
    """A percentage published in the paper, expressed as a count.

    Attributes:
        table: number of the paper's table.
        variant: key of the variant, such as `v1-trsf-prelu`.
        accepted: number of same-person pairs accepted.
        trials: number of same-person pairs.
        interval: Wilson's 95 % interval, as a share in 0..1.
    """

    table: int
    variant: str
    accepted: int
    trials: int
    interval: Interval


@dataclass(frozen=True)
class PublishedDifference:
    """Two cells of the paper measured on the same pairs, and whether their difference is significant.

    The appropriate test is McNemar's, which uses the discordant pairs, those that only one of the two
    networks accepts. Their number is not published. It is at least the difference of the counts, and at most
    that of two networks that never fail on the same pair; the p value lies between those of the two extremes.

    Attributes:
        table: number of the paper's table.
        variant: variant of the first cell.
        baseline: variant of the second cell.
        pairs: number of pairs accepted by the first minus number accepted by the second.
        share: the same as a share of all same-person pairs.
        p_unpaired: two-sided p value of the pooled z test, which assumes separate pairs for each network.
        p_smallest: p value of McNemar's exact test with the fewest possible discordant pairs.
        p_largest: p value of McNemar's exact test with the most possible discordant pairs.
        discordant: smallest and largest possible number of discordant pairs.
        discordant_to_tell: the largest number of discordant pairs for which McNemar's p value is below 0.05;
            None if there is no such number.
        p_holm: `p_unpaired` after Holm's adjustment for all differences in `published_differences`.
    """

    table: int
    variant: str
    baseline: str
    pairs: int
    share: float
    p_unpaired: float
    p_smallest: float
    p_largest: float
    discordant: tuple[int, int]
    discordant_to_tell: int | None
    p_holm: float

    @property
    def exceeds_noise(self) -> bool | None:
        """Whether the difference is significant.

        True if both tests are significant for every possible number of discordant pairs, False if McNemar's
        is for none, and None otherwise.
        """
        if max(self.p_unpaired, self.p_largest) < ALPHA:
            return True
        return False if self.p_smallest >= ALPHA else None


@cache
def published_cells() -> tuple[PublishedCell, ...]:
    """Return every TAR of tables 1, 2, 3 and 6 with its interval."""
    return tuple(cell for number in _TABLES_OF_TAR for cell in _cells(paper_table(number)).values())


@cache
def published_differences() -> tuple[PublishedDifference, ...]:
    """Compare each cell with the first of its table; in table 6, the best initial slope with all others."""
    found = []
    for number in _TABLES_OF_TAR:
        cells = _cells(paper_table(number))
        if number == 6:
            best = max(cells.values(), key=lambda cell: cell.accepted)
            pairs = [(best, cell) for cell in cells.values() if cell is not best]
        else:
            first, *others = cells.values()
            pairs = [(cell, first) for cell in others]
        found += [(number, *pair) for pair in pairs]
    unpaired = [_p_unpaired(cell, other) for _, cell, other in found]
    return tuple(
        _difference(number, cell, other, p, adjusted)
        for (number, cell, other), p, adjusted in zip(found, unpaired, holm(unpaired), strict=True)
    )


def _cells(table: PaperTable) -> dict[str, PublishedCell]:
    cells = {}
    trials = table.trials
    assert trials  # every table of percentages states them
    for variant, share in table.by_variant.items():
        accepted = round(share * trials)
        cells[variant] = PublishedCell(table.number, variant, accepted, trials, wilson(accepted, trials))
    return cells


def _p_unpaired(cell: PublishedCell, other: PublishedCell) -> float:
    pooled = (cell.accepted + other.accepted) / (2 * cell.trials)
    error = math.sqrt(pooled * (1 - pooled) * 2 / cell.trials)
    return 2 * float(special.ndtr(-abs(cell.accepted - other.accepted) / cell.trials / error))


def _difference(
    number: int, cell: PublishedCell, other: PublishedCell, p_unpaired: float, p_holm: float
) -> PublishedDifference:
    pairs = cell.accepted - other.accepted
    gap = abs(pairs)
    # Most discordant pairs: the two networks never fail on the same pair.
    worse_fails = cell.trials - min(cell.accepted, other.accepted)
    most = worse_fails + (worse_fails - gap)
    possible = np.arange(gap, most + 1, 2)
    p_values = _mcnemar(gap, possible)
    clear = possible[p_values < ALPHA]
    return PublishedDifference(
        table=number,
        variant=cell.variant,
        baseline=other.variant,
        pairs=pairs,
        share=pairs / cell.trials,
        p_unpaired=p_unpaired,
        p_smallest=float(p_values[0]),
        p_largest=float(p_values[-1]),
        discordant=(gap, most),
        discordant_to_tell=int(clear[-1]) if len(clear) else None,
        p_holm=p_holm,
    )


def _mcnemar(gap: int, discordant: np.ndarray) -> np.ndarray:
    """Return McNemar's exact p values if one side has `gap` more of the discordant pairs than the other."""
    more = (discordant + gap) // 2
    return np.minimum(1.0, 2 * special.bdtrc(more - 1, discordant, 0.5))
