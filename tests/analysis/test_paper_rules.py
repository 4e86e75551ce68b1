"""Every claim can be judged: its rule names variants that can be run, and numbers that the paper has."""

from __future__ import annotations

import pytest

from trsfnet.analysis.benchmarks import cases_of, measured
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.rules.agreement import Agreement
from trsfnet.analysis.rules.cells import Cells
from trsfnet.analysis.rules.contrast import Contrast
from trsfnet.analysis.rules.cost import Cost
from trsfnet.analysis.rules.count import Count
from trsfnet.analysis.rules.fewer_collapses import FewerCollapses
from trsfnet.analysis.rules.mechanism import Mechanism
from trsfnet.analysis.rules.no_collapse import NoCollapse
from trsfnet.analysis.rules.spread import Spread
from trsfnet.analysis.rules.untested import Untested
from trsfnet.experiments.variants import VARIANTS
from trsfnet.paper.numbers import paper_quantities


def check_contrast(rule: Contrast) -> None:
    """Check that a contrast has bounds and distinct sides, and that the paper's number is a small share."""
    assert rule.bounds != (None, None)
    assert rule.contrasts
    for means in rule.contrasts:
        assert means.of
        assert not set(means.of) & set(means.than)
        assert sum(means.weights.values()) == pytest.approx(0 if means.than else 1)
    if rule.paper:
        assert 0 < paper_quantities()[rule.paper].share < 0.1


@pytest.mark.parametrize(("claim", "rule"), paper_rules().items())
def test_each_rule_names_what_there_is_and_says_something(claim, rule):
    assert set(rule.variants) <= VARIANTS.keys()
    assert rule.describe() or rule.why_untested
    match rule:
        case Contrast():
            check_contrast(rule)
        case Agreement():
            assert len({part.quantity.name for part in rule.parts}) == len(rule.parts) > 1
            for part in rule.parts:
                check_contrast(part)
        case Spread():
            assert len(set(rule.of)) == len(rule.of) > 1
        case NoCollapse():
            assert rule.of
        case FewerCollapses():
            assert rule.pairs
            assert not set(rule.of) & set(rule.than)
        case Mechanism():
            assert rule.bounds != (None, None)
        case Cost():
            assert rule.cases
            assert set(rule.cases) <= cases_of(measured("step")).keys()
        case Count():
            assert rule.numbers
            assert {name for _, name in rule.numbers} <= set(paper_quantities())
        case Cells():
            assert bool(rule.tables) != bool(rule.figures)
        case Untested():
            assert rule.reason.endswith(".")
        case _:
            pytest.fail(f"nothing is checked of rules of the kind {rule.kind}")


def test_every_table_and_counted_figure_is_a_claim():
    rules = [rule for rule in paper_rules().values() if isinstance(rule, Cells)]
    assert sorted(n for rule in rules for n in rule.tables) == [1, 2, 3, 4, 5, 6]
    assert sorted(n for rule in rules for n in rule.figures) == [9, 10]
