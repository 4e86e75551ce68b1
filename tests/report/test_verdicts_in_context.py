"""Beside a verdict stand schedule and log odds, which parts differ, and whether it is exploratory."""

from __future__ import annotations

import re

import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.analysis.findings import DECIDED, Outcome
from trsfnet.analysis.rules import paper_rules
from trsfnet.paper.claims import RULES_SINCE, claims_by_id
from trsfnet.report import claims, landing, mechanism_claims
from trsfnet.report.claims.subjects import by_subject
from trsfnet.report.claims.tables import claims_table, outcome_in_words, verdict_cells
from trsfnet.report.names import campaign_name
from trsfnet.report.summary import generated
from trsfnet.text import capitalised

MOVING = [claim for claim, rule in paper_rules().items() if rule.moves_with_schedule]
SCHEDULE = re.compile(r"decay budget [\d.]+(?: to [\d.]+)?, travel [\d,]+")


def test_decay_budget_and_travel_stand_beside_every_verdict_on_scales_and_slopes(committed):
    shown = 0
    for claim in MOVING:
        for campaign in committed.campaigns_on([claim]):
            (cell,) = verdict_cells(claim, [campaign])
            tested = campaign.verdicts[claim].outcome != Outcome.NOT_RUN
            assert bool(SCHEDULE.search(cell)) == tested, (claim, campaign.track, cell)
            shown += tested
    assert shown > 20
    table = str(mechanism_claims.claims(committed))
    assert len(SCHEDULE.findall(table)) == 4
    assert "decay budget 0.16 to 12.4, travel" in table


def test_short_tables_state_them_too(committed):
    campaigns = landing.campaigns_on_questions(committed)
    on_scales = sum(
        campaign.verdicts[claim].outcome != Outcome.NOT_RUN
        for claim in landing.MAIN_CLAIMS.values()
        for campaign in campaigns
        if claim in MOVING
    )
    assert on_scales
    assert len(SCHEDULE.findall(str(landing.questions(campaigns)))) == on_scales
    overview = str(claims.overview(campaigns))
    assert "decay budget 12.4, travel 388" in overview
    readme = generated(committed).split("\n## ")[0]
    assert len(SCHEDULE.findall(readme)) >= on_scales


def test_gains_have_log_odds_beside_their_points(committed):
    for campaign in committed.campaigns_on(["trsf-gains"]):
        if campaign.verdicts["trsf-gains"].tested:
            (cell,) = verdict_cells("both-activations-gain", [campaign])
            assert re.search(r"points .*log odds [+−][\d.]+ \(.*\), the paper's \+[\d.]+", cell), cell


def test_short_tables_name_the_parts_that_differ(committed):
    """On rendered faces, TRSF raises what the branches add in v1 more than in v2."""
    campaigns = landing.campaigns_on_questions(committed)
    for text in (str(landing.questions(campaigns)), generated(committed)):
        rows = [line for line in text.splitlines() if "Do the branches matter more?" in line]
        assert any("v1 and v2 differ" in row for row in rows)


def test_every_decided_verdict_stands_beside_its_claim(committed):
    """The first page and the list of verdicts link to the claims, whose tables must have these verdicts."""
    for subject, of_subject in by_subject().items():
        text = str(claims_table(subject, of_subject, committed))
        header = next(line for line in text.splitlines() if line.startswith("| Claim |"))
        for campaign in committed.campaigns_on(paper_rules()):
            outcomes = {campaign.verdicts[claim.id].outcome for claim in of_subject}
            if outcomes & set(DECIDED):
                assert capitalised(campaign_name(campaign)) in header


def test_what_needs_no_run_is_contradicted_once(committed):
    campaigns = landing.campaigns_on_questions(committed)
    assert (
        str(landing.answer(campaigns)).count("“v1 has 22 million parameters, v2 55 million” (counted 23,4")
        == 1
    )
    assert generated(committed).count("- Without any run, contradicted: “v1 has 22 million parameters") == 1


@pytest.mark.parametrize(
    ("started", "marked"), [("2026-11-28T00:00:00+00:00", True), ("2026-11-30T12:00:00+00:00", False)]
)
def test_a_verdict_is_exploratory_if_a_run_is_older_than_its_rule(tmp_path, started, marked):
    for setting, tar in (("v1-relu", 0.2), ("v1-trsf-relu", 0.5), ("v2-relu", 0.2), ("v2-trsf-relu", 0.5)):
        for seed in range(4):
            info = {"started": started} if (setting, seed) == ("v1-relu", 1) else {}
            fake_run(tmp_path, setting, seed=seed, tar=tar + 0.001 * seed, info=info)
    found = load(tmp_path)
    (campaign,) = found.campaigns
    assert campaign.verdicts["trsf-gains-1.24"].outcome == Outcome.SUPPORTED
    words = f"✓\u00a0supported{' (exploratory)' if marked else ''}"
    assert outcome_in_words("trsf-gains-1.24", campaign) == words
    assert ("**supported (exploratory)**" in str(claims.verdict(found))) == marked
    assert f"<span>{words}</span>" in str(claims.overview([campaign]))
    assert ("(exploratory)" in generated(found)) == marked
    assert not campaign.exploratory("scales-around-1"), "what is not decided is not exploratory"


def test_all_that_was_decided_by_runs_older_than_the_rules_is_exploratory(committed):
    older = [c for c in committed.campaigns if c.budget in ("short", "stability")]
    assert older
    for campaign in older:
        for claim, verdict in campaign.verdicts.items():
            runs = paper_rules()[claim].deciding_runs(campaign)
            if verdict.outcome in DECIDED and runs:
                assert campaign.exploratory(claim), claim


def test_no_rule_is_older_than_the_others_without_a_date():
    assert all(claim.rule_since >= RULES_SINCE for claim in claims_by_id().values())
