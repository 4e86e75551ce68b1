"""Learning rates by the paper's two schedules and the short tracks' cosine."""

from __future__ import annotations

from itertools import pairwise

import pytest

from trsfnet.training.config import TrainConfig
from trsfnet.training.schedule import learning_rate


def test_the_papers_vggface2_schedule():
    """0.05, times 0.2 every 20 epochs of 1000 iterations, 100 epochs (section 4.3)."""
    config = TrainConfig.from_parameters({"track": "synthetic"}, "vggface2").resolved(None)
    assert (config.epochs, config.steps_per_epoch, config.batch_size, config.loss) == (
        100,
        1000,
        85,
        "softmax",
    )
    ends = [learning_rate(config, step, 1000) for step in (0, 19_999, 20_000, 40_000, 60_000, 80_000, 99_999)]
    assert ends == pytest.approx([0.05, 0.05, 0.01, 0.002, 4e-4, 8e-5, 8e-5])


def test_the_papers_ms1mv2_schedule():
    """0.1, divided by 10 at 50K, 80K and 110K iterations (section 4.3)."""
    config = TrainConfig.from_parameters({"track": "synthetic"}, "ms1mv2").resolved(None)
    assert (config.epochs * config.steps_per_epoch, config.loss) == (170_000, "arcface")
    steps = (0, 49_999, 50_000, 80_000, 110_000, 169_999)
    assert [learning_rate(config, s, 1000) for s in steps] == pytest.approx(
        [0.1, 0.1, 0.01, 1e-3, 1e-4, 1e-4]
    )


def test_cosine_falls_from_the_top_to_zero_after_warmup():
    config = TrainConfig(epochs=10, warmup_epochs=2, learning_rate=0.4).resolved(None)
    rates = [learning_rate(config, step, 5) for step in range(51)]
    assert rates[:10] == pytest.approx([0.04 * (i + 1) for i in range(10)])
    assert rates[10] == pytest.approx(0.4)
    assert rates[30] == pytest.approx(0.2)
    assert rates[50] == pytest.approx(0, abs=1e-12)
    assert all(a > b for a, b in pairwise(rates[10:]))
