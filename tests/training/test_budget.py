"""Travel and decay budget of a schedule."""

from __future__ import annotations

from pathlib import Path

import pytest

from trsfnet.training.budget import regime
from trsfnet.training.config import PRESETS, TrainConfig


def paper(name: str) -> TrainConfig:
    """The paper's schedule, resolved without its images."""
    return TrainConfig.from_parameters({"precision": "float32"}, name)


def test_the_paper_on_vggface2():
    """Five stairs of 20,000 steps: 0.05 (1 + 0.2 + 0.04 + 0.008 + 0.0016) 20,000 / 0.1."""
    found = regime(paper("vggface2"), 1000)
    assert found.steps == 100_000
    assert found.travel == pytest.approx(12_496, abs=0.1)
    assert found.decay_budget == pytest.approx(2 * 5e-4 * 12_496)


def test_the_paper_has_a_schedule_for_each_preset():
    assert {"vggface2", "ms1mv2"} <= set(PRESETS)
    assert regime(paper("ms1mv2"), PRESETS["ms1mv2"]["settings"]["steps_per_epoch"]).travel > 50_000


def test_a_cosine_covers_half_of_its_rectangle():
    config = TrainConfig(epochs=10, width=0.125, precision="float32", weight_decay=0.04).resolved(Path("."))
    found = regime(config, 62)
    assert found.travel == pytest.approx(0.05 * 620 / 2 / 0.1, rel=0.01)
    assert found.decay_budget == pytest.approx(12.4, rel=0.01)
