"""The arithmetic is chosen by what the hardware has, and bfloat16 trains like float32."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trsfnet.training.config import TrainConfig
from trsfnet.training.loop import train
from trsfnet.training.precision import best_precision


@pytest.mark.parametrize(
    ("amx", "avx512", "chosen"),
    [(True, True, "bfloat16"), (False, True, "bfloat16"), (False, False, "float32")],
)
def test_a_cpu_computes_in_bfloat16_only_if_it_multiplies_it(monkeypatch, amx, avx512, chosen):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512, raising=False)
    assert best_precision(torch.device("cpu")) == chosen
    if not torch.cuda.is_available():
        assert TrainConfig().resolved(None).precision == chosen


@pytest.mark.parametrize(("native", "chosen"), [(True, "bfloat16"), (False, "float32")])
def test_a_gpu_computes_in_bfloat16_if_it_has_it(monkeypatch, native, chosen):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert best_precision(torch.device("cuda")) == chosen


def test_the_first_step_in_bfloat16_is_the_one_in_float32_to_its_precision(tiny_config, tiny_data):
    """Later steps need not agree: training amplifies rounding, and every processor rounds in its own way."""
    first = {
        precision: train(
            replace(tiny_config, precision=precision, epochs=1, steps_per_epoch=1), tiny_data
        ).history.epochs[0]
        for precision in ("float32", "bfloat16")
    }
    for number in ("loss", "gradient_norm"):
        assert first["bfloat16"][number] == pytest.approx(first["float32"][number], rel=0.1)
        assert first["bfloat16"][number] != first["float32"][number]
