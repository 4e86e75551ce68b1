"""`trsfnet runs` and `trsfnet report` as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.report.fakes import fake_run
from trsfnet.cli import main
from trsfnet.paper.claims import paper_claims


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "runs"
    fake_run(root, "v1-relu", tar=0.2)
    fake_run(root, "v1-trsf-relu", tar=0.3)
    fake_run(root, "v1-trsf-relu", seed=1, status="running")
    fake_run(root, "v1-prelu", info={"results_version": 1})
    return root


def test_a_list_says_how_far_each_run_is_and_whether_it_is_stale(runs, capsys):
    (fake_run(runs, "v1-relu", seed=7).path / "run.json").write_text("{")
    assert main(["runs"]) == 0
    said = capsys.readouterr()
    rows = [line.split("  ") for line in said.out.splitlines()[1:5]]
    names = [next(cell for cell in row if cell.startswith("v1-")) for row in rows]
    assert [name.rpartition("-")[0] for name in names] == [
        *("v1-prelu-seed0", "v1-relu-seed0", "v1-trsf-relu-seed0", "v1-trsf-relu-seed1")
    ]
    assert "its results version is 1" in said.out.splitlines()[1]
    assert "2/4" in said.out.splitlines()[4]
    assert "30.0" in said.out.splitlines()[3]
    assert said.out.splitlines()[-1] == "The column result shows, on synthetic: TAR@FAR=1e-3, ten folds."
    assert said.err.startswith("trsfnet: The run record ")
    assert said.err.count("\n") == 1


def test_a_list_for_programs(runs, capsys):
    assert main(["runs", str(runs), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [run["seed"] for run in listed] == [0, 0, 0, 1]
    assert [bool(run["stale"]) for run in listed] == [True, False, False, False]
    assert listed[2]["metrics"]["tar@1e-3"] == 0.3
    assert listed[2]["budget"] == "short"


def test_two_runs_beside_each_other(runs, capsys):
    assert main(["runs", "--compare", "v1-relu-seed0", "v1-trsf-relu-seed0"]) == 0
    out = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()[1:] if line}
    assert rows["trsf"] == ["False", "True"]
    assert rows["tar@1e-3"] == ["0.2000", "0.3000"]
    assert "seed" not in rows
    assert "whether a difference exceeds the spread between seeds" in out
    other = fake_run(runs, "v1-trsf-relu", seed=2, epochs=2)
    assert main(["runs", "--json", "--compare", "v1-relu-seed0", str(other.path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["comparable"] is False
    assert found["settings"]["epochs"] == [4, 2]


def test_a_run_that_collapsed_has_no_result_to_compare(runs, capsys):
    fake_run(runs, "v2-relu", status="collapsed")
    assert main(["runs", "--compare", "v1-relu", "v2-relu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith("status")] == [["status", "done", "collapsed"]]
    assert any(line.startswith("message") and "The loss became nan at step 7." in line for line in lines)
    assert lines[-1].startswith("v2-relu-seed0-")
    assert lines[-1].endswith(" collapsed: there is no final result to compare.")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["runs", "nowhere"], "There is no folder nowhere: looked in "),
        (["runs", "--compare", "v1-relu", "v9"], "No run in runs begins with v9"),
        (
            ["runs", "--compare", "v1-relu", "v1-trsf"],
            "2 runs in runs begin with v1-trsf (v1-trsf-relu",
        ),
        (["report", "nowhere"], "There is no folder nowhere: looked in "),
    ],
)
def test_wrong_input_is_one_sentence(runs, capsys, words, says):
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"trsfnet: {says}")
    assert said.count("\n") == 1


def test_without_a_run(tmp_path, capsys):
    assert main(["runs", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"There is no run in {tmp_path}: `trsfnet train` makes one.\n"
    assert main(["report", str(tmp_path)]) == 0
    assert "No run has ended yet." in capsys.readouterr().out
    assert main(["report", str(tmp_path), "--json"]) == 0
    verdicts = json.loads(capsys.readouterr().out)
    assert {verdict["outcome"] for verdict in verdicts} == {"not run"}
    assert len(verdicts) == len(paper_claims())


def test_a_report_without_its_packages_is_one_sentence(runs):
    code = f"""
import sys
sys.modules.update(matplotlib=None, seaborn=None)
from trsfnet.cli import main
sys.exit(main(["runs", {str(runs)!r}]) or main(["report", {str(runs)!r}]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout, "the table of runs needs none of them"
    assert done.stderr.startswith("trsfnet: Reports need more packages (")
    assert done.stderr.endswith("): pip install 'trsfnet[report]'.\n")
    assert done.stderr.count("\n") == 1


def test_a_report_judges_the_runs_of_its_folder(tmp_path, capsys):
    for setting, tar in {"v1-relu": 0.4, "v1-trsf-relu": 0.3, "v1-prelu": 0.4, "v1-trsf-prelu": 0.2}.items():
        for seed in range(3):
            fake_run(tmp_path, setting, seed=seed, tar=tar + 0.001 * seed)
    assert main(["report", str(tmp_path), "--json"]) == 0
    verdicts = json.loads(capsys.readouterr().out)
    contradicted = [verdict["statement"] for verdict in verdicts if verdict["outcome"] == "contradicted"]
    assert contradicted
    assert main(["report", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# What the results say")
    assert f"“{contradicted[0].rstrip('.')}”" in text
