"""The history of verdicts ends with the present ones, so that none changes without its reason."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from trsfnet.analysis import load
from trsfnet.report import verdict_history
from trsfnet.report.verdict_history import Change, Stage

ROOT = Path(__file__).parents[2]
BEFORE = {"lfw, short": {"trsf-gains": "supported", "converges-faster": "inconclusive"}}
AFTER = {"lfw, short": {"trsf-gains": "contradicted", "no-crash": "supported"}, "synthetic, short": {}}


def test_the_last_stage_has_the_present_verdicts():
    last, now = verdict_history.stages()[-1].outcomes, verdict_history.present(load(ROOT / "results"))
    assert last == now, 'add them by: python -m trsfnet.report.verdict_history "why they changed"'


def test_changes_are_listed_with_their_reason():
    assert verdict_history.changes(BEFORE, AFTER) == [
        Change("lfw, short", "trsf-gains", "supported", "contradicted"),
        Change("lfw, short", "converges-faster", "inconclusive", "not run"),
        Change("lfw, short", "no-crash", "not run", "supported"),
    ]
    found = [Stage("2026-01-01", "First.", BEFORE), Stage("2026-01-02", "More runs.", AFTER)]
    text = str(verdict_history.history(found))
    assert text.index("2026-01-02") < text.index("More runs.") < text.index("2026-01-01")
    assert "3 verdicts changed" in text
    assert "✗\u00a0contradicted" in text
    assert "New runs: rendered faces, short budget." in text


def with_long_runs(kept):
    """The page after a larger budget was added, beside the campaigns that are kept."""
    long = {"trsf-gains": "inconclusive", "converges-faster": "inconclusive", "no-crash": "supported"}
    found = [
        Stage("2026-01-01", "First.", BEFORE),
        Stage("2026-01-02", "Long runs.", {"lfw, full": long} | kept),
    ]
    return str(verdict_history.history(found))


def test_the_verdicts_of_a_larger_budget_stand_beside_those_of_the_smaller_one():
    text = with_long_runs(BEFORE)
    assert "1 verdict of the new runs differs from those of LFW, short budget" in text
    assert "| Claim | LFW, short budget | LFW, full budget |" in text
    assert "| ✓\u00a0supported | ?\u00a0inconclusive |" in text
    assert "No earlier verdict changed." in text


def test_verdicts_of_runs_that_are_replaced_at_once_are_compared():
    text = with_long_runs({campaign: of for campaign, of in BEFORE.items() if campaign != "lfw, short"})
    assert "Replaced by them: LFW, short budget." in text
    assert "1 verdict of the new runs differs from those of LFW, short budget" in text


def test_each_verdict_that_a_new_rule_changed_has_its_reason():
    found = verdict_history.stages()
    for earlier, stage in pairwise(found):
        changed = {change.claim for change in verdict_history.changes(earlier.outcomes, stage.outcomes)}
        assert stage.reasons.keys() <= changed | set().union(*stage.outcomes.values())
        assert not stage.reasons or changed <= stage.reasons.keys()
    rules = next(stage for stage in found if "stricter" in stage.why)
    assert "per unit of learning rate" in rules.reasons["scales-settle"]
    assert rules.reasons["scales-settle"] in str(verdict_history.history(found))


def test_a_stage_is_added_only_where_something_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(verdict_history, "FILE", tmp_path / "history.json")
    verdict_history.write([Stage("2026-01-01", "First.", BEFORE)])
    assert verdict_history.add("Nothing.", BEFORE) == []
    assert len(verdict_history.stages()) == 1
    assert len(verdict_history.add("More runs.", AFTER)) == 3
    assert verdict_history.stages()[-1].why == "More runs."
