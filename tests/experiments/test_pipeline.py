"""What the pipeline makes of the folders of runs: which are due, and why."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.report.fakes import fake_run
from trsfnet.experiments import pipeline
from trsfnet.experiments.pipeline import code_version, current_record, why_due


def write_notebook(path, *cells):
    path.write_text(json.dumps({"cells": [{"cell_type": kind, "source": text} for kind, text in cells]}))
    return path


def test_code_counts_and_prose_does_not(tmp_path, monkeypatch):
    notebook = tmp_path / "train.ipynb"
    before = code_version(write_notebook(notebook, ("markdown", "Some prose."), ("code", ["x = 1"])))
    prose = write_notebook(notebook, ("markdown", "Other prose."), ("code", "x = 1  # a comment"))
    assert code_version(prose) == before
    code = write_notebook(notebook, ("markdown", "Some prose."), ("code", "x = 2"))
    assert code_version(code) != before
    write_notebook(notebook, ("markdown", "Some prose."), ("code", ["x = 1"]))
    monkeypatch.setattr(pipeline, "RESULTS_VERSION", 3)
    assert code_version(notebook) != before


def test_each_state_of_a_run_has_its_reason(tmp_path):
    assert why_due(tmp_path / "nothing") == "is not trained yet"
    running = fake_run(tmp_path, status="running")
    assert why_due(running.path) == "resumes after epoch 2 of 4"
    failed = fake_run(tmp_path, seed=1, status="failed")
    assert why_due(failed.path) == "failed, resumes after epoch 2 of 4"
    done = fake_run(tmp_path, seed=2)
    assert why_due(done.path) == "is recorded; only its notebook is executed again"
    (done.path / "run.json").write_text("{")
    assert why_due(done.path) == "is retrained because its record is damaged"
    (done.path / "run.json").write_text(json.dumps(done.info | {"schema": 2}))
    assert why_due(done.path) == "cannot be trained because another version of trsfnet wrote its record"
    shutil.rmtree(running.path)
    assert why_due(running.path) == "is not trained yet"


@pytest.mark.parametrize("status", ["done", "running", "failed"])
def test_a_run_of_earlier_code_does_not_go_on(tmp_path, status):
    record = fake_run(tmp_path, status=status, info={"results_version": 1})
    assert current_record(record.path) is None
    assert why_due(record.path) == "is retrained because its results version is 1 and the current one is 2"
