"""Gains in log odds: equal factors on the odds are equal gains, at any level of accuracy."""

from __future__ import annotations

import math

import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.analysis.log_odds import gains_in_log_odds, log_odds
from trsfnet.report import claims
from trsfnet.report.summary import generated


def test_equal_factors_on_the_odds_are_equal_gains():
    assert log_odds(0.5) == pytest.approx(0.0, abs=1e-12)
    low, high = log_odds(0.2) - log_odds(0.1), log_odds(0.9) - log_odds(0.8)
    assert low == pytest.approx(math.log(9 / 4))
    assert high == pytest.approx(math.log(9 / 4))
    assert math.isfinite(log_odds(1.0) - log_odds(0.0))


@pytest.fixture
def found(tmp_path):
    """Three seeds at which TRSF multiplies the odds by about 9 / 4."""
    for arch in ("v1", "v2"):
        for setting, tars in {"relu": (0.1, 0.11, 0.09), "trsf-relu": (0.2, 0.21, 0.19)}.items():
            for seed, tar in enumerate(tars):
                fake_run(tmp_path, f"{arch}-{setting}", seed=seed, tar=tar)
    return load(tmp_path)


def test_a_campaigns_gain_stands_beside_the_papers(found):
    gain = gains_in_log_odds(found.campaigns[0])["trsf-gains-1.24"]
    assert gain.effect.estimate == pytest.approx(math.log(9 / 4), abs=0.01)
    assert 0 < gain.minimum_detectable < gain.effect.estimate
    # By the paper's tables: v1 from 93.40 to 95.23 %, v2 from 95.33 to 95.97 %.
    shares = {"v1": (0.9340, 0.9523), "v2": (0.9533, 0.9597)}
    odds = [b / (1 - b) / (a / (1 - a)) for a, b in shares.values()]
    assert gain.published == pytest.approx(sum(map(math.log, odds)) / 2)


def test_the_page_and_the_summary_compare_gains_in_log_odds(found):
    text = str(claims.gains(found))
    row = next(line for line in text.splitlines() if line.startswith("| With ReLU, TRSF raises"))
    assert "| +0.25 | +0.81 (" in row
    assert "(mean TAR 15.0" in text
    assert "log odds" not in generated(found), "the main claim cannot be tested with ReLU alone"
