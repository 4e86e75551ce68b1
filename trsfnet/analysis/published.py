"""How much the paper's own test could tell: intervals of its cells, and which differences exceed its noise.

A percentage of LFW is a whole number k of 3,000 same-person pairs, of IJB-B of 10,270. What is asked here is
how far k could be from what endless pairs of the same kind would give. How far another seed of the training
would have been is another question, to which the paper has no answer: it gives one run per cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from trsfnet.analysis.contrasts import holm
from trsfnet.analysis.findings import ALPHA
from trsfnet.evaluation.statistics import Interval, wilson
from trsfnet.paper.numbers import PaperTable, paper_table

_TABLES_OF_TAR = (1, 2, 3, 6)


@dataclass(frozen=True)
class PublishedCell:
    """A percentage of the paper as what it is, a count.

    Attributes:
        table: number of the paper's table.
        variant: such as `v1-trsf-prelu`.
        accepted: same-person pairs accepted.
        trials: same-person pairs.
        interval: Wilson's, at 95 %, as a share.
    """

    table: int
    variant: str
    accepted: int
    trials: int
    interval: Interval


@dataclass(frozen=True)
class PublishedDifference:
    """Two cells of the paper that were measured on the same pairs, and whether their test tells them apart.

    The test that suits is McNemar's, which looks at the discordant pairs: accepted by one network and not by
    the other. Their number is not published. It is at least the difference of the counts, and at most what
    two networks that never fail on the same pair have; the p value lies between those of the two cases.

    Attributes:
        table: number of the paper's table.
        variant: of the first cell.
        baseline: of the second.
        pairs: accepted by the first less accepted by the second.
        share: the same as a share of all.
        p_unpaired: two-sided p value if the networks had been tested on pairs of their own: pooled z test.
        p_smallest: of McNemar's exact test with the fewest discordant pairs possible.
        p_largest: the same with the most.
        discordant: fewest and most discordant pairs possible.
        discordant_to_tell: the most discordant pairs with which McNemar's p value is below 0.05; None if
            none are few enough.
        p_holm: `p_unpaired`, adjusted for all differences that are looked at together.
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
        """Whether it is beyond chance: True however the pairs fell, False in no case, else None."""
        if max(self.p_unpaired, self.p_largest) < ALPHA:
            return True
        return False if self.p_smallest >= ALPHA else None


def published_cells() -> list[PublishedCell]:
    """Every TAR of tables 1, 2, 3 and 6 with its interval."""
    return [cell for number in _TABLES_OF_TAR for cell in _cells(paper_table(number)).values()]


def published_differences() -> list[PublishedDifference]:
    """Each cell against the first of its table; in table 6 the best start against each other one."""
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
    return [
        _difference(number, cell, other, p, adjusted)
        for (number, cell, other), p, adjusted in zip(found, unpaired, holm(unpaired), strict=True)
    ]


def _cells(table: PaperTable) -> dict[str, PublishedCell]:
    cells = {}
    trials = table.trials
    assert trials  # as in every table of percentages
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
    # The better network accepts all pairs on which the worse fails, as far as there are such.
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
    """McNemar's exact p values with `gap` more of the discordant pairs on one side than on the other."""
    more = (discordant + gap) // 2
    return np.minimum(1.0, 2 * special.bdtrc(more - 1, discordant, 0.5))
