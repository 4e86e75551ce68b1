"""A full disk, a folder that is read-only, little memory, a jumping clock, two at once: no work is lost."""

from __future__ import annotations

import pytest

from benchmarks.kill_trials.faults import FAULTS, run


@pytest.mark.parametrize("name", ["pack", "merge"])
def test_a_fault_ends_in_a_sentence_and_the_work_goes_on_after_it(tmp_path, name):
    figures = run(name, tmp_path / "work", times=2)
    assert figures.keys() >= FAULTS.keys() - {"read-only folder"}
    for fault, found in figures.items():
        assert found["times"] == 2, fault
        assert found["otherwise"] == 0, fault
        assert found["different"] == 0, fault
