"""Intervals and tests against scipy, closed forms and hand-made tables."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trsfnet.errors import ConfigError
from trsfnet.evaluation.statistics import (
    Interval,
    clopper_pearson,
    mcnemar,
    mean_over_seeds,
    wilson,
)


def test_wilson_is_the_textbooks():
    n, share, z = 3000, 2877 / 3000, stats.norm.ppf(0.975)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    interval = wilson(2877, n)
    assert interval.to_dict() == pytest.approx({"value": share, "low": centre - half, "high": centre + half})
    assert wilson(0, 10).low == pytest.approx(0)
    with pytest.raises(ValueError, match="must not be greater"):
        wilson(4, 3)


def test_clopper_pearson_has_the_closed_form_where_nothing_succeeds():
    assert clopper_pearson(0, 3000) == Interval(0, 0, pytest.approx(1 - 0.025 ** (1 / 3000)))
    few, low, high = 3, *stats.beta.ppf([0.025, 0.975], [3, 4], [8, 7])
    assert clopper_pearson(few, 10) == Interval(0.3, pytest.approx(low), pytest.approx(high))


def test_the_interval_over_seeds_is_students():
    values = [0.31, 0.35, 0.30, 0.36]
    mean = mean_over_seeds(values)
    expected = stats.t.interval(0.95, 3, loc=sum(values) / 4, scale=stats.sem(values))
    assert (mean.low, mean.high) == pytest.approx(expected)
    assert mean_over_seeds([0.3]) is None
    assert mean_over_seeds([0.3, 0.3]) == Interval(0.3, 0.3, 0.3)


def test_mcnemar_by_hand():
    first = np.repeat([True, True, False, False], [40, 10, 3, 7])
    second = np.repeat([True, False, True, False], [40, 10, 3, 7])
    test = mcnemar(first, second)
    assert (test.both, test.only_first, test.only_second, test.neither) == (40, 10, 3, 7)
    # At most 3 of 13 on one side, doubled: 2 (1 + 13 + 78 + 286) / 2^13.
    assert test.p_value == pytest.approx(756 / 8192)
    turned = mcnemar(second, first)
    assert (turned.only_first, turned.only_second, turned.p_value) == (3, 10, test.p_value)
    assert mcnemar(first, first).p_value == 1.0
    with pytest.raises(ConfigError, match="results on the same items, got 60 and 59"):
        mcnemar(first, second[1:])
