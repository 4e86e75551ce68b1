"""Times come from the records."""

from __future__ import annotations

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.report.durations import durations
from trsfnet.text import NBSP


def test_finished_runs_are_timed_and_others_are_not(tmp_path):
    assert "no time has been measured" in str(durations(load(tmp_path)))
    for seed in range(2):
        fake_run(tmp_path, "v1-relu", seed=seed)
    fake_run(tmp_path, "v1-relu", seed=2, status="running")
    rows = str(durations(load(tmp_path))).splitlines()
    (row,) = (row for row in rows if "TRACK=synthetic" in row)
    assert "| v1 |" in row
    assert "| 2 |" in row


def test_a_machine_that_trained_several_at_once_is_not_the_same_machine(tmp_path):
    shared = {"device": "H200", "note": "16 runs at a time"}
    fake_run(tmp_path, "v1-relu", seed=0, info={"hardware": {"device": "H200"}})
    fake_run(tmp_path, "v1-relu", seed=1, info={"hardware": shared})
    rows = str(durations(load(tmp_path)))
    assert "| H200 |" in rows
    assert "| H200, 16 runs at a time |" in rows


def test_a_range_has_two_ends_unless_they_are_alike(tmp_path):
    for seed, seconds in enumerate((300, 301, 1200)):
        fake_run(tmp_path, "v1-relu", seed=seed, info={"seconds": seconds})
    fake_run(tmp_path, "v2-relu", info={"seconds": 300})
    rows = str(durations(load(tmp_path))).replace(NBSP, " ")
    assert "| 3 | 5 min | 5 min to 20 min |" in rows
    assert "| 1 | 5 min | 5 min |" in rows
