"""Runs of other arithmetic are told apart, with the reason, and trained anew when asked to."""

from __future__ import annotations

from tests.experiments.interruption import interrupted
from tests.report.fakes import fake_run
from trsfnet.experiments import run as module
from trsfnet.experiments.record import CHECKPOINT, read_record
from trsfnet.experiments.run import run
from trsfnet.experiments.stale import RESULTS_VERSION, why_stale
from trsfnet.training.checkpoint import previous


def test_only_the_results_version_makes_a_run_stale(tmp_path):
    assert why_stale(fake_run(tmp_path / "a", info={"source_hash": "another"})) == ""
    earlier = fake_run(tmp_path / "b", info={"results_version": 1})
    assert why_stale(earlier) == f"its results version is 1 and the current one is {RESULTS_VERSION}"
    unmarked = fake_run(tmp_path / "c")
    del unmarked.info["results_version"]
    assert why_stale(unmarked).startswith("it is unknown by which results version it was made")


def test_a_stale_run_is_trained_anew_only_when_asked(monkeypatch, tiny_config, tiny_data, tmp_path, capsys):
    monkeypatch.setattr(module, "load_track", lambda *_, **__: tiny_data)
    first = run(tiny_config, runs=tmp_path)
    first.write_info(results_version=1)
    assert run(tiny_config, runs=tmp_path).info["results_version"] == 1
    capsys.readouterr()
    second = run(tiny_config, runs=tmp_path, again=True)
    assert "is retrained because its results version is 1" in capsys.readouterr().out
    assert second.info["results_version"] == RESULTS_VERSION
    assert second.metrics == first.metrics
    assert len(read_record(second.path / "earlier" / "1").history()) == 2
    second.write_info(results_version=1)
    third = run(tiny_config, runs=tmp_path, again=True)
    assert third.info["results_version"] == RESULTS_VERSION, "a second run of version 1 is set aside, too"
    assert len(read_record(third.path / "earlier" / "1-2").history()) == 2
    second = third
    finished = second.info["finished"]
    assert run(tiny_config, runs=tmp_path, again=True).info["finished"] == finished


def test_a_run_that_resumes_stays_as_old_as_its_oldest_part(monkeypatch, tiny_config, tiny_data, tmp_path):
    monkeypatch.setattr(module, "load_track", lambda *_, **__: tiny_data)
    interrupted(monkeypatch, tiny_config, tmp_path).write_info(results_version=1)
    assert run(tiny_config, runs=tmp_path).info["results_version"] == 1


def test_a_run_that_was_killed_between_two_renames_resumes_as_old_as_it_is(
    monkeypatch, tiny_config, tiny_data, tmp_path
):
    monkeypatch.setattr(module, "load_track", lambda *_, **__: tiny_data)
    stopped = interrupted(monkeypatch, tiny_config, tmp_path)
    stopped.write_info(results_version=1)
    file = stopped.path / CHECKPOINT
    file.rename(previous(file))
    assert run(tiny_config, runs=tmp_path).info["results_version"] == 1
