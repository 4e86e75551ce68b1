"""Killed at any moment and started again, a run ends as if nothing had happened."""

from __future__ import annotations

from benchmarks.kills import MOMENTS, run


def test_killed_and_continued_equals_uninterrupted_bit_for_bit(tmp_path):
    figures = run(tmp_path, kills=4, seed=0)
    assert figures["kills"] >= 4 > len(MOMENTS)
    assert figures["kills_during_a_write"] >= len(MOMENTS)
    assert figures["compared"] > 300_000
    assert figures["different"] == 0
