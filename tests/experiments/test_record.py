"""The run record: what is written is what is read, and damage is named."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from tests.data.full_disk import full_disk
from tests.experiments.untrained import write_run
from trsfnet.errors import DataError, RecordError
from trsfnet.experiments.network import saved_network
from trsfnet.experiments.record import RECORD, RunFolder, read_record, read_records

INFO = {
    "schema": 1,
    "status": "done",
    "run_id": "v1-trsf-prelu-seed3-0123abcd",
    "track": "synthetic",
    "seed": 3,
    "config": {"track": "synthetic", "seed": 3},
    "metrics": {"tar@1e-3": 0.5},
}


@pytest.fixture
def record(tmp_path) -> RunFolder:
    record = RunFolder(tmp_path / "synthetic" / INFO["run_id"], dict(INFO))
    record.write_info()
    return record


def test_tables_come_back_as_written(record):
    record.write_history([{"epoch": 1, "loss": 1 / 3}])
    row = {"epoch": 0, "kind": "trsf", "name": "TRSF_inception-resnet v1.1", "channel": 0, "value": 0.1}
    record.write_parameters([row])
    record.write_scores({"score": np.array([0.25, -1], np.float32), "same": np.array([True, False])})
    back = read_record(record.path)
    assert (back.run_id, back.seed, back.status) == (INFO["run_id"], 3, "done")
    assert back.metrics == {"tar@1e-3": 0.5}
    assert back.history().loss.item() == pytest.approx(1 / 3, abs=1e-7)
    assert back.parameters().to_dict("records") == [{**row, "value": pytest.approx(0.1)}]
    assert back.scores().score.tolist() == [0.25, -1]
    assert {f.name for f in record.path.iterdir()} == {
        "run.json",
        "history.csv",
        "parameters.parquet",
        "scores.parquet",
    }, "nothing half-written may stay"


def test_a_record_is_read_whatever_the_name_of_its_folder(record, tmp_path):
    """Under `LC_ALL=C`, Python may keep the bytes of any name that is not ASCII, as it does of this one."""
    record.write_history([{"epoch": 1, "loss": 0.5}])
    record.write_parameters([{"epoch": 0, "kind": "trsf", "name": "a", "channel": 0, "value": 0.1}])
    record.write_scores({"score": np.array([0.25], np.float32)})
    folder = (tmp_path / "synthetic").rename(tmp_path / os.fsdecode(b"caf\xe9"))
    back = read_record(folder / INFO["run_id"])
    assert back.history().loss.item() == 0.5
    assert back.parameters().value.item() == pytest.approx(0.1)
    assert back.scores().score.item() == 0.25


def test_a_failed_write_leaves_the_old_record(record):
    with pytest.raises(ValueError, match="not JSON compliant"):
        record.write_info(metrics={"tar@1e-3": float("nan")})
    assert read_record(record.path).metrics == {"tar@1e-3": 0.5}


def test_a_full_disk_is_one_sentence_that_names_the_file(record):
    row = {"epoch": 1, "kind": "trsf", "name": "a", "channel": 0, "value": 0.1}
    for write, name in [
        (lambda: record.write_info(message="long" * 99), "run.json"),
        (lambda: record.write_history([row]), "history.csv"),
        (lambda: record.write_parameters([row]), "parameters.parquet"),
        (lambda: record.write_scores({"score": np.zeros(9, np.float32)}), "scores.parquet"),
    ]:
        with full_disk(10), pytest.raises(DataError, match=f"^Cannot write to {record.path / name}: "):
            write()
    assert [file.name for file in record.path.iterdir()] == ["run.json"], "nothing half-written may stay"


def test_a_table_that_is_not_there_is_named(record):
    with pytest.raises(RecordError, match=r"has no scores; its status is done"):
        record.scores()


def test_damage_is_named(record):
    file = record.path / "run.json"
    for text, says in [
        (file.read_text()[:40], "is damaged"),
        (json.dumps({"schema": 1}), "is damaged: it lacks status, run_id"),
        ("[]", "is damaged: it lacks"),
        (
            json.dumps({**INFO, "config": {}}),
            "is damaged: the track in its config must be 'synthetic', got None",
        ),
        (json.dumps({**INFO, "seed": 4}), "is damaged: the seed in its config must be 4, got 3"),
        (json.dumps({**INFO, "schema": 2}), "has format 2, but this version of trsfnet reads 1"),
    ]:
        file.write_text(text)
        with pytest.raises(RecordError, match=says):
            read_record(record.path)
    file.unlink()
    with pytest.raises(RecordError, match="holds no run record"):
        read_record(record.path)


def test_a_run_has_ended_only_if_its_record_is_complete(record):
    for status, ended in (("running", False), ("done", True), ("collapsed", True), ("failed", False)):
        record.write_info(status=status)
        assert read_record(record.path).ended == ended


@pytest.mark.parametrize("status", ["running", "failed"])
def test_a_rerun_replaces_nothing_before_it_has_ended(tmp_path, status):
    for root, at in (("results", "done"), ("runs", status)):
        RunFolder(
            tmp_path / root / "lfw" / "a-seed0-1", {**INFO, "run_id": "a-seed0-1", "status": at}
        ).write_info()
    (record,), _ = read_records([tmp_path / "results", tmp_path / "runs"])
    assert record.status == "done"


def test_a_readers_rerun_replaces_ours_and_bad_records_do_not_stop_the_others(tmp_path):
    for root, tar in (("results", 0.1), ("runs", 0.2)):
        RunFolder(
            tmp_path / root / "lfw" / "a-seed0-1", {**INFO, "run_id": "a-seed0-1", "metrics": {"t": tar}}
        ).write_info()
    RunFolder(tmp_path / "results" / "lfw" / "b-seed0-2", {**INFO, "run_id": "b-seed0-2"}).write_info()
    broken = tmp_path / "runs" / "lfw" / "c" / "run.json"
    broken.parent.mkdir()
    broken.write_text("{")
    records, problems = read_records([tmp_path / "results", tmp_path / "runs", tmp_path / "absent"])
    assert {r.run_id: r.metrics for r in records} == {"a-seed0-1": {"t": 0.2}, "b-seed0-2": INFO["metrics"]}
    assert len(problems) == 1
    assert str(broken) in problems[0]


def test_settings_that_make_no_network_are_named_with_their_run(tmp_path, tiny_config):
    path, _ = write_run(tmp_path, tiny_config)
    info = json.loads((path / RECORD).read_text())
    info["config"]["colour"] = 1
    (path / RECORD).write_text(json.dumps(info))
    with pytest.raises(
        RecordError, match=f"entries of the run record {path} are damaged: Unknown setting 'col"
    ):
        saved_network(path)
