"""A run from configuration to record: complete, resumable, done only once."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version

import pytest
import torch

import trsfnet.experiments.run as module
from tests.experiments.interruption import interrupted
from tests.experiments.recompute import from_scores
from trsfnet.data.faces import TrackData
from trsfnet.errors import ConfigError, DataError, RecordError
from trsfnet.experiments.code import source_files, source_hash, without_prose
from trsfnet.experiments.commands import papermill_command
from trsfnet.experiments.record import read_record
from trsfnet.experiments.run import run
from trsfnet.experiments.stale import why_stale
from trsfnet.training.collapsed import Collapsed
from trsfnet.training.config import TrainConfig
from trsfnet.training.distributed import LostPeer, World


@pytest.fixture
def on_tiny_data(monkeypatch, tiny_data):
    """Runs get the tiny faces, and the number of times they were asked for."""
    calls = []

    def load(track: str, **_):
        calls.append(track)
        return tiny_data

    monkeypatch.setattr(module, "load_track", load)
    return calls


def test_the_record_is_complete_and_a_done_run_returns_at_once(on_tiny_data, tiny_config, tmp_path, capsys):
    record = run(tiny_config, runs=tmp_path)
    assert record.path == tmp_path / "synthetic" / tiny_config.run_id
    assert record.status == "done"
    assert record.info["counts"]["scales"] == 20
    assert record.info["counts"]["slopes"] == 131
    assert record.info["source_hash"] == source_hash("synthetic")
    assert record.info["data"]["train"]["identities"] == 8
    assert record.info["hardware"]["threads"] == torch.get_num_threads()
    assert record.info["libraries"]["torch"] == version("torch")
    assert record.info["acceleration"]["means"] == "eager"
    assert record.info["acceleration"]["accelerated"]["ResidualBlock"] == 21
    assert record.info["acceleration"]["skipped"] == {}
    assert TrainConfig.from_parameters(read_record(record.path).config) == tiny_config
    assert len(record.history()) == 2
    assert record.metrics["tar@1e-3"] == record.history()["tar@1e-3"].iloc[-1]
    assert {"trsf", "slope", "ratio", "kernel", "bias"} <= set(record.parameters().kind)
    assert list((record.path / "tensorboard").glob("events.out.tfevents.*"))
    assert (record.path / "checkpoints" / "last.pt").is_file()
    out = capsys.readouterr().out.splitlines()
    assert out[0] == record.info["acceleration"]["reason"]
    assert out[1].startswith("epoch 1/2  loss ")
    assert out[1].endswith(" min left")
    assert out[2].endswith(" images/s")

    again = run(tiny_config, runs=tmp_path)
    assert len(on_tiny_data) == 1
    assert again.info == record.info


def test_scores_recompute_the_metrics(on_tiny_data, tiny_config, tmp_path):
    record = run(tiny_config, runs=tmp_path)
    scores = record.scores()
    assert len(scores) == 40
    again = from_scores(record)
    assert record.info["evaluation"]["protocol"] == "ten-fold"
    assert (again.accuracy, again.tar) == (record.metrics["accuracy"], record.metrics["tar@1e-3"])
    assert (scores.same == (scores.left // 4 == scores.right // 4)).all()


def test_all_pairs_scores_recompute_the_metrics(monkeypatch, tiny_data, tiny_config, tmp_path):
    without_pairs = TrackData(tiny_data.train, tiny_data.test, None)
    monkeypatch.setattr(module, "load_track", lambda *_, **__: without_pairs)
    record = run(tiny_config, runs=tmp_path)
    scores = record.scores()
    genuine, impostor = scores[scores.same], scores[~scores.same]
    assert (genuine.left_person == genuine.right_person).all()
    assert (impostor.left_person != impostor.right_person).all()
    for far in (1e-2, 1e-3):
        assert from_scores(record, far).tar == record.metrics[f"tar@{far:.0e}".replace("e-0", "e-")]


def test_a_lost_peer_is_recorded_in_a_sentence(on_tiny_data, tiny_config, tmp_path, monkeypatch):
    def train(*_, **__):
        raise RuntimeError("[gloo/pair.cc:545] Read error: Connection reset by peer. GLHF!")

    monkeypatch.setattr(module, "train", train)
    with pytest.raises(LostPeer):
        run(tiny_config, runs=tmp_path)
    stopped = module.read_record(tmp_path / "synthetic" / tiny_config.run_id)
    assert stopped.info["message"].startswith("LostPeer: Another process of this run ended or cannot be ")


def test_rank_0_decides_for_all_whether_a_run_has_ended(on_tiny_data, tiny_config, tmp_path, monkeypatch):
    """Another job ends the run after rank 0's first check. A rank that decided by itself would return before
    the others, or train alone, and one of them would wait for the other until the timeout.
    """
    config = replace(tiny_config, micro_batches=2)
    ended = run(config, runs=tmp_path)
    decisions = iter([False, True])

    class Rank1(World):
        def agree(self, answer):
            return next(decisions)

        def wait(self):
            pass

    def train(*_, **__):
        raise AssertionError("the run has ended")

    monkeypatch.setattr(module, "join", lambda: Rank1(1, 2))
    monkeypatch.setattr(module, "train", train)
    assert run(config, runs=tmp_path).info == ended.info
    assert list(decisions) == []


def test_an_interrupted_run_is_recorded_and_goes_on(on_tiny_data, tiny_config, tmp_path, monkeypatch):
    whole = run(tiny_config, runs=tmp_path / "whole")
    stopped = interrupted(monkeypatch, tiny_config, tmp_path)
    assert stopped.status == "failed"
    assert stopped.info["message"].startswith("KeyboardInterrupt")
    assert len(stopped.history()) == 1
    record = run(tiny_config, runs=tmp_path)
    assert record.status == "done"
    assert record.info["message"] == ""
    assert record.metrics == whole.metrics
    assert record.history().loss.tolist() == whole.history().loss.tolist()
    assert record.parameters().equals(whole.parameters())


def test_times_are_those_of_all_attempts(on_tiny_data, tiny_config, tmp_path, monkeypatch):
    stopped = interrupted(monkeypatch, tiny_config, tmp_path)
    assert stopped.info["seconds"] > 0
    stopped.write_info(seconds=1000.0, started="2020-01-01T00:00:00+00:00")
    with monkeypatch.context() as patched:
        patched.setattr(module, "train", raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(tiny_config, runs=tmp_path)
    assert read_record(stopped.path).info["seconds"] >= 1000
    record = run(tiny_config, runs=tmp_path)
    assert record.info["seconds"] > 1000
    assert record.info["started"] == "2020-01-01T00:00:00+00:00"


def raise_interrupt(*_, **__):
    raise KeyboardInterrupt


def test_a_full_disk_does_not_hide_why_a_run_failed(on_tiny_data, tiny_config, tmp_path, monkeypatch):
    write = module.RunFolder.write_info

    def full(record, **changes):
        if changes:
            raise DataError("Cannot write to run.json: No space left on device.")
        write(record)

    monkeypatch.setattr(module.RunFolder, "write_info", full)
    monkeypatch.setattr(module, "train", raise_interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(tiny_config, runs=tmp_path)


def test_a_last_epoch_without_its_tables_is_completed(on_tiny_data, tiny_config, tmp_path, monkeypatch):
    """The checkpoint was saved, and the disk was full when the table followed."""
    write = module.RunFolder.write_history

    def full(record, rows):
        if len(rows) == tiny_config.epochs:
            raise OSError("No space left on device")
        write(record, rows)

    monkeypatch.setattr(module.RunFolder, "write_history", full)
    with pytest.raises(OSError, match="No space"):
        run(tiny_config, runs=tmp_path)
    monkeypatch.setattr(module.RunFolder, "write_history", write)
    record = run(tiny_config, runs=tmp_path)
    assert record.status == "done"
    assert len(record.history()) == tiny_config.epochs


def test_a_record_of_another_version_is_left_alone(on_tiny_data, tiny_config, tmp_path):
    file = run(tiny_config, runs=tmp_path).path / "run.json"
    newer = json.dumps(json.loads(file.read_text()) | {"schema": 2})
    file.write_text(newer)
    with pytest.raises(RecordError, match="has format 2, but this version of trsfnet reads 1"):
        run(tiny_config, runs=tmp_path)
    assert file.read_text() == newer


def test_a_damaged_record_is_kept_beside_the_new_one(on_tiny_data, tiny_config, tmp_path, capsys):
    file = run(tiny_config, runs=tmp_path).path / "run.json"
    file.write_text("{half")
    record = run(tiny_config, runs=tmp_path)
    assert record.status == "done"
    assert why_stale(record), "it is not known which arithmetic made its checkpoint"
    assert file.with_name("run.json.damaged").read_text() == "{half"
    assert "is damaged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"learning_rate": float("inf")}, "learning_rate must be a finite number, got inf"),
        (
            {"schedule": "milestones", "milestones": (-1,)},
            "milestones must be above 0, got -1",
        ),
        (
            {"schedule": "milestones", "milestones": ("a",)},
            "milestones must be a whole number, got 'a'",
        ),
    ],
)
def test_numbers_that_no_training_can_use_are_refused_at_once(tiny_config, tmp_path, settings, says):
    with pytest.raises(ConfigError, match=says):
        run(replace(tiny_config, **settings), runs=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_collapsed_run_is_a_result(on_tiny_data, tiny_config, tmp_path):
    record = run(replace(tiny_config, learning_rate=1e30), runs=tmp_path)
    assert record.status == "collapsed"
    assert "The loss became" in record.info["message"]
    assert record.collapse == Collapsed("loss", 2)
    assert record.metrics == {}
    assert record.parameters().epoch.max() == 0
    assert run(replace(tiny_config, learning_rate=1e30), runs=tmp_path).info == record.info


def test_a_second_process_keeps_off_a_run_and_harms_nothing(on_tiny_data, tiny_config, tmp_path):
    path = tmp_path / "synthetic" / tiny_config.run_id
    holder = "import sys; from pathlib import Path; from trsfnet.experiments.lock import locked\n"
    holder += "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", holder, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "held\n"
    with pytest.raises(RecordError, match=rf"is being trained by process {other.pid} on .*: wait for it"):
        run(tiny_config, runs=tmp_path)
    assert not (path / "run.json").exists()
    other.kill()
    other.wait()
    assert run(tiny_config, runs=tmp_path).status == "done"


def test_the_record_says_which_preset_it_used_and_what_was_overridden(on_tiny_data, tiny_config, tmp_path):
    given = {
        "arch": "v1",
        "track": "synthetic",
        "width": 0.125,
        "image_size": 75,
        "batch_size": 16,
        "epochs": 1,
        "steps_per_epoch": 2,
    }
    asked = TrainConfig.from_parameters(given | {"precision": "float32"}, "vggface2")
    record = run(asked, runs=tmp_path, preset="vggface2")
    assert record.info["preset"] == {
        "name": "vggface2",
        "overridden": {
            k: given[k] for k in ("track", "image_size", "width", "epochs", "steps_per_epoch", "batch_size")
        },
    }
    assert record.config["schedule"] == "staircase"
    words = shlex.split(record.info["command"])
    again = dict(zip(words[4::3], words[5::3], strict=True))
    assert again.pop("preset") == "vggface2"
    assert set(again) == {*given, "precision"} - {"arch"}


@pytest.mark.parametrize("devices", [0, 10_000, True])
def test_devices_must_exist(tiny_config, tmp_path, devices):
    with pytest.raises(ConfigError, match="devices must be a whole number from 1 to this machine's"):
        run(tiny_config, runs=tmp_path, devices=devices)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"batch_size": 15}, r"devices must split batch_size \(15\) into equal parts of two or more, got 2"),
        ({"batch_size": 80}, "batch_size 80 exceeds the 64 training images"),
        ({"micro_batches": 1, "batch_size": 2}, r"devices must split batch_size \(2\) .* got 2"),
        (
            {"batch_size": 15, "micro_batches": 3},
            "micro_batches must be a multiple of the 2 processes, got 3",
        ),
    ],
)
def test_what_devices_cannot_share_is_said_before_they_start(
    on_tiny_data, tiny_config, tmp_path, monkeypatch, settings, says
):
    def launch(*_):
        raise AssertionError("nothing may start")

    monkeypatch.setattr(module, "check_devices", lambda devices: None)
    monkeypatch.setattr(module, "launch", launch)
    with pytest.raises(ConfigError, match=says):
        run(replace(tiny_config, **settings), runs=tmp_path, devices=2)


def test_processes_that_torchrun_started_do_not_start_more(tiny_config, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "check_devices", lambda devices: None)
    monkeypatch.setattr(module, "join", lambda: World(0, 2))
    with pytest.raises(ConfigError, match=r"devices must be left out, .* has started 2 processes, got 4"):
        run(tiny_config, runs=tmp_path, devices=4)


def test_the_command_repeats_the_run():
    config = TrainConfig(trsf=True, track="lfw", seed=2, schedule="milestones", milestones=(10, 20))
    assert shlex.split(papermill_command(config)) == [
        *("papermill", "notebooks/train.ipynb", "runs/lfw-v1-trsf-relu-seed2.ipynb"),
        *("-p", "trsf", "True", "-p", "track", "lfw", "-p", "seed", "2", "-p", "schedule", "milestones"),
        *("-y", "milestones: [10, 20]"),
    ]


def test_source_hash_ignores_prose_and_sees_code():
    code = 'def f(x):\n    """Doc."""\n    # why\n    return x + 1  # more\n'
    assert without_prose(code) == "def f(x):\n    return x + 1"
    assert without_prose(code.replace("Doc", "Other\n\n    text")) == without_prose(code)
    assert without_prose(code.replace("+ 1", "+ 2")) != without_prose(code)
    assert without_prose('x = "# no comment"\n') == 'x = "# no comment"'


def test_runs_depend_on_their_own_tracks_code_alone():
    lfw, synthetic = source_files("lfw"), source_files("synthetic")
    assert {"training/loop.py", "models/layers.py", "heads.py", "data/augment.py"} <= set(lfw) & set(
        synthetic
    )
    assert {"data/tracks/lfw.py", "data/lfw.py"} <= set(lfw) - set(synthetic)
    assert {"data/tracks/synthetic.py"} <= set(synthetic) - set(lfw)
    assert not {n for n in lfw if n.startswith(("report/", "experiments/", "cli"))}
    assert not {n for n in lfw if "recordio" in n or "ijb" in n or "rendering" in n}
    assert source_hash("lfw") != source_hash("synthetic")


def test_config_survives_json(tiny_config):
    assert TrainConfig.from_parameters(tiny_config.recorded | {"milestones": []}) == tiny_config
