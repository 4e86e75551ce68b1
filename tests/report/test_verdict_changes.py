"""Each verdict that the revised rules changed stands beside the earlier one, with its reason."""

from __future__ import annotations

from pathlib import Path

from trsfnet.analysis import load
from trsfnet.paper.claims import claims_by_id
from trsfnet.paper.verdicts_before import verdicts_before
from trsfnet.report.claims.changes import changes, changes_table

RESULTS = Path(__file__).parents[2] / "results"


def test_each_changed_verdict_on_the_committed_runs_has_its_reason():
    found = {(c.campaign, c.claim): c for c in changes(load(RESULTS))}
    settled = found["`lfw`, full", "scales-settle"]
    assert (settled.before, settled.now) == ("supported", "contradicted")
    assert "per unit of learning rate" in settled.reason
    unexplained = {claim for _, claim in found} - verdicts_before().reasons.keys()
    assert not unexplained
    assert verdicts_before().reasons.keys() <= claims_by_id().keys()


def test_the_table_links_each_new_verdict():
    text = str(changes_table(load(RESULTS)))
    assert "(#claim-scales-settle)" in text
    assert "a69f9e8" in text
