"""Intervals, and the words that follow from them."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from tests.report.fakes import fake_run
from trsfnet.report import landing, results, verdicts
from trsfnet.report.collection import Collection
from trsfnet.report.intervals import difference, mean_over_seeds, wilson


def group_of(tmp_path, **tars):
    """The synthetic group with these TARs by setting, one per seed."""
    for setting, values in tars.items():
        for seed, tar in enumerate(values):
            fake_run(tmp_path, setting.replace("_", "-"), seed=seed, tar=tar)
    return Collection.read(tmp_path).groups(1)[0]


def test_wilson_is_the_textbooks():
    interval = wilson(2877, 3000)
    expected = stats.binomtest(2877, 3000).proportion_ci(method="wilson")
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert wilson(0, 10).low == pytest.approx(0)
    with pytest.raises(ValueError, match="impossible"):
        wilson(4, 3)


def test_intervals_over_seeds_are_students_and_welchs():
    a, b = [0.31, 0.35, 0.30, 0.36], [0.28, 0.22, 0.29]
    mean = mean_over_seeds(a)
    expected = stats.t.interval(0.95, 3, loc=sum(a) / 4, scale=stats.sem(a))
    assert (mean.low, mean.high) == pytest.approx(expected)
    gap = difference(a, b)
    welch = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert (gap.low, gap.high) == pytest.approx((welch.low, welch.high))


def test_one_seed_has_no_interval_and_equal_seeds_one_without_width():
    assert mean_over_seeds([0.3]) is None
    assert difference([0.3, 0.4], [0.2]) is None
    gap = difference([0.3, 0.3], [0.2, 0.2])
    assert (gap.low, gap.high) == pytest.approx((0.1, 0.1))


def test_every_paper_cell_is_a_whole_number_of_pairs():
    for number in (1, 2):
        for setting, value in results.paper_table(number).cells.items():
            interval = results.papers_interval(number, setting)
            assert math.isclose(100 * interval.value, value, abs_tol=0.005), setting
            assert interval.low < interval.value < interval.high


def test_the_rules_four_words(tmp_path):
    group = group_of(
        tmp_path,
        v1_relu=[0.20, 0.21, 0.20],
        v1_trsf_relu=[0.30, 0.31, 0.30],
        v1_prelu=[0.10, 0.11, 0.10],
        v1_trsf_prelu=[0.10, 0.21, 0.33],
        v1_leaky_relu=[0.9],
    )
    words = {c.setting: c.verdict for c in verdicts.comparisons(group)}
    assert words == {
        "v1-trsf-relu": "supported",
        "v1-leaky-relu": "open",
        "v1-trsf-leaky-relu": "open",
        "v1-prelu": "contradicted",
        "v1-trsf-prelu": "inconclusive",
    }
    assert "supported for v1 + TRSF (+10.0 points" in verdicts.sentence(group)
    answer = str(landing.answer(Collection.read(tmp_path), 1))
    assert answer.startswith("**Partly decided: of 10 comparisons with the original network, 1 supported,")


def test_one_seed_concludes_nothing(tmp_path):
    group = group_of(tmp_path, v1_relu=[0.2], v1_trsf_relu=[0.5])
    assert "nothing can be concluded" in verdicts.sentence(group)
    assert str(landing.answer(Collection.read(tmp_path), 1)).startswith("**Not decided yet")
    assert "one seed: no interval" in str(results.track_table(group))


def test_the_tables_numbers_are_the_records(tmp_path):
    group = group_of(tmp_path, v1_relu=[0.2, 0.3])
    row = next(line for line in str(results.track_table(group)).splitlines() if "**25.0\u00a0%**" in line)
    assert "20.0\u00a0%; 30.0\u00a0%" in row
