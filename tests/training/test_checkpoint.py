"""Checkpoints: never half written, never half trusted, never executed."""

from __future__ import annotations

import errno
import os
import pickle

import pytest
import torch

from tests.data.full_disk import full_disk
from trsfnet.errors import DataError
from trsfnet.training import checkpoint
from trsfnet.training.checkpoint import (
    CheckpointError,
    Checkpoints,
    has_checkpoint,
    load_checkpoint,
    previous,
    save_checkpoint,
)
from trsfnet.training.distributed import World


def state(number: int) -> dict:
    return {"weights": torch.full((1000,), float(number)), "epochs": [{"epoch": number}]}


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "last.pt"
    assert load_checkpoint(path) is None
    save_checkpoint(path, state(1))
    save_checkpoint(path, state(2))
    return path


def number_in(loaded: dict) -> int:
    assert loaded["weights"].unique().tolist() == [loaded["epochs"][0]["epoch"]]
    return loaded["epochs"][0]["epoch"]


def test_the_latest_is_read_and_the_one_before_kept(two):
    assert number_in(load_checkpoint(two)) == 2
    assert number_in(load_checkpoint(previous(two))) == 1
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
    assert number_in(load_checkpoint(two)) == 1
    assert f"The checkpoint {two} is damaged (" in capsys.readouterr().err
    previous(two).write_bytes(b"")
    assert load_checkpoint(two) is None


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
    assert number_in(load_checkpoint(two)) == 2
    assert has_checkpoint(two)


@pytest.mark.parametrize(
    "error", [PermissionError(errno.EACCES, "Permission denied"), OSError(errno.EIO, "Input/output error")]
)
def test_one_that_cannot_be_read_is_not_taken_for_damaged(two, monkeypatch, error):
    def read(*_):
        raise error

    monkeypatch.setattr(checkpoint, "_read", read)
    with pytest.raises(DataError, match=rf"^Cannot read the checkpoint .*last\.pt: {error.strerror}\.$"):
        load_checkpoint(two)


def test_too_little_memory_is_no_damage(two, monkeypatch):
    def read(*_):
        raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(checkpoint, "_read", read)
    with pytest.raises(RuntimeError, match="out of memory"):
        load_checkpoint(two)


class Run:
    """A run at some step, as `Checkpoints` sees it."""

    def __init__(self, number: int) -> None:
        self.number = number

    def state_dict(self) -> dict:
        return state(self.number) | {"epoch": self.number, "step": 0}


def test_a_damaged_one_is_set_aside_and_never_replaces_the_good_one(tmp_path, capsys):
    path = tmp_path / "last.pt"
    checkpoints = Checkpoints(path, 0.0, World())
    checkpoints.save(Run(1))
    checkpoints.save(Run(2))
    path.write_bytes(b"damage")
    assert number_in(checkpoints.load()) == 1
    assert str(tmp_path / "last.damaged.pt") in capsys.readouterr().err
    checkpoints.save(Run(3))
    assert (tmp_path / "last.damaged.pt").read_bytes() == b"damage"
    assert [number_in(load_checkpoint(file)) for file in (path, previous(path))] == [3, 1]


class OneOfTwo(World):
    """A process whose peer has no checkpoint."""

    def alike(self, number: int) -> bool:
        return number == 0


def test_processes_that_find_different_ones_do_not_train(tmp_path):
    path = tmp_path / "last.pt"
    Checkpoints(path, 0.0, World()).save(Run(1))
    with pytest.raises(DataError, match="--runs must be on a file system that all machines share"):
        Checkpoints(path, 0.0, OneOfTwo(0, 2)).load()
    assert path.is_file()


def test_one_of_the_first_versions_is_named_and_left(tmp_path):
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"model": {}, "head": {}, "optimizer": {}, "epochs": [], "parameters": []})
    with pytest.raises(CheckpointError, match=r"last\.pt was written by an early version of trsfnet"):
        load_checkpoint(path)
    assert path.is_file()


def test_a_malicious_one_is_not_executed(two, tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "owned"),))

    torch.save({"weights": Evil()}, two, pickle_module=pickle)
    assert number_in(load_checkpoint(two)) == 1
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("room", [0, 100, 5000])
def test_a_full_disk_is_one_sentence_and_the_checkpoint_before_stays(tmp_path, room):
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"step": 1})
    with full_disk(room), pytest.raises(DataError, match=r"^Cannot write to .*last\.pt: File too large\.$"):
        save_checkpoint(path, {"step": 2, "weights": torch.zeros(9999)})
    assert load_checkpoint(path) == {"step": 1}
