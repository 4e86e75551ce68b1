"""Differences over seeds agree with the textbooks."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from scipy import stats

from trsfnet.analysis.contrasts import Effect, contrast, holm, largest_difference, pooled_spread

A = {0: 0.31, 1: 0.35, 2: 0.30, 3: 0.36}
B = {0: 0.28, 1: 0.33, 2: 0.29, 3: 0.30}
C = {4: 0.22, 5: 0.27, 6: 0.20}


def two_sided(effect: Effect) -> float:
    return 2 * min(effect.p_above(0), effect.p_below(0))


def test_two_settings_are_students():
    spread = pooled_spread([A, C])
    effect = contrast([A, C], [1, -1], [spread, spread])
    expected = stats.ttest_ind(list(A.values()), list(C.values()))
    assert two_sided(effect) == pytest.approx(expected.pvalue)
    bounds = expected.confidence_interval(0.95)
    assert (effect.interval.low, effect.interval.high) == pytest.approx((bounds.low, bounds.high))
    assert effect.seeds == 3


def test_two_spreads_are_welchs():
    spreads = [pooled_spread([A]), pooled_spread([C])]
    effect = contrast([A, C], [1, -1], spreads)
    expected = stats.ttest_ind(list(A.values()), list(C.values()), equal_var=False)
    assert two_sided(effect) == pytest.approx(expected.pvalue)


def test_spreads_that_happen_to_be_equal_are_two_estimates():
    """Welch's test of samples with one standard deviation has the degrees_of_freedom of both."""
    shifted = {seed: value + 0.1 for seed, value in A.items()}
    effect = contrast([shifted, A], [1, -1], [pooled_spread([shifted]), pooled_spread([A])])
    assert effect.degrees_of_freedom == pytest.approx(6)


def test_a_contrast_among_several_is_that_of_the_analysis_of_variance():
    """Its square is the F of a model in which the contrast is the only thing left out."""
    spread = pooled_spread([A, B, C])
    effect = contrast([A, B, C], [0.5, 0.5, -1], [spread] * 3)
    within = sum((len(v) - 1) * statistics.variance(v.values()) for v in (A, B, C))
    error = within / 8 * (0.25 / 4 + 0.25 / 4 + 1 / 3)
    assert effect.standard_error == pytest.approx(error**0.5)
    assert (effect.degrees_of_freedom, effect.seeds) == (8, 3)


def test_pooling_holds_its_level():
    """Three seeds of six settings that are alike: an interval holds no difference in 19 of 20 cases."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        settings = [dict(enumerate(row)) for row in rng.normal(size=(6, 3))]
        spread = pooled_spread(settings)
        interval = contrast(settings[:2], [1, -1], [spread, spread]).interval
        held += interval.low <= 0 <= interval.high
    assert held / 2000 == pytest.approx(0.95, abs=0.015)


def test_one_seed_is_not_tested_and_equal_values_are_no_certainty():
    spread = pooled_spread([{0: 0.3}, A])
    assert vars(spread) == vars(pooled_spread([A]))
    assert contrast([{0: 0.3}, A], [1, -1], [spread, spread]) is None
    assert pooled_spread([{0: 0.3}, {}]) is None
    low, high = dict.fromkeys(A, 0.1), dict.fromkeys(A, 0.1 + 0.2)
    none = pooled_spread([low, high])
    shifted = contrast([high, low], [1, -1], [none, none])
    assert shifted.standard_error == 0
    assert (shifted.p_above(0), shifted.p_below(0)) == (0.5**4, 1)
    same = contrast([low, low], [1, -1], [none, none])
    assert (same.p_above(0), same.p_below(0)) == (1, 1)


def test_the_detectable_effect_is_seen_in_80_of_100():
    spread = pooled_spread([A, B])
    effect = contrast([A, B], [1, -1], [spread, spread])
    for alpha in (0.05, 0.002):
        shift = effect.minimum_detectable(alpha) / effect.standard_error
        critical = stats.t.isf(alpha / 2, effect.degrees_of_freedom)
        assert stats.nct.sf(critical, effect.degrees_of_freedom, shift) == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize("equal", [True, False])
def test_the_range_is_tested_as_by_scipy(equal):
    """One spread is the test of Tukey and Kramer, separate ones are that of Games and Howell."""
    pytest.importorskip("scipy", minversion="1.15")
    samples = [A, B, C]
    spreads = [pooled_spread(samples)] * 3 if equal else [pooled_spread([sample]) for sample in samples]
    effect, p_value = largest_difference(samples, spreads)
    expected = stats.tukey_hsd(*(list(s.values()) for s in samples), equal_var=equal)
    assert p_value == pytest.approx(expected.pvalue[0, 2], rel=1e-4)
    assert effect.estimate == pytest.approx(expected.statistic[0, 2])
    bounds = expected.confidence_interval(0.95)
    found = (effect.interval.low, effect.interval.high)
    assert found == pytest.approx((bounds.low[0, 2], bounds.high[0, 2]), rel=1e-4)


def test_the_range_of_equal_values_is_no_certainty():
    """A sign test, counted for each of the three pairs."""
    levels = [dict.fromkeys(range(6), level) for level in (0.1, 0.2, 0.3)]
    spreads = [pooled_spread([level]) for level in levels]
    assert largest_difference(levels, spreads)[1] == pytest.approx(2 * 3 * 0.5**6)


def test_holm_is_the_textbooks():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
