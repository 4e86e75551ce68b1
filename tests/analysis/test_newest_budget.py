"""Tables, figures and verdicts use the larger budget as soon as it has three seeds of each variant."""

from __future__ import annotations

import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.analysis.rules import paper_rules
from trsfnet.experiments.budgets import budget_settings
from trsfnet.experiments.variants import table_variants
from trsfnet.report import landing
from trsfnet.report.explore.catalogue import for_the_book
from trsfnet.report.names import budget_in_words
from trsfnet.report.summary import generated

TABLE_1, TABLE_2, TABLE_4 = ([variant.key for variant in table_variants(n)] for n in (1, 2, 4))
BOTH = [*TABLE_1, *TABLE_2]


@pytest.fixture
def root(tmp_path):
    """Three seeds of tables 1 and 2 in the budget `short`."""
    for variant in BOTH:
        for seed in range(3):
            fake_run(tmp_path, variant, seed=seed, tar=0.2)
    return tmp_path


def train_full(root, variants, seeds):
    for variant in variants:
        for seed in seeds:
            fake_run(root, variant, seed=seed, tar=0.7, **budget_settings("full", "synthetic"))


def budgets(root, *numbers):
    return [table.budget for table in load(root).tables_by_track(*numbers)[0]]


def test_too_few_seeds_change_nothing(root):
    before = generated(load(root)).splitlines()
    train_full(root, BOTH, (300, 301))
    found = load(root)
    assert budgets(root, 1, 2) == ["short", "short"]
    assert [c.budget for c in found.campaigns] == ["full", "short"]
    (line,) = (line for line in generated(found).splitlines() if line not in before)
    assert line.startswith("- Rendered faces, full budget: 24 runs, 84 missing. ")


def test_too_few_seeds_of_one_variant_leave_the_tables_and_the_claims_on_it(root):
    train_full(root, BOTH, (300, 301))
    train_full(root, BOTH[1:], (302,))
    assert budgets(root, 1, 2) == ["short", "short"]
    assert [campaign.budget for campaign in load(root).campaigns_on(["trsf-gains"])] == ["short"]


def test_further_runs_take_no_verdict_away(root):
    train_full(root, BOTH, (300, 301, 302))
    shown = [campaign.budget for campaign in load(root).campaigns_on(paper_rules())]
    for variant in ("v2-prelu", "v2-trsf-prelu"):
        fake_run(root, variant, seed=300, loss="arcface", **budget_settings("full", "synthetic"))
    assert [campaign.budget for campaign in load(root).campaigns_on(paper_rules())] == shown
    assert "full" in shown


def test_the_explorer_shows_a_variant_of_two_tables_in_the_budget_of_the_first(root):
    for start in (-0.1, 0.1, 0.25, 0.3):
        for seed in range(3):
            fake_run(root, "v2-prelu", seed=seed, slope_init=start)
    train_full(root, BOTH, (300, 301, 302))
    shown = {(run.record.variant, run.record.budget) for run in for_the_book(load(root))}
    assert {budget for variant, budget in shown if variant in BOTH} == {"full"}
    assert ("v2-prelu-from0.25", "short") in shown


def test_figures_of_two_tables_list_the_runs_that_they_leave_out(root):
    train_full(root, TABLE_1, (300, 301, 302))
    found = load(root)
    (shown,) = found.tables_by_track(1, 2, track="synthetic")
    assert {reason for table in shown for _, reason in found.left_out([table])} == {"budget full"}


def test_two_campaigns_of_one_track_have_tabs_of_their_own(root):
    train_full(root, BOTH, (300, 301, 302))
    for seed in range(3):
        for start in (-0.1, 0.1, 0.25, 0.3):
            fake_run(root, "v2-prelu", seed=seed, slope_init=start)
    campaigns = landing.campaigns_on_questions(load(root))
    assert [campaign.budget for campaign in campaigns] == ["full", "short"]
    text = str(landing.questions(campaigns))
    keys = [line for line in text.splitlines() if line.startswith(":sync:")]
    assert keys == [":sync: synthetic", ":sync: synthetic-1"]


def test_one_seed_of_a_claim_out_of_reach_changes_nothing(root):
    train_full(root, TABLE_1, (300,))
    found = load(root)
    for claims in (["slopes-turn-negative"], ["scales-around-1"], ["trsf-gains", "slopes-turn-negative"]):
        assert [campaign.budget for campaign in found.campaigns_on(claims)] == ["short"]


def test_a_first_run_on_other_images_does_not_empty_the_table(root):
    record = fake_run(root, "v1-relu", seed=7)
    record.write_info(config=record.config | {"images": "renderer-99"}, started="2099-01-01T00:00:00Z")
    table = load(root).table(1, "synthetic")
    assert [len(runs) for runs in table.cells.values()] == [3] * 6


def test_the_explorer_shows_the_runs_of_the_tables(root):
    train_full(root, TABLE_1, (300,))
    shown = {(run.record.variant, run.record.budget) for run in for_the_book(load(root))}
    assert {budget for _, budget in shown} == {"short"}


def test_missing_controls_are_missing_too(root):
    train_full(root, BOTH, (300,))
    fake_run(root, "v1-relu", seed=300, scale_init=0.1, **budget_settings("full", "synthetic"))
    (full,) = (campaign for campaign in load(root).campaigns if campaign.budget == "full")
    assert full.missing == 96 + 12 - 13


def test_a_table_changes_with_its_own_variants_and_together_with_those_beside_it(root):
    train_full(root, TABLE_4, range(300, 303))
    assert budgets(root, 4) == ["full"]
    assert budgets(root, 1, 4) == ["short", "short"]
    train_full(root, TABLE_1, range(300, 303))
    assert budgets(root, 1, 4) == ["full", "full"]
    assert budgets(root, 1, 2) == ["short", "short"]


def test_a_table_names_its_budget_and_uses_its_measure(root):
    train_full(root, TABLE_1, range(300, 303))
    table = load(root).table(1, "synthetic")
    assert table.measures[0] == "all_pairs_tar@1e-3"
    assert table.rows[0].value == pytest.approx(0.35)
    assert budget_in_words(table) == "budget full: decay budget 2.41, travel 60"


def test_a_larger_budget_that_lacks_a_table_stands_beside_the_smaller_one(root):
    for variant in table_variants(6):
        for seed in range(3):
            fake_run(root, "v2-prelu", seed=seed, slope_init=variant.slope_init or 0.2)
    train_full(root, BOTH, range(300, 303))
    assert [c.budget for c in landing.campaigns_on_questions(load(root))] == ["full", "short"]


def test_the_verdicts_change_once_every_variant_has_its_seeds(root):
    train_full(root, BOTH, range(300, 303))
    found = load(root)
    assert [c.budget for c in found.campaigns] == ["full", "short"]
    assert [c.budget for c in landing.campaigns_on_questions(found)] == ["full"]
    assert found.waiting(found.campaigns[0].verdicts) == []
