"""The loop learns, repeats itself, continues where it stopped, and says when it collapses."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest
import torch

from trsfnet.errors import ConfigError
from trsfnet.models.retrofit import identify
from trsfnet.training import loop
from trsfnet.training.batches import batches, epoch_order
from trsfnet.training.checkpoint import load_checkpoint
from trsfnet.training.collapsed import Collapsed
from trsfnet.training.distributed import World
from trsfnet.training.loop import train
from trsfnet.training.network import build_model, make_optimizer
from trsfnet.training.state import TrainState
from trsfnet.training.step import train_step


def same_weights(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def without_times(rows: list[dict]) -> list[dict]:
    return [{k: v for k, v in row.items() if k not in ("seconds", "images_per_second")} for row in rows]


@pytest.fixture(scope="module")
def outcome(tiny_config, tiny_data):
    return train(tiny_config, tiny_data)


@pytest.mark.slow
def test_it_learns(tiny_config, tiny_data):
    longer = train(replace(tiny_config, epochs=8, batch_size=8), tiny_data)
    first, last = longer.history.epochs[0], longer.history.epochs[-1]
    assert last["loss"] < 0.5 * first["loss"]
    assert last["train_accuracy"] > 0.9
    assert longer.evaluation.metrics["accuracy"] > 0.8
    assert last["learning_rate"] < 0.002 < first["learning_rate"]


def test_history_has_a_row_per_epoch_and_the_starting_values(outcome, tiny_config):
    assert [row["epoch"] for row in outcome.history.epochs] == [1, 2]
    assert [row["step"] for row in outcome.history.epochs] == [4, 8]
    assert {"loss", "train_accuracy", "accuracy", "tar@1e-3", "images_per_second"} <= set(
        outcome.history.epochs[0]
    )
    rows = outcome.history.parameters
    kinds = Counter(row["kind"] for row in rows)
    every_epoch = {"trsf": 3 * 20, "slope": 3 * 131, "ratio": 3 * 21, "kernel": 3 * 21, "bias": 3 * 21}
    at_the_ends = {"cosine": 2 * 132, "rank": 2 * 132, "dead": 131, "zeros": 1}
    assert kinds == every_epoch | at_the_ends
    start = {
        (row["kind"], round(row["value"], 6))
        for row in rows
        if row["epoch"] == 0 and row["kind"] in ("trsf", "slope")
    }
    assert start == {("trsf", 0.1), ("slope", 0.2)}
    assert all(row["value"] > 0 for row in rows if row["kind"] in ("ratio", "kernel"))
    final = {
        row["name"]: row["value"] for row in rows if row["epoch"] == 2 and row["kind"] in ("trsf", "slope")
    }
    named = {**outcome.model.scales(), **outcome.model.slopes()}
    assert final == {name: value.item() for name, value in named.items()}
    assert len(set(final.values())) > 100, "scales and slopes must move"


def test_the_same_seed_gives_the_same_run_and_another_does_not(outcome, tiny_config, tiny_data):
    again = train(tiny_config, tiny_data)
    assert same_weights(again.model, outcome.model)
    assert without_times(again.history.epochs) == without_times(outcome.history.epochs)
    other = train(replace(tiny_config, seed=1), tiny_data)
    assert not same_weights(other.model, outcome.model)


def test_an_interrupted_run_ends_as_an_uninterrupted_one(outcome, tiny_config, tiny_data, tmp_path):
    checkpoint = tmp_path / "checkpoints" / "last.pt"

    def stop(history) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tiny_config, tiny_data, checkpoint=checkpoint, on_epoch=stop)
    assert len(load_checkpoint(checkpoint)["epochs"]) == 1
    torch.manual_seed(99)  # nothing may depend on where the global generator stands
    seen = []
    continued = train(
        tiny_config, tiny_data, checkpoint=checkpoint, on_epoch=lambda h: seen.append(len(h.epochs))
    )
    assert seen == [2]
    assert same_weights(continued.model, outcome.model)
    assert without_times(continued.history.epochs) == without_times(outcome.history.epochs)
    assert continued.history.parameters == outcome.history.parameters
    finished = train(tiny_config, tiny_data, checkpoint=checkpoint)
    assert finished.evaluation.metrics == outcome.evaluation.metrics


def test_the_time_of_an_epoch_includes_the_steps_before_an_interruption(
    tiny_config, tiny_data, tmp_path, monkeypatch
):
    step = loop.train_step

    def stop(state, parts) -> None:
        if state.step == 3:
            raise KeyboardInterrupt
        step(state, parts)

    monkeypatch.setattr(loop, "CHECK_EVERY", 1)
    with monkeypatch.context() as patched:
        patched.setattr(loop, "train_step", stop)
        with pytest.raises(KeyboardInterrupt):
            train(tiny_config, tiny_data, checkpoint=tmp_path / "last.pt", save_every=0)
    # Each look at this clock is one second after the one before.
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=count().__next__))
    first, second = train(tiny_config, tiny_data, checkpoint=tmp_path / "last.pt").history.epochs
    assert (first["images_per_second"], first["seconds"]) == (16, 64 / 16 + 1)
    assert (second["images_per_second"], second["seconds"]) == (64, 64 / 64 + 1)


def test_a_loss_that_is_not_finite_is_a_collapse_with_its_step(tiny_config, tiny_data):
    wild = replace(tiny_config, learning_rate=1e30, epochs=2)
    result = train(wild, tiny_data)
    assert result.status == "collapsed"
    assert "The loss became" in result.message
    assert "at step 2 (learning rate" in result.message
    assert "a learning rate that starts too large" in result.message
    assert result.evaluation is None
    assert result.collapse == Collapsed("loss", 2)


def test_the_network_keeps_the_momentum_of_its_settings_after_micro_batches(tiny_config, tiny_data):
    config = replace(tiny_config, micro_batches=2)
    state = TrainState.start(config, 8, 1, World())
    order = epoch_order(len(tiny_data.train), config, 0, 1).reshape(2, -1)
    train_step(state, batches(tiny_data.train, order, state.device))
    assert identify(state.model).settings["bn_momentum"] == config.bn_momentum


@pytest.mark.slow
def test_a_loss_that_ends_at_chance_is_a_collapse(tiny_config, tiny_data):
    idle = replace(
        tiny_config, learning_rate=1e-9, steps_per_epoch=100, epochs=1, trsf=False, scale_init=None
    )
    result = train(idle, tiny_data)
    assert result.status == "collapsed"
    assert "chance (2.08" in result.message
    assert result.collapse == Collapsed("chance")
    assert result.evaluation is not None


def test_decay_reaches_kernels_and_matrices_only(tiny_config):
    model = build_model(tiny_config)
    decayed, free = make_optimizer(tiny_config, model).param_groups
    assert (decayed["weight_decay"], free["weight_decay"]) == (5e-4, 0)
    assert (decayed["momentum"], decayed["nesterov"]) == (0.9, True)
    names = {id(p): name for name, p in model.named_parameters()}
    assert all(names[id(p)].endswith(("conv.weight", "last_linear.weight")) for p in decayed["params"])
    assert {names[id(p)].rsplit(".", 1)[1] for p in free["params"]} == {"weight", "bias", "scale"}
    per_channel = build_model(replace(tiny_config, trsf_per_channel=True))
    free = {id(p) for p in make_optimizer(tiny_config, per_channel).param_groups[1]["params"]}
    assert all(
        id(block.up.scale) in free for block in per_channel.residual_blocks() if block.up.scale is not None
    )


def test_an_epoch_shows_every_face_once_and_longer_ones_repeat_evenly(tiny_config, tiny_data):
    def seen(epoch: int, steps: int) -> list[int]:
        rows = epoch_order(len(tiny_data.train), tiny_config, epoch, steps)[:, 0]
        return [
            int(image.sum())
            for images, _ in batches(tiny_data.train, rows, torch.device("cpu"))
            for image in images
        ]

    everything = sorted(int(image.sum()) for image in tiny_data.train.images)
    assert sorted(seen(0, 4)) == everything
    assert seen(0, 4) != seen(1, 4)
    assert sorted(seen(0, 8)) == sorted(everything * 2)


def test_fewer_faces_than_a_batch(tiny_config, tiny_data):
    with pytest.raises(ConfigError, match="batch_size 65 exceeds the 64 training images"):
        train(replace(tiny_config, batch_size=65), tiny_data)
