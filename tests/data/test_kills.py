"""Killed at any moment and started again, a command leaves what an undisturbed one leaves."""

from __future__ import annotations

import pytest

from benchmarks.kill_trials import commands
from benchmarks.kill_trials.harness import run


@pytest.mark.parametrize("name", commands.WORKS)
def test_what_is_killed_and_started_again_leaves_the_same_files(tmp_path, name):
    figures = run(commands.__name__, name, tmp_path / "work", kills=2)
    assert figures["kills"] >= 2
    assert figures["compared"] > 0
    assert figures["different"] == 0
