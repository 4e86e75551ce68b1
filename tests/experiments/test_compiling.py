"""Only trainings that are long enough wait for a compiler; the others have their steps captured."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import trsfnet.experiments.compiling as module
from tests.models.test_inception_resnet import TINY
from trsfnet.experiments.compiling import WORTH_COMPILING, compiling
from trsfnet.models import InceptionResnet


@pytest.fixture
def captured(monkeypatch) -> list[tuple[int, torch.dtype]]:
    calls: list[tuple[int, torch.dtype]] = []
    monkeypatch.setattr(module, "capture", lambda model, batch, dtype: calls.append((batch, dtype)))
    return calls


@pytest.mark.parametrize(
    ("steps", "micro_batches", "does"),
    [
        (WORTH_COMPILING, 1, "compile"),
        (WORTH_COMPILING - 1, 1, "capture"),
        (WORTH_COMPILING - 1, 2, "neither"),
    ],
)
def test_what_suits_the_training(tiny_config, tiny_data, captured, steps, micro_batches, does):
    network = InceptionResnet(version="v1", **TINY)
    config = replace(tiny_config, epochs=1, steps_per_epoch=steps, micro_batches=micro_batches)
    with compiling(config, tiny_data):
        network.compile()
    assert (network._compiled_call_impl is not None) == (does == "compile")
    assert captured == ([(config.batch_size, torch.float32)] if does == "capture" else [])
    network.compile()
    assert network._compiled_call_impl is not None, "afterwards all is as before"
