"""Runs of earlier code are told apart, with the reason, and trained anew when asked to."""

from __future__ import annotations

from tests.report.fakes import fake_run
from trsfnet.experiments import run as module
from trsfnet.experiments.code import source_files
from trsfnet.experiments.record import read_record
from trsfnet.experiments.run import run
from trsfnet.experiments.stale import why_stale


def test_the_reason_names_the_files(tmp_path):
    assert why_stale(fake_run(tmp_path / "a")) == ""
    other = {"source_hash": "0ld", "source_files": source_files("synthetic") | {"training/loop.py": "x"}}
    assert why_stale(fake_run(tmp_path / "b", info=other)) == "training/loop.py changed"
    many = {"source_hash": "0ld", "source_files": {}}
    assert why_stale(fake_run(tmp_path / "c", info=many)).endswith("other files changed")


def test_a_stale_run_is_trained_anew_only_when_asked(monkeypatch, tiny_config, tiny_data, tmp_path, capsys):
    monkeypatch.setattr(module, "load_track", lambda *_, **__: tiny_data)
    first = run(tiny_config, runs=tmp_path)
    first.info["source_hash"] = "0ld"
    first.info["source_files"] |= {"heads.py": "x"}
    first.write_info()
    assert run(tiny_config, runs=tmp_path).info["source_hash"] == "0ld"
    capsys.readouterr()
    second = run(tiny_config, runs=tmp_path, again=True)
    assert "is trained anew, since heads.py changed; kept in" in capsys.readouterr().out
    assert second.info["source_hash"] != "0ld"
    assert second.metrics == first.metrics
    assert len(read_record(second.path / "earlier" / "0ld").history()) == 2
    finished = second.info["finished"]
    assert run(tiny_config, runs=tmp_path, again=True).info["finished"] == finished
