"""The cost of the paper's runs: what it is counted from, and that published speeds fit the assumed range."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trsfnet.report import cost
from trsfnet.training.config import TrainConfig

STEP = Path(__file__).parents[2] / "benchmarks" / "results" / "step.json"


def test_macs_are_those_that_others_count():
    # timm's published figure for v2 at 299 px is 13.18 G, with a classifier of its own.
    assert cost.macs_per_image(TrainConfig(arch="v2", image_size=299, width=1.0)) == pytest.approx(
        13.18e9, rel=0.01
    )


def test_the_parts_are_the_papers_runs_and_schedules():
    parts = {(p.config.arch, p.train_set): p for p in cost.paper_parts()}
    assert {key: p.runs for key, p in parts.items()} == {
        ("v1", "vggface2"): 6,
        ("v2", "vggface2"): 10,
        ("v2", "ms1mv2"): 2,
    }
    # 100,000 steps of 85, and a third of 100 times LFW; 170,000 at 112 px.
    assert parts["v1", "vggface2"].images == pytest.approx(8.5e6 + 100 * 13_233 / 3)
    assert parts["v2", "ms1mv2"].config.image_size == 112
    assert parts["v2", "ms1mv2"].images > 170_000 * 85


def test_published_speeds_lie_within_the_range():
    low, high = cost.SHARE_OF_PEAK
    for published in cost.PUBLISHED:
        assert low <= published.share <= high + 0.005, published.source


def test_hours_follow_from_operations_and_from_the_measured_speed(tmp_path):
    parts = cost.paper_parts()
    operations = sum(p.flops for p in parts)
    fast, slow = cost.gpu_hours(cost.Card("one", "bfloat16", 100), parts)
    assert fast == pytest.approx(operations / (0.4 * 100e12) / 3600)
    assert slow == pytest.approx(4 * fast)
    measured = json.loads(STEP.read_text())
    for case in measured["cases"]:
        case["speed"]["ours trainable"] *= 2
    (tmp_path / "step.json").write_text(json.dumps(measured))
    assert cost.cpu_hours(tmp_path / "step.json", parts) == pytest.approx(cost.cpu_hours(STEP, parts) / 2)


def test_the_tables_name_estimates_and_measurements():
    text = str(cost.hours_table(STEP))
    assert "hours, estimated" in text
    assert text.count(" to ") == len(cost.CARDS)
    assert "from its measured speed" in text
