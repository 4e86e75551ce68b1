"""The paper's numbers are what it prints, and its arithmetic is checked where it can be."""

from __future__ import annotations

from itertools import pairwise

import pytest

from trsfnet.models import InceptionResnet
from trsfnet.paper.numbers import (
    audit,
    paper_figure,
    paper_quantities,
    paper_table,
    reference,
)


def mean_gain(ours: str, baseline: str) -> float:
    """Mean over v1 and v2 of the gain in points, such as of `trsf-relu` over `relu`."""
    cells = paper_table(1).cells | paper_table(2).cells
    return sum(cells[f"{v}-{ours}"] - cells[f"{v}-{baseline}"] for v in ("v1", "v2")) / 2


@pytest.mark.parametrize("number", [1, 2, 6])
def test_every_lfw_cell_is_a_whole_number_of_3000_pairs(number):
    table = paper_table(number)
    assert table.trials == 3000
    for cell, value in table.cells.items():
        assert f"{100 * round(value * 30) / 3000:.2f}" == f"{value:.2f}", cell


@pytest.mark.parametrize(("number", "cells"), [(1, 6), (2, 6), (3, 2), (4, 3), (5, 3), (6, 5)])
def test_every_cell_is_there_and_belongs_to_a_setting(number, cells):
    table = paper_table(number)
    by_variant = table.by_variant
    assert len(by_variant) == cells
    assert all(variant.startswith(("v1-", "v2-")) for variant in by_variant)
    if table.unit == "percent":
        assert all(0.9 < share < 1 for share in by_variant.values())


@pytest.mark.parametrize(
    ("name", "ours"), [("TRSF", "trsf-relu"), ("PReLU", "prelu"), ("Leaky ReLU", "leaky-relu")]
)
def test_gains_in_the_text_are_means_of_the_cells(name, ours):
    # The text rounds what the cells have to the second decimal.
    assert paper_quantities()[f"gain by {name}"].value == pytest.approx(mean_gain(ours, "relu"), abs=0.00501)


def test_numbers_that_the_paper_gives_twice_agree():
    numbers = paper_quantities()
    assert numbers["TAR of v1 + TRSF + PReLU"].value == paper_table(1).cells["v1-trsf-prelu"]
    assert numbers["TAR of v2 + TRSF + PReLU"].value == paper_table(2).cells["v2-trsf-prelu"]
    starts = paper_table(6)
    assert starts.by_variant["v2-prelu"] == paper_table(2).by_variant["v2-prelu"]
    best, worst = max(starts.cells.values()), min(starts.cells.values())
    assert best == starts.cells["0.25"]
    gap = numbers["best against worst start of the slopes"]
    assert gap.value == pytest.approx(best - worst)
    assert gap.share == pytest.approx(0.016)
    with pytest.raises(ValueError, match="million"):
        _ = numbers["parameters of v1"].share


@pytest.mark.parametrize("number", [1, 2])
def test_accuracy_improves_step_by_step_in_the_tables(number):
    cells = paper_table(number).cells
    v = f"v{number}"
    for middle in ("trsf-relu", "prelu"):
        steps = [cells[f"{v}-{s}"] for s in ("relu", middle, "trsf-prelu")]
        assert all(a < b for a, b in pairwise(steps))


@pytest.mark.parametrize(("number", "arch"), [(9, "v1"), (10, "v2")])
def test_positive_and_negative_slopes_are_all_slopes_of_the_network(number, arch):
    network = InceptionResnet(version=arch, residual_scale="trainable", activation="prelu", width=0.05)
    slopes = len(network.slopes())
    assert paper_quantities()[f"slopes of {arch}"].value == slopes
    assert paper_quantities()[f"scales of {arch}"].value == len(network.scales())
    for signs in paper_figure(number).cells.values():
        assert signs["positive"] + signs["negative"] == slopes


def test_the_audits_own_sums():
    """Figures that the audit states are those of the cells."""
    found = {entry.id: entry for entry in audit()}
    assert len(found) == len(audit())
    cells = paper_table(1).cells | paper_table(2).cells
    activations = ("relu", "leaky-relu", "prelu")
    over_all = sum(mean_gain(f"trsf-{a}", a) for a in activations) / 3
    assert f"{over_all:.2f}" in found["average-1.24"].evidence
    for arch in ("v1", "v2"):
        relu, trsf, prelu, both = (cells[f"{arch}-{s}"] for s in ("relu", "trsf-relu", "prelu", "trsf-prelu"))
        excess = (both - relu) - (trsf - relu) - (prelu - relu)
        assert f"{abs(excess):.2f}" in found["joint"].evidence
    starts = paper_table(6).by_variant
    accepted = [round(3000 * starts[s]) for s in ("v2-prelu-from0.25", "v2-prelu")]
    assert accepted == [2879, 2875]
    below = [v for v in starts.values() if v < paper_table(2).by_variant["v2-relu"]]
    assert len(below) == 3


def test_reference():
    assert reference()["doi"] == "10.1016/j.neucom.2020.05.022"
