"""`trsfnet train` as a user meets it."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from trsfnet.cli import main, parse
from trsfnet.cli.output import lasting_output
from trsfnet.experiments import launch
from trsfnet.experiments.run import _command_words
from trsfnet.training.config import TrainConfig
from trsfnet.training.distributed import peers

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = {
    "epochs": 1,
    "identities": 4,
    "images_per_identity": 4,
    "image_size": 75,
    "width": 0.125,
    "batch_size": 8,
    "embedding_size": 16,
    "precision": "float32",
}


def tiny(runs: Path, **settings: object) -> list[str]:
    """`train` of the smallest network, with `settings` besides."""
    parameters = (SETTINGS | settings).items()
    return ["train", "--runs", str(runs), *(w for name, v in parameters for w in ("-p", name, str(v)))]


def start(*words: str) -> subprocess.Popen[str]:
    """`trsfnet` in a process group of its own, as a terminal starts it."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-m", "trsfnet", *words]
    # Several threads for so small a network would only wait for each other beside other tests.
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    _STARTED.append(subprocess.Popen(command, text=True, start_new_session=True, env=env, **pipes))
    return _STARTED[-1]


_STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def nothing_left_running():
    """End what a failed test leaves behind: a run of 1,000 epochs."""
    yield
    for process in _STARTED:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    _STARTED.clear()


def record(runs: Path) -> dict[str, object]:
    (file,) = runs.glob("synthetic/*/run.json")
    return json.loads(file.read_text())


def test_train_writes_the_record_and_says_where(tmp_path, capsys):
    assert main(tiny(tmp_path, trsf=True)) == 0
    said = capsys.readouterr().out
    assert "epoch 1/1" in said
    assert said.splitlines()[-1].startswith(f"done: {tmp_path}/synthetic/v1-trsf-relu-seed0-")
    assert record(tmp_path)["status"] == "done"


def test_again_trains_anew_what_other_code_made(tmp_path, capsys):
    command = tiny(tmp_path, steps_per_epoch=1)
    assert main(command) == 0
    (file,) = tmp_path.glob("synthetic/*/run.json")
    made = json.loads(file.read_text())
    file.write_text(json.dumps(made | {"results_version": "0"}))
    assert main(command) == 0
    assert record(tmp_path)["results_version"] == "0"
    assert main([*command, "--again"]) == 0
    assert record(tmp_path)["results_version"] == made["results_version"]
    assert "is retrained because" in capsys.readouterr().out


def test_a_collapse_is_exit_code_1(tmp_path, capsys):
    assert main(tiny(tmp_path, learning_rate=1e30, epochs=4)) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("collapsed: ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-p", "arch", "v3"], "arch must be one of 'v1', 'v2', got 'v3'."),
        (["-p", "trfs", "True"], "Unknown parameter 'trfs'; the nearest is 'trsf'."),
        (["-p", "images", "abc"], "Unknown parameter 'images'; the nearest is 'image_size'."),
        (["-p", "data_root", "/data"], "data_root is not a setting: give it as --data-root."),
        (["-p", "trsf", "yes"], "trsf must be True or False, got 'yes'."),
        (
            ["-p", "slope_init", "-1e-3"],
            "slope_init needs activation leaky_relu or prelu, but activation is relu.",
        ),
        (["-p", "slope_init", "-inf"], "slope_init must be a number, got '-inf'."),
        (
            ["-p", "seed", "1", "-p", "epochs", "2", "-p", "seed", "2"],
            "seed must be given only once with -p, got 2 values.",
        ),
        (["-p", "track", "{[]: 1}"], "track must be one of 'synthetic', 'lfw', 'paper', got '{[]: 1}'."),
        (["--data-root", "/nowhere"], "data_root must name an existing folder, got /nowhere."),
        (["--runs", "caf\udce9"], "The name of a file to write must be UTF-8, got caf%E9."),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(tmp_path, capsys, words, says):
    assert main(["train", "--runs", str(tmp_path), *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"trsfnet: {says}")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_what_argparse_refuses_is_one_sentence(capsys):
    with pytest.raises(SystemExit) as left:
        main(["train", "there"])
    said = "trsfnet train: unrecognized arguments: there; see trsfnet train --help.\n"
    assert (left.value.code, capsys.readouterr().err) == (2, said)


def test_the_command_for_several_processes_gives_every_setting_back():
    config = TrainConfig(activation="prelu", slope_init=-1e-5, weight_decay=1e-7, milestones=())
    given = parse(_command_words(config, "runs", None, None))
    assert dict(given.parameters) == {"activation": "prelu", "slope_init": "-1e-05", "weight_decay": "1e-07"}


def test_the_command_for_several_processes_repeats_settings_that_a_preset_has_otherwise():
    own = {"track": "lfw", "width": 0.25, "epochs": 24, "dropout": 0.0}
    config = TrainConfig.from_parameters(own, "vggface2")
    words = dict(parse(_command_words(config, "runs", None, "vggface2")).parameters)
    assert words == {name: str(value) for name, value in own.items()}


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {"WORLD_SIZE": "2", "RANK": "0"},
            "WORLD_SIZE=2 needs MASTER_ADDR and MASTER_PORT, as torchrun sets",
        ),
        ({"WORLD_SIZE": "2", "RANK": "2"}, "RANK must be 0 to 1 with WORLD_SIZE=2, got 2. To train in one"),
        ({"WORLD_SIZE": "two", "RANK": "0"}, "WORLD_SIZE must be a whole number, got 'two'. To train in one"),
        (
            {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "tcp"},
            "MASTER_PORT must be a whole number, got 'tcp'. To train in one",
        ),
        (
            {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "99999"},
            "MASTER_PORT must be 1 to 65535, got 99999. To train in one",
        ),
        (
            {"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0", "SLURM_JOB_ID": "7"},
            "SLURM_STEP_NUM_TASKS=2 needs SLURM_LOCALID and SLURM_STEP_NODELIST, as srun sets them. To train",
        ),
    ],
)
def test_variables_that_an_earlier_job_left_are_one_sentence(tmp_path, capsys, monkeypatch, variables, says):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(tiny(tmp_path)) == 2
    assert capsys.readouterr().err.startswith(f"trsfnet: {says}")


@pytest.mark.slow
def test_a_process_that_waits_for_others_says_so_and_can_be_interrupted(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    process = start(*tiny(tmp_path))
    said = process.stderr.readline()
    assert said.startswith(
        f"trsfnet: waiting at 127.0.0.1:{port} for the other processes of this run, for at"
    )
    process.terminate()
    assert process.wait(timeout=30) == -signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_only_the_process_that_started_several_reports_the_result(tmp_path, monkeypatch, capsys):
    environments = []

    def started(*_, env, **__):
        environments.append(env)
        return SimpleNamespace(stdout=[], wait=lambda: 0)

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", started)
        launch.launch([], 1)
    for name in environments[0].keys() - os.environ.keys():
        monkeypatch.setenv(name, environments[0][name])
    assert main(tiny(tmp_path)) == 0
    said = capsys.readouterr().out
    assert "epoch 1/1" in said
    assert "done: " not in said


def test_a_process_that_the_system_ended_is_named(monkeypatch, capsys):
    def run(*_):
        killed = ProcessFailure(local_rank=1, pid=7, exitcode=-signal.SIGKILL, error_file="")
        raise ChildFailedError("trsfnet", {1: killed})

    monkeypatch.setattr(launch.torch.distributed.run, "run", run)
    monkeypatch.setattr(sys, "argv", ["launch", "-m", "trsfnet"])
    try:
        assert launch._torchrun() == 1
    finally:
        logging.disable(logging.NOTSET)
    sentence = "trsfnet: Process 1 was ended by SIGKILL, as the system does when memory runs out.\n"
    assert capsys.readouterr().err == sentence


def test_a_closed_pipe_is_said_once_and_work_goes_on(monkeypatch, capfd):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        with lasting_output("training continues"), peers():
            for epoch in range(3):
                print("epoch", epoch)
        print("after")
    assert capfd.readouterr().err == "trsfnet: the output was closed: training continues.\n"


def test_our_own_closed_pipe_is_no_lost_peer():
    with pytest.raises(BrokenPipeError), peers():
        raise BrokenPipeError
    with pytest.raises(Exception, match="Another process of this run ended"), peers():
        raise ConnectionResetError


@pytest.mark.slow
def test_a_run_outlives_its_reader_and_says_that_it_was_terminated(tmp_path):
    process = start(*tiny(tmp_path, epochs=1000))
    assert process.stdout.readline().startswith("Not compiled: ")
    assert process.stdout.readline().startswith("epoch 1/1000")
    process.stdout.close()
    (file,) = tmp_path.glob("synthetic/*/history.csv")
    wait_for(lambda: file.read_text().count("\n") > 3)
    process.terminate()
    said = process.stderr.read()
    assert process.wait() == 128 + signal.SIGTERM
    assert said.splitlines() == [
        "trsfnet: the output was closed: training continues, and `trsfnet runs` shows its progress.",
        "trsfnet: The process received SIGTERM. Repeat the command to resume.",
    ]
    assert record(tmp_path)["status"] == "failed"
    assert record(tmp_path)["message"] == "Terminated: The process received SIGTERM."


@pytest.mark.slow
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="a machine of one core has no second device")
def test_ctrl_c_ends_all_processes_without_a_traceback(tmp_path):
    process = start(*tiny(tmp_path, epochs=1000), "--devices", "2")
    assert process.stdout.readline().startswith("Not compiled: ")
    assert process.stdout.readline().startswith("epoch 1/1000")
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert said == "trsfnet: interrupted; repeat the command to resume.\n"
    assert record(tmp_path)["message"] == "KeyboardInterrupt"


def wait_for(condition) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen within a minute")
