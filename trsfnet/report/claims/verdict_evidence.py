"""The evidence for each verdict: the paper's words, the rule, every number, and the runs."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.analysis import Analysis
from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.findings import Measured, Outcome
from trsfnet.analysis.reach import regime_in_words
from trsfnet.analysis.rules import Rule, paper_rules
from trsfnet.analysis.rules.measuring import Measuring
from trsfnet.analysis.run import Run
from trsfnet.experiments.variants import short_name
from trsfnet.paper.claims import Claim
from trsfnet.report.card_links import runs_popover
from trsfnet.report.claims.tables import outcome_in_words
from trsfnet.report.display import Markdown, folded, table
from trsfnet.report.names import campaign_name
from trsfnet.report.signed_scales import signed_mean
from trsfnet.text import capitalised, counted

_HEADER = (
    "Runs",
    "Comparison",
    "Paper",
    "Ours (95 % interval or range)",
    "Minimum detectable",
    "Seeds, pairs or rounds",
)


def evidence(subject: str, claims: Sequence[Claim], found: Analysis) -> Markdown:
    """Show the evidence for the verdicts on one subject in a dropdown."""
    campaigns = found.campaigns_beside([claim.id for claim in claims])
    body = "\n\n".join(_claim(claim, campaigns) for claim in claims)
    return Markdown(folded(f"{subject}: the paper's words, every number, and the runs", body))


def _claim(claim: Claim, campaigns: Sequence[Campaign]) -> str:
    rule = paper_rules()[claim.id]
    quotes = [f"> “{quote.text}” ({quote.place})" for quote in claim.quotes]
    # A target for links from the verdicts, then the claim itself.
    parts = [f"(claim-{claim.id})=\n**{claim.statement}**", "\n>\n".join(quotes)]
    tested = rule.describe()
    if tested:
        parts.append(f"Tested: {tested}.")
    rows = [_row(rule, c, measured) for c in campaigns for measured in c.verdicts[claim.id].measured]
    if rows:
        parts.append(table(_HEADER, rows))
    return "\n\n".join([*parts, _sentences(claim, rule, campaigns)])


def _row(rule: Rule, campaign: Campaign, measured: Measured) -> list[str]:
    return [
        capitalised(campaign_name(campaign)),
        measured.name,
        rule.published([] if measured.published is None else [measured.published]),
        _ours(rule, campaign, measured),
        rule.minimum_detectable(measured) or "–",
        f"{measured.seeds}{', paired' if measured.paired else ''}",
    ]


def _ours(rule: Rule, campaign: Campaign, measured: Measured) -> str:
    """Return our number; beside a mean magnitude of scales also their signed mean."""
    ours = rule.estimate(measured)
    of_magnitudes = isinstance(rule, Measuring) and rule.quantity.name == "scale_magnitude"
    if not of_magnitudes or measured.than:
        return ours
    return "; ".join(filter(None, (ours, signed_mean(campaign, measured.of))))


def _sentences(claim: Claim, rule: Rule, campaigns: Sequence[Campaign]) -> str:
    """Return the verdict of each campaign and its reason, or a single reason if no run can test the claim."""
    if rule.why_untested:
        return f"**{Outcome.NOT_RUN}**. {rule.why_untested}"
    return "\n".join(_sentence(claim, rule, campaign) for campaign in campaigns) or "No run has ended."


def _sentence(claim: Claim, rule: Rule, campaign: Campaign) -> str:
    verdict = campaign.verdicts[claim.id]
    place = f"{claim.id}-{campaign.track}-{campaign.size_name}".replace(" ", "-")
    runs = "; ".join(
        f"{short_name(variant)}, {_runs(f'runs-{place}-{variant}', runs)}"
        for variant, runs in rule.evidence(campaign).items()
        if runs
    )
    outcome = outcome_in_words(claim.id, campaign, sign=False)
    said = f"- {capitalised(campaign_name(campaign))}: **{outcome}**. {verdict.explanation}"
    if rule.moves_with_schedule and campaign.regime and verdict.outcome != Outcome.OUT_OF_REACH:
        said += f" {regime_in_words(campaign.regime)}"
    return f"{said} Runs: {runs}." if runs else said


def _runs(name: str, runs: Sequence[tuple[str, Run]]) -> str:
    return runs_popover(name, [(f"seed {text}", run) for text, run in runs], counted(len(runs), "run"))
