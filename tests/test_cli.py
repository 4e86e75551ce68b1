"""The command line as a user meets it."""

from __future__ import annotations

import subprocess
import sys

import pytest


def trsfnet(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trsfnet", *words], capture_output=True, text=True, check=False
    )


TINY = [
    word
    for pair in {
        "epochs": "1",
        "identities": "4",
        "images_per_identity": "4",
        "image_size": "75",
        "width": "0.125",
        "batch_size": "8",
        "embedding_size": "16",
    }.items()
    for word in ("-p", *pair)
]


def test_train_writes_the_record_and_says_where(tmp_path):
    done = trsfnet("train", *TINY, "-p", "trsf", "True", "--runs", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "epoch 1/1" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"done: {tmp_path}/synthetic/v1-trsf-relu-seed0-")
    assert len(list(tmp_path.glob("synthetic/*/run.json"))) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-p", "arch", "v3"], "trsfnet: arch must be one of 'v1', 'v2', got 'v3'."),
        (["-p", "trsf", "yes"], "trsfnet: trsf must be True or False, got 'yes'."),
        (["-p", "slope_init", "0.1"], "trsfnet: slope_init needs activation prelu or leaky_relu"),
        (["--data-root", "/nowhere"], "trsfnet: data_root must name an existing folder, got /nowhere."),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(tmp_path, words, says):
    done = trsfnet("train", *words, "--runs", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith(says)
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_collapse_is_exit_code_1(tmp_path):
    done = trsfnet(
        "train", *TINY, "-p", "learning_rate", "1e30", "-p", "epochs", "4", "--runs", str(tmp_path)
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1].startswith("collapsed: ")


def test_help_and_version_do_not_wait_for_torch():
    code = "import sys, trsfnet.cli; assert 'torch' not in sys.modules; trsfnet.cli.main(['--version'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("trsfnet 0."), done.stderr
    assert "papermill --help-notebook" in trsfnet("train", "--help").stdout
