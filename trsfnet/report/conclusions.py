"""What the runs in a folder say about the paper's claims, as text and as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trsfnet.analysis import load
from trsfnet.analysis.findings import Outcome, Verdict
from trsfnet.paper.claims import Claim, paper_claims
from trsfnet.report.summary import generated


def text(folder: Path) -> str:
    """Return the summary of `results/README.md`, computed from the runs in `folder`, as Markdown.

    Raises:
        RecordError: there is no such folder.
    """
    return generated(load(folder)).rstrip("\n")


def verdicts(folder: Path) -> list[dict[str, Any]]:
    """Return the verdict of each campaign (group of comparable runs) in `folder` on each claim.

    All values are JSON types. Without any campaign, every claim is listed once as not run.

    Raises:
        RecordError: there is no such folder.
    """
    campaigns = load(folder).campaigns
    if not campaigns:
        not_run = Verdict(Outcome.NOT_RUN, "No run has ended.").to_dict()
        return [_entry(claim) | not_run for claim in paper_claims()]
    return [
        _entry(claim)
        | {"track": campaign.track, "budget": campaign.budget, "departures": campaign.departures}
        | campaign.verdicts[claim.id].to_dict()
        for claim in paper_claims()
        for campaign in campaigns
    ]


def _entry(claim: Claim) -> dict[str, Any]:
    return {"claim": claim.id, "statement": claim.statement, "track": "", "budget": None, "departures": {}}
