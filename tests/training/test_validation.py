"""Measures after training: each process takes part in what all compute together, and in nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trsfnet.training import validation
from trsfnet.training.distributed import World
from trsfnet.training.state import TrainState


@pytest.mark.parametrize("rank", [0, 1])
def test_a_classifier_is_gathered_only_for_held_out_images(tiny_config, tiny_data, monkeypatch, rank):
    gathered = []
    monkeypatch.setattr(validation, "_whole_head", lambda state: gathered.append(state.world.rank))
    monkeypatch.setattr(validation, "diagnostic_rows", lambda *_: [{"kind": "rank"}])
    state = TrainState.start(tiny_config, 8, 4, World())
    state.world = World(rank, 2)
    found = validation.final_rows(state, tiny_data, torch.zeros(0))
    assert found == ([{"kind": "rank"}] if rank == 0 else [])
    assert gathered == []
    validation.final_rows(state, replace(tiny_data, held_out=tiny_data.train), torch.zeros(0))
    assert gathered == [rank]
