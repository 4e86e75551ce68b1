"""The paper's settings and numbers, and what may stand in one table."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from trsfnet.experiments.grid import is_papers, table_settings
from trsfnet.experiments.paper import paper_table, reference
from trsfnet.experiments.scales import departures, protocol
from trsfnet.training.config import TrainConfig


@pytest.mark.parametrize(("number", "arch"), [(1, "v1"), (2, "v2")])
def test_settings_are_the_rows_of_the_papers_tables(number, arch):
    settings = table_settings(number)
    assert [s.key for s in settings] == list(paper_table(number).cells)
    names = [s.name.removeprefix(f"Inception-ResNet {arch}") for s in settings]
    assert names == ["", " + TRSF", " + Leaky ReLU", " + TRSF + Leaky ReLU", " + PReLU", " + TRSF + PReLU"]


def test_published_numbers_are_counts_and_agree_with_the_text():
    """Every LFW cell is k/3000, and the averages that the text claims follow from the cells."""
    for number in (1, 2, 6):
        table = paper_table(number)
        for value in table.cells.values():
            assert abs(value * 30 - round(value * 30)) < 0.16, "two printed decimals of k/3000"
    one, two = paper_table(1).cells, paper_table(2).cells
    trsf = ((one["v1-trsf-relu"] - one["v1-relu"]) + (two["v2-trsf-relu"] - two["v2-relu"])) / 2
    prelu = ((one["v1-prelu"] - one["v1-relu"]) + (two["v2-prelu"] - two["v2-relu"])) / 2
    leaky = ((one["v1-leaky-relu"] - one["v1-relu"]) + (two["v2-leaky-relu"] - two["v2-relu"])) / 2
    assert (trsf, prelu, leaky) == (
        pytest.approx(1.24, abs=0.01),
        pytest.approx(0.82, abs=0.01),
        pytest.approx(0.62, abs=0.01),
    )
    assert paper_table(6).cells["0.2"] == two["v2-prelu"]
    assert paper_table(4).trials is None
    assert reference()["doi"] == "10.1016/j.neucom.2020.05.022"


def resolved(**settings) -> dict:
    return asdict(replace(TrainConfig(**settings), images="x").resolved(None))


def test_only_runs_from_the_papers_start_belong_in_its_tables():
    assert is_papers(resolved())
    assert is_papers(resolved(trsf=True, activation="prelu"))
    assert not is_papers(resolved(trsf=True, scale_init=0.3))
    assert not is_papers(resolved(scale_init=0.3))
    assert not is_papers(resolved(trsf=True, trsf_per_channel=True))
    assert not is_papers(resolved(activation="prelu", slope_init=0.25))


def test_protocols_differ_by_all_that_changes_the_result_but_the_setting():
    base = protocol(resolved(precision="float32"))
    assert protocol(resolved(trsf=True, activation="prelu", seed=4, precision="bfloat16")) == base
    for change in ({"epochs": 1}, {"width": 1.0}, {"learning_rate": 0.1}, {"identities": 9}, {"flip": False}):
        assert protocol(resolved(precision="float32", **change)) != base
        assert departures(resolved(**change)) == change
    assert departures(resolved(arch="v2", trsf=True, seed=4)) == {}
