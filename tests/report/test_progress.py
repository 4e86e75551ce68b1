"""The pipeline's line of progress follows the records."""

from __future__ import annotations

import pytest

from tests.report.fakes import fake_run
from trsfnet.report import progress as module
from trsfnet.report.progress import Progress
from trsfnet.training.config import TrainConfig


@pytest.fixture
def clock(monkeypatch):
    """The time in seconds, to be set."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module, "macs_per_image", lambda config: {"v1": 1, "v2": 3}[config.arch])
    monkeypatch.setattr(Progress, "_watch", lambda self: None)
    return now


def watch(*records) -> Progress:
    watching = Progress()
    watching.start({record.path: TrainConfig(**as_settings(record.config)) for record in records})
    return watching


def as_settings(config):
    return {name: tuple(v) if isinstance(v, list) else v for name, v in config.items()}


def test_time_left_counts_v2_by_its_operations(tmp_path, clock, capfd):
    first = fake_run(tmp_path, status="running")  # 2 of 4 epochs
    second = fake_run(tmp_path, "v2-relu", status="running")
    watching = watch(first, second)
    watching._look()
    assert capfd.readouterr().err == ""
    clock[0] = 100
    fake_run(tmp_path)
    watching._look()
    # v1's two epochs took 100 s; v2's two are three times as many operations.
    line = capfd.readouterr().err
    assert line == f"done: synthetic {first.run_id} (1 done, 1 running; about 5 min left)\n"
    watching.finish()


def test_failed_runs_are_named_with_their_reason(tmp_path, clock, capfd):
    good = fake_run(tmp_path, status="running")
    bad = fake_run(tmp_path, seed=1, status="running")
    lost = fake_run(tmp_path, seed=2, status="running")
    waiting = fake_run(tmp_path, seed=3, status="running")
    (lost.path / "train.log").write_text("Traceback\nRecordError: Another process is at it.\n\n")
    watching = watch(good, bad, lost, waiting)
    fake_run(tmp_path)
    bad.write_info(status="failed", message="DataError: The images are missing.")
    watching.finish()
    lines = capfd.readouterr().err.splitlines()
    assert f"not done: synthetic {bad.run_id}: DataError: The images are missing." in lines
    assert f"  its output is in {bad.path / 'train.log'}" in lines
    assert f"not done: synthetic {lost.run_id}: RecordError: Another process is at it." in lines
    assert f"not done: synthetic {waiting.run_id}: it never started." in lines
    assert lines[-1] == "4 runs: 1 done, 1 failed, 2 interrupted"


def test_a_run_of_earlier_code_counts_as_due(tmp_path, clock, capfd):
    stale = fake_run(tmp_path, info={"results_version": 1})
    watch(stale).finish()
    assert capfd.readouterr().err.splitlines()[-1] == "1 run: 1 due"
