"""The history of verdicts ends with the present ones, so that none changes without its reason."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from trsfnet.analysis import load
from trsfnet.paper.claims import claims_by_id
from trsfnet.report import verdict_history
from trsfnet.report.verdict_history import Change, ChangedVerdict, Reason, Stage, Standing

ROOT = Path(__file__).parents[2]
BEFORE = {"lfw, short": {"trsf-gains": "supported", "converges-faster": "inconclusive"}}
AFTER = {"lfw, short": {"trsf-gains": "contradicted", "no-crash": "supported"}, "synthetic, short": {}}


@pytest.fixture(scope="module")
def present():
    """The verdicts of the committed runs."""
    return verdict_history.present(load(ROOT / "results"))


def test_the_last_stage_has_the_present_verdicts(present):
    last = verdict_history.stages()[-1].outcomes
    assert last == present, 'add them by: python -m trsfnet.report.verdict_history "why they changed"'


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
        Stage(
            "2026-01-02",
            "Long runs.",
            {"lfw, full": long} | kept,
            (Reason("The gain vanishes.", ("trsf-gains",), ("lfw, full",)),),
        ),
    ]
    return str(verdict_history.history(found))


def test_the_verdicts_of_a_larger_budget_stand_beside_those_of_the_smaller_one():
    text = with_long_runs(BEFORE)
    assert "1 verdict of the new runs differs from those of LFW, short budget" in text
    assert "| Claim | LFW, short budget | LFW, full budget | Reason |" in text
    assert "| ✓\u00a0supported | ?\u00a0inconclusive | The gain vanishes. |" in text
    assert "No earlier verdict changed." in text


def test_verdicts_of_runs_that_are_replaced_at_once_are_compared():
    text = with_long_runs({campaign: of for campaign, of in BEFORE.items() if campaign != "lfw, short"})
    assert "Replaced by them: LFW, short budget." in text
    assert "1 verdict of the new runs differs from those of LFW, short budget" in text


def test_each_change_has_its_reason(present):
    found = verdict_history.stages()
    for earlier, stage in pairwise(found):
        for change in verdict_history.changes(earlier.outcomes, stage.outcomes):
            assert stage.reason(change.campaign, change.claim), (stage.date, change)
        for reason in stage.reasons:
            assert reason.text
            assert set(reason.claims) <= claims_by_id().keys()
            assert set(reason.campaigns) <= stage.outcomes.keys()
    turned = verdict_history.changed_since_first(found, present)
    assert turned
    assert all(turn.reason for turn in turned)
    # Tables of new campaigns beside others have reasons, too.
    assert not re.search(r"\| +\|$", str(verdict_history.history(found)), re.MULTILINE)


def with_reasons():
    """A verdict of a small budget changes; then a larger one has the same for another reason."""
    small, large = "lfw, short", "lfw, full"
    of = {"trsf-gains": "supported", "no-crash": "inconclusive"}
    stricter = of | {"trsf-gains": "out of reach"}
    return [
        Stage("2026-01-01", "First.", {small: of}),
        Stage("2026-01-02", "Rule.", {small: stricter}, (Reason("Decay.", ("trsf-gains",), (small,)),)),
        Stage(
            "2026-01-03",
            "Runs.",
            {large: {"trsf-gains": "out of reach"}, small: stricter},
            (Reason("Travel.", ("trsf-gains",), (large,)),),
        ),
    ]


def test_first_verdicts_stand_beside_those_of_today():
    found = with_reasons()
    first, now = Standing("lfw, short", "supported"), Standing("lfw, full", "out of reach")
    turned = verdict_history.changed_since_first(found, found[-1].outcomes)
    assert turned == [ChangedVerdict("lfw", "trsf-gains", first, now, "Travel.")]
    # Runs of another folder than the committed one may have other verdicts.
    outcomes = {"lfw, short": {"trsf-gains": "supported", "no-crash": "supported", "cost": "supported"}}
    (turn,) = verdict_history.changed_since_first(found, outcomes)
    assert (turn.claim, turn.now.outcome) == ("no-crash", "supported")
    assert "newer than the history" in turn.reason


def test_the_page_names_both_budgets_and_the_reason(monkeypatch):
    found = with_reasons()
    monkeypatch.setattr(verdict_history, "stages", lambda: found)
    monkeypatch.setattr(verdict_history, "present", lambda _: found[-1].outcomes)
    text = str(verdict_history.then_and_now(None))
    cells = "| LFW | ✓\u00a0supported (short) | ○\u00a0out of reach (full) | Travel. |"
    assert f"| [TRSF raises accuracy](#claim-trsf-gains) {cells}" in text
    monkeypatch.setattr(verdict_history, "present", lambda _: found[0].outcomes)
    assert "Every claim has the verdict that it had first." in str(verdict_history.then_and_now(None))


def test_a_stage_is_added_only_where_something_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(verdict_history, "FILE", tmp_path / "history.json")
    verdict_history.write([Stage("2026-01-01", "First.", BEFORE)])
    assert verdict_history.add("Nothing.", BEFORE) == []
    assert len(verdict_history.stages()) == 1
    assert len(verdict_history.add("More runs.", AFTER)) == 3
    added = verdict_history.stages()[-1]
    assert added.why == "More runs."
    assert added.reason("lfw, short", "trsf-gains") == "More runs."
