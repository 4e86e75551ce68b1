"""The study of what a residual scale means."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from trsfnet.errors import ConfigError
from trsfnet.experiments.budgets import budget_of, of_a_study
from trsfnet.experiments.mechanism import PARTS, mechanism_configs
from trsfnet.experiments.record import read_records
from trsfnet.training.network import build_model

RESULTS = Path(__file__).parents[2] / "results"


def test_each_run_is_planned_once_and_known_as_one_of_the_study():
    configs = [config.resolved(None) for config in mechanism_configs()]
    assert len({config.run_id for config in configs}) == len(configs)
    for config in configs:
        assert budget_of(config.recorded) == "mechanism"
        assert of_a_study(config.recorded)
    with pytest.raises(ConfigError, match="part must be one of 'ladder'"):
        mechanism_configs("stairs")


def test_a_gauge_changes_how_the_function_is_written_and_nothing_else():
    (gauge,) = [c for c in mechanism_configs("gauge", [7]) if c.weight_decay == 0.04]
    (usual,) = [c for c in mechanism_configs("ladder", [7]) if c.weight_decay == 0.04 and c.trsf]
    images = torch.randn(2, 3, 75, 75, generator=torch.Generator().manual_seed(0))
    written = build_model(gauge.resolved(None)).eval()
    plain = build_model(usual.resolved(None)).eval()
    torch.testing.assert_close(written(images), plain(images), rtol=1e-4, atol=1e-5)
    assert all(scale == 1 for scale in written.scales().values())


def test_parts_hold_all_but_what_they_are_about():
    for name in PARTS:
        assert {c.seed for c in mechanism_configs(name)} == {100, 101, 102}
        assert {c.epochs for c in mechanism_configs(name)} == {10}


def test_frozen_constants_are_the_magnitudes_that_the_committed_runs_learned():
    """The file is a copy, so that planning needs no results: the records are the source."""
    records = {record.run_id: record for record in read_records([RESULTS])[0]}
    ladder = {(c.weight_decay, c.seed): c.resolved(None) for c in mechanism_configs("ladder") if c.trsf}
    frozen = mechanism_configs("frozen")
    assert len(frozen) == 6
    for config in frozen:
        table = records[ladder[config.weight_decay, config.seed].run_id].parameters()
        end = table[(table["kind"] == "trsf") & (table["epoch"] == table["epoch"].max())]
        assert not config.trsf
        assert config.fixed_scales == pytest.approx(end["value"].abs().tolist(), abs=6e-5)
