"""Killed at any moment and started again, a command leaves what an undisturbed one leaves."""

from __future__ import annotations

import pytest

from benchmarks.kills_commands import WORKS, run


@pytest.mark.parametrize("name", WORKS)
def test_what_is_killed_and_started_again_leaves_the_same_files(tmp_path, name):
    figures = run(name, tmp_path, kills=2, seed=0)
    assert figures["kills"] >= 2
    assert figures["compared"] > 0
    assert figures["different"] == 0
