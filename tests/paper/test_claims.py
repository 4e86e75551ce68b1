"""Every claim can be judged: it names settings that can be run, and numbers that the paper has."""

from __future__ import annotations

from itertools import product

import pytest

from trsfnet.paper.claims import (
    Cells,
    CollapseRate,
    Contrast,
    Count,
    Spread,
    Untested,
    paper_claims,
)
from trsfnet.paper.numbers import paper_quantities
from trsfnet.training.config import TrainConfig


def slugs() -> set[str]:
    """What runs are called: the paper's settings, its starts of the slopes, the study of stability."""
    settings = [
        {"trsf": trsf, "activation": activation, "loss": loss}
        for trsf, activation, loss in product(
            (False, True), ("relu", "leaky_relu", "prelu"), (None, "arcface")
        )
    ]
    settings += [{"activation": "prelu", "slope_init": start} for start in (-0.1, 0.1, 0.25, 0.3)]
    settings += [{"trsf": trsf, "scale_init": s} for trsf in (False, True) for s in (0.1, 0.3, 1.0)]
    configs = [TrainConfig(arch=arch, **setting) for arch in ("v1", "v2") for setting in settings]
    return {config.slug.rpartition("-seed")[0] for config in configs}


def settings_of(rule) -> set[str]:
    match rule:
        case Contrast():
            return {setting for means in rule.contrasts for setting in [*means.of, *means.than]}
        case CollapseRate():
            return {*rule.of, *(rule.than or [])}
        case Spread():
            return set(rule.settings)
    return set()


def test_claims_have_names_quotes_and_places_of_their_own():
    claims = paper_claims()
    assert len({claim.id for claim in claims}) == len(claims) >= 40
    for claim in claims:
        assert claim.statement.endswith(".")
        assert claim.quotes
        for quote in claim.quotes:
            assert len(quote.text) > 20
            assert quote.place.startswith(("abstract", "section", "table", "figure")), claim.id


def test_rules_name_settings_that_can_be_run():
    known = slugs()
    for claim in paper_claims():
        assert settings_of(claim.rule) <= known, claim.id


def test_each_rule_says_something():
    for claim in paper_claims():
        match claim.rule:
            case Contrast(above=above, below=below, contrasts=contrasts):
                assert above is not None or below is not None
                for means in contrasts:
                    assert means.of, claim.id
                    assert not set(means.of) & set(means.than), claim.id
                    assert sum(means.weights.values()) == pytest.approx(0 if means.than else 1)
            case Cells(tables=tables, figures=figures):
                assert bool(tables) != bool(figures)
            case Untested(reason=reason):
                assert reason.endswith(".")


def test_every_table_and_counted_figure_is_a_claim():
    rules = [claim.rule for claim in paper_claims() if isinstance(claim.rule, Cells)]
    assert sorted(n for rule in rules for n in rule.tables) == [1, 2, 3, 4, 5, 6]
    assert sorted(n for rule in rules for n in rule.figures) == [9, 10]


def test_published_values_are_the_papers():
    for claim in paper_claims():
        rule = claim.rule
        if isinstance(rule, Contrast) and rule.published:
            assert 0 < paper_quantities()[rule.published].share < 0.1
        if isinstance(rule, Count):
            assert set(rule.quantities.values()) <= set(paper_quantities())
