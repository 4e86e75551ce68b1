"""`trsfnet merge` puts finished runs into their studies, says so, and passes nothing over in silence."""

from __future__ import annotations

import pytest

from tests.report.fakes import fake_run
from trsfnet.cli import main
from trsfnet.experiments.record import read_records


def test_finished_runs_go_into_their_studies(tmp_path, capsys):
    runs, results = tmp_path / "runs", tmp_path / "results"
    fake_run(runs)
    fake_run(runs, seed=1, status="collapsed")
    fake_run(runs, seed=2, status="running")
    fake_run(runs, epochs=9)
    (fake_run(runs, seed=3).path / "run.json").write_text("{")
    words = ["merge", str(runs), "--results", str(results)]
    assert main(words) == 0
    output = capsys.readouterr()
    assert output.out.splitlines() == [
        f"{results / 'synthetic-short'}: 2 added, 0 replaced, 2 in total",
        "Not merged: 2 of 4 runs; see trsfnet merge --help.",
    ]
    assert "is damaged" in output.err
    assert [run.seed for run in read_records([results])[0]] == [0, 1]
    assert main([*words, "--study", "synthetic-other"]) == 0
    assert "synthetic-other: 1 added" in capsys.readouterr().out
    assert main(words) == 0
    assert "0 added, 0 replaced, 2 in total" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--study", "lfw-ful"), "study must be one of 'synthetic-short', got 'lfw-ful'"),
        (("nowhere",), "no folder nowhere"),
    ],
)
def test_what_is_not_there_is_one_sentence(tmp_path, capsys, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    fake_run(tmp_path / "runs")
    assert main(["merge", *words]) == 2
    assert says in capsys.readouterr().err


def test_a_study_without_ended_runs_is_one_sentence(tmp_path, capsys):
    fake_run(tmp_path / "runs", status="running")
    assert main(["merge", str(tmp_path / "runs"), "--study", "lfw-full"]) == 2
    said = capsys.readouterr().err
    assert said == f"trsfnet: study lfw-full has no runs to merge: no run in {tmp_path / 'runs'} has ended.\n"
