"""The paper's settings and numbers, and what may stand in one table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trsfnet.experiments.budgets import departures, protocol
from trsfnet.experiments.mechanism import mechanism_configs
from trsfnet.experiments.variants import VARIANTS, short_name, table_variants, variant_from
from trsfnet.paper.numbers import paper_table
from trsfnet.training.config import TrainConfig


@pytest.mark.parametrize(("number", "arch"), [(1, "v1"), (2, "v2")])
def test_variants_are_the_rows_of_the_papers_tables(number, arch):
    variants = table_variants(number)
    assert [v.key for v in variants] == list(paper_table(number).cells)
    names = [v.name.removeprefix(f"Inception-ResNet {arch}") for v in variants]
    assert names == ["", " + TRSF", " + Leaky ReLU", " + TRSF + Leaky ReLU", " + PReLU", " + TRSF + PReLU"]


def resolved(**settings) -> dict:
    return replace(TrainConfig(**settings), images="x").resolved(None).recorded


def test_protocols_differ_by_all_that_changes_the_result_but_the_setting():
    base = protocol(resolved(precision="float32"))
    assert protocol(resolved(trsf=True, activation="prelu", seed=4, precision="bfloat16")) == base
    for change in ({"epochs": 1}, {"width": 1.0}, {"learning_rate": 0.1}, {"identities": 9}, {"flip": False}):
        assert protocol(resolved(precision="float32", **change)) != base
        assert departures(resolved(**change)) == change
    assert departures(resolved(arch="v2", trsf=True, seed=4)) == {}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_a_runs_settings_tell_its_variant(variant):
    config = replace(variant.config(), images="x").resolved(None)
    assert variant_from(config.recorded) == variant
    assert config.variant == variant.key


def test_a_variant_keeps_its_loss_with_a_training_set_for_another():
    for variant in (table_variants(1)[0], table_variants(3)[0]):
        for train_set in ("vggface2", "ms1mv2"):
            assert variant.config(track="paper", train_set=train_set).loss == variant.loss


def test_every_variant_of_the_study_on_scales_has_a_readable_name():
    keys = {config.variant for config in mechanism_configs()}
    assert {key for key in keys if short_name(key) == key} == set()
    assert short_name("v1-trsf-from0.03-prelu") == "v1 + TRSF from 0.03 + PReLU"
    assert short_name("v1-scales-given-prelu") == "v1, given scales + PReLU"
    assert short_name("v1-scale0.1-prelu") == "v1, scale 0.1 + PReLU"
