"""Only trainings that are long enough wait for a compiler."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trsfnet.experiments.compiling import WORTH_COMPILING, compiling


@pytest.mark.parametrize("steps", [WORTH_COMPILING - 1, WORTH_COMPILING])
def test_short_trainings_are_not_compiled(tiny_config, tiny_data, steps):
    compiled = []

    def backend(graph, _):
        compiled.append(graph)
        return graph

    network = torch.nn.Linear(2, 3)
    network.compile(backend=backend)
    with compiling(replace(tiny_config, epochs=1, steps_per_epoch=steps), tiny_data):
        assert network(torch.ones(1, 2)).shape == (1, 3)
    assert len(compiled) == (steps >= WORTH_COMPILING)
