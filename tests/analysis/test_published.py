"""What the paper's own test could tell."""

from __future__ import annotations

import pytest
from scipy import stats

from trsfnet.analysis.published import published_cells, published_differences
from trsfnet.paper.numbers import paper_table


def differences() -> dict[tuple[int, str, str], object]:
    return {(d.table, d.variant, d.baseline): d for d in published_differences()}


def test_every_cell_is_its_count():
    cells = published_cells()
    assert len(cells) == 19
    for cell in cells:
        printed = paper_table(cell.table).by_variant[cell.variant]
        assert cell.accepted / cell.trials == pytest.approx(printed, abs=5e-5)
        expected = stats.binomtest(cell.accepted, cell.trials).proportion_ci(method="wilson")
        assert (cell.interval.low, cell.interval.high) == pytest.approx((expected.low, expected.high))


def test_the_unpaired_test_is_the_chi_square():
    found = differences()[1, "v1-prelu", "v1-relu"]
    table = [[2836, 164], [2802, 198]]
    assert found.p_unpaired == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)


def test_mcnemar_lies_between_no_overlap_and_most():
    for d in published_differences():
        fewest, most = d.discordant
        assert fewest == abs(d.pairs)
        assert d.p_smallest <= d.p_largest
        assert d.p_smallest == pytest.approx(min(1, 2 * 0.5**fewest))
        better = (most + fewest) // 2
        worse = most - better
        cell = paper_table(d.table)
        fails = [round(cell.trials * (1 - cell.by_variant[s])) for s in (d.variant, d.baseline)]
        # Most discordant pairs: all on which either fails.
        assert sorted(fails) == sorted([better, worse])


def test_what_exceeds_the_noise_of_the_papers_test():
    found = differences()
    assert found[1, "v1-trsf-prelu", "v1-relu"].exceeds_noise is True
    assert found[2, "v2-trsf-relu", "v2-relu"].exceeds_noise is None
    best_by_four = found[6, "v2-prelu-from0.25", "v2-prelu"]
    assert best_by_four.pairs == 4
    assert best_by_four.exceeds_noise is False
    assert best_by_four.discordant_to_tell is None
    undecided = found[2, "v2-prelu", "v2-relu"]
    limit = undecided.discordant_to_tell
    assert stats.binomtest((limit + 15) // 2, limit).pvalue < 0.05
    assert stats.binomtest((limit + 17) // 2, limit + 2).pvalue >= 0.05


def test_holm_over_all_of_them():
    found = published_differences()
    assert all(d.p_unpaired <= d.p_holm <= 1 for d in found)
    assert min(found, key=lambda d: d.p_unpaired).p_holm == pytest.approx(
        min(d.p_unpaired for d in found) * len(found)
    )
