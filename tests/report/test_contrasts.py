"""Differences over seeds agree with the textbooks."""

from __future__ import annotations

import pytest
from scipy import stats

from trsfnet.report.contrasts import Effect, contrast, holm, largest_difference

A = {0: 0.31, 1: 0.35, 2: 0.30, 3: 0.36}
B = {0: 0.28, 1: 0.33, 2: 0.29, 3: 0.30}
C = {4: 0.22, 5: 0.27, 6: 0.20}


def two_sided(effect: Effect) -> float:
    return 2 * min(effect.p_above(0), effect.p_below(0))


def test_seeds_in_common_are_paired():
    effect = contrast([A, B], [1, -1])
    expected = stats.ttest_rel(list(A.values()), list(B.values()))
    assert two_sided(effect) == pytest.approx(expected.pvalue)
    bounds = expected.confidence_interval(0.95)
    assert (effect.interval.low, effect.interval.high) == pytest.approx((bounds.low, bounds.high))
    assert (effect.paired, effect.seeds) == (True, 4)
    # Only what both have counts: a fifth seed of one side changes nothing.
    assert contrast([A | {9: 0.9}, B], [1, -1]) == effect


def test_seeds_apart_are_welchs():
    effect = contrast([A, C], [1, -1])
    expected = stats.ttest_ind(list(A.values()), list(C.values()), equal_var=False)
    assert two_sided(effect) == pytest.approx(expected.pvalue)
    assert (effect.paired, effect.seeds) == (False, 3)


def test_a_mean_of_differences_is_taken_within_seeds():
    third = {seed: 0.2 + 0.01 * seed for seed in A}
    effect = contrast([A, B, third], [0.5, 0.5, -1])
    each = [(A[s] + B[s]) / 2 - third[s] for s in A]
    assert two_sided(effect) == pytest.approx(stats.ttest_1samp(each, 0).pvalue)


def test_one_seed_is_not_tested_and_equal_differences_are_certain():
    assert contrast([{0: 0.3}, A], [1, -1]) is None
    shifted = contrast([{s: v + 0.1 for s, v in A.items()}, A], [1, -1])
    assert shifted.standard_error == 0
    assert (shifted.p_above(0), shifted.p_below(0)) == (0, 1)
    same = contrast([A, A], [1, -1])
    assert (same.p_above(0), same.p_below(0)) == (1, 1)


def test_the_detectable_effect_is_seen_in_80_of_100():
    effect = contrast([A, B], [1, -1])
    for alpha in (0.05, 0.002):
        shift = effect.detectable(alpha) / effect.standard_error
        critical = stats.t.isf(alpha / 2, effect.freedom)
        assert stats.nct.sf(critical, effect.freedom, shift) == pytest.approx(0.8, abs=1e-4)


def test_tukeys_range():
    samples = [A, B, C]
    effect, p_value = largest_difference(samples)
    expected = stats.tukey_hsd(*(list(s.values()) for s in samples))
    assert p_value == pytest.approx(expected.pvalue[0, 2], rel=1e-4)
    assert effect.estimate == pytest.approx(expected.statistic[0, 2])


def test_holm_is_the_textbooks():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
