"""Checkpoints: never half written, never half trusted, never executed."""

from __future__ import annotations

import os
import pickle

import pytest
import torch

from tests.data.full_disk import full_disk
from trsfnet.errors import DataError
from trsfnet.training import checkpoint
from trsfnet.training.checkpoint import CheckpointError, load_checkpoint, previous, save_checkpoint

CPU = torch.device("cpu")


def state(number: int) -> dict:
    return {"weights": torch.full((1000,), float(number)), "epochs": [{"epoch": number}]}


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "last.pt"
    assert load_checkpoint(path, CPU) is None
    save_checkpoint(path, state(1))
    save_checkpoint(path, state(2))
    return path


def number_in(loaded: dict) -> int:
    assert loaded["weights"].unique().tolist() == [loaded["epochs"][0]["epoch"]]
    return loaded["epochs"][0]["epoch"]


def test_the_latest_is_read_and_the_one_before_kept(two):
    assert number_in(load_checkpoint(two, CPU)) == 2
    assert number_in(load_checkpoint(previous(two), CPU)) == 1
    assert {file.name for file in two.parent.iterdir()} == {"last.pt", "last.previous.pt"}


def flip_a_bit(data: bytes) -> bytes:
    middle = data.index(torch.full((4,), 2.0).numpy().tobytes())
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [lambda d: d[: len(d) // 2], lambda d: d[:-10], lambda _: b"", lambda d: os.urandom(len(d)), flip_a_bit],
    ids=["half", "without its end", "empty", "noise", "one bit"],
)
def test_a_damaged_one_falls_back_to_the_one_before_and_says_so(two, damage, capsys):
    two.write_bytes(damage(two.read_bytes()))
    assert number_in(load_checkpoint(two, CPU)) == 1
    assert f"The checkpoint {two} is damaged (" in capsys.readouterr().err
    previous(two).write_bytes(b"")
    assert load_checkpoint(two, CPU) is None


@pytest.mark.parametrize("which", [0, 1])
def test_a_process_that_ends_between_the_renames_leaves_one(two, monkeypatch, which):
    renames = []

    def replace(a, b):
        if len(renames) == which:
            raise KeyboardInterrupt
        renames.append((a, b))
        os.rename(a, b)

    monkeypatch.setattr(checkpoint.os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(two, state(3))
    assert number_in(load_checkpoint(two, CPU)) == 2


def test_one_of_the_first_versions_is_named_and_left(tmp_path):
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"model": {}, "head": {}, "optimizer": {}, "epochs": [], "parameters": []})
    with pytest.raises(CheckpointError, match=r"last\.pt was written by an early version of trsfnet"):
        load_checkpoint(path, CPU)
    assert path.is_file()


def test_a_malicious_one_is_not_executed(two, tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "owned"),))

    torch.save({"weights": Evil()}, two, pickle_module=pickle)
    assert number_in(load_checkpoint(two, CPU)) == 1
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("room", [0, 100, 5000])
def test_a_full_disk_is_one_sentence_and_the_checkpoint_before_stays(tmp_path, room):
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"step": 1})
    with full_disk(room), pytest.raises(DataError, match=r"^Cannot write to .*last\.pt: File too large\.$"):
        save_checkpoint(path, {"step": 2, "weights": torch.zeros(9999)})
    assert load_checkpoint(path, torch.device("cpu")) == {"step": 1}
