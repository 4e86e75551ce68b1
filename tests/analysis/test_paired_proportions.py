"""Paired shares: the test is the textbook's, the interval covers, and what is said to be seen is seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trsfnet.analysis.paired_proportions import PairedShares


def drawn(rng, only_first, only_second, pairs, times):
    """Samples of pairs whose kinds have these probabilities."""
    kinds = rng.multinomial(pairs, [only_first, only_second, 1 - only_first - only_second], times)
    return [PairedShares(int(first), int(second), pairs) for first, second, _ in kinds]


def test_the_p_values_are_the_binomial_tests():
    found = PairedShares(only_first=2, only_second=10, pairs=45)
    assert found.estimate == pytest.approx(-8 / 45)
    assert 2 * found.p_less == pytest.approx(stats.binomtest(10, 12).pvalue)
    assert found.p_more == pytest.approx(stats.binomtest(2, 12, alternative="greater").pvalue)
    alike = PairedShares(0, 0, 5)
    assert (alike.estimate, alike.p_less, alike.p_more) == (0, 1, 1)


@pytest.mark.parametrize("shares", [(0.02, 0.02), (0.1, 0.3), (0.0, 0.5), (0.4, 0.4)])
@pytest.mark.parametrize("pairs", [15, 45])
def test_the_interval_covers(shares, pairs):
    samples = drawn(np.random.default_rng(0), *shares, pairs, 2000)
    inside = [s.interval.low <= shares[0] - shares[1] <= s.interval.high for s in samples]
    assert np.mean(inside) > 0.93
    assert all(-1 <= s.interval.low <= s.interval.value <= s.interval.high <= 1 for s in samples)


def test_a_difference_of_the_detectable_size_is_seen_in_80_of_100_trials():
    alpha, pairs = 0.05 / 12, 45
    against = (4 + 1) / (pairs + 2)
    smallest = PairedShares(9, 4, pairs).minimum_detectable(alpha)
    samples = drawn(np.random.default_rng(0), against, against + smallest, pairs, 2000)
    assert np.mean([2 * s.p_less <= alpha for s in samples]) == pytest.approx(0.8, abs=0.03)


def test_what_can_be_seen_depends_on_the_design_and_not_on_the_direction():
    assert PairedShares(9, 4, 45).minimum_detectable(0.05) == PairedShares(4, 9, 45).minimum_detectable(0.05)
    assert PairedShares(4, 9, 45).minimum_detectable(0.05) < PairedShares(4, 9, 45).minimum_detectable(0.005)
    assert (
        PairedShares(0, 0, 45).minimum_detectable(0.05) < PairedShares(0, 0, 15).minimum_detectable(0.05) < 1
    )
    assert PairedShares(0, 0, 4).minimum_detectable(0.05) == 1, (
        "four pairs can never have a p value below 0.05"
    )
