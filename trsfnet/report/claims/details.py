"""What stands behind each verdict: the paper's words, the rule, every number, and the runs."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.paper.claims import Cells, Claim, CollapseRate, Contrast, Rule, Spread, Untested
from trsfnet.report.claims.judged import Judged, telling
from trsfnet.report.claims.papers import cells_of, papers_number
from trsfnet.report.claims.wording import (
    detectable,
    estimate,
    readable,
    rule_in_words,
)
from trsfnet.report.display import Markdown, folded, table
from trsfnet.report.names import short_name
from trsfnet.report.runs import card_link
from trsfnet.report.verdicts import NOT_RUN, Measured
from trsfnet.report.verdicts.evidence import Run


def details(subject: str, claims: Sequence[Claim], groups: Sequence[Judged]) -> Markdown:
    """All that is behind the verdicts on one subject, to be unfolded."""
    shown = telling(groups, claims)
    body = "\n\n".join(_claim(claim, shown) for claim in claims)
    return Markdown(folded(f"{subject}: the paper's words, every number, and the runs", body))


def _claim(claim: Claim, groups: Sequence[Judged]) -> str:
    quotes = [f"> “{quote.text}” ({quote.place})" for quote in claim.quotes]
    # An address for the verdict's link, then the claim itself.
    parts = [f"(claim-{claim.id})=\n**{claim.statement}**", "\n>\n".join(quotes)]
    tested = rule_in_words(claim.rule)
    if tested:
        parts.append(f"Tested: {tested}.")
    rows = [_row(claim.rule, group, m) for group in groups for m in group.verdicts[claim.id].measured]
    if rows:
        header = ("Runs", "Comparison", "Paper", "Ours (95 % interval)", "Could be seen", "Seeds")
        parts.append(table(header, rows))
    return "\n\n".join([*parts, _sentences(claim, groups)])


def _sentences(claim: Claim, groups: Sequence[Judged]) -> str:
    """The verdict of each group and its reason; but one where no runs can matter."""
    if isinstance(claim.rule, Untested):
        return f"**{NOT_RUN}**. {claim.rule.reason}"
    return "\n".join(_sentence(claim, group) for group in groups) or "No run has ended."


def _row(rule: Rule, group: Judged, measured: Measured) -> list[str]:
    seeds = f"{measured.seeds}{', paired' if measured.paired else ''}"
    return [
        group.label,
        readable(measured.name),
        papers_number(rule, measured.name),
        estimate(rule, measured),
        detectable(rule, measured) or "–",
        seeds,
    ]


def _sentence(claim: Claim, group: Judged) -> str:
    verdict = group.verdicts[claim.id]
    runs = _runs(claim.rule, group)
    return f"- {group.label}: **{verdict.word}**. {verdict.reason}{f' Runs: {runs}.' if runs else ''}"


def _runs(rule: Rule, group: Judged) -> str:
    """The runs that a verdict rests on, each a link to its record."""
    found = []
    for setting in _settings(rule):
        runs = group.campaign.runs if isinstance(rule, CollapseRate) and rule.than else None
        if runs is None:
            links = [_link(run, str(seed)) for seed, run in sorted(group.campaign.of(setting).items())]
        else:
            links = [
                _link(run, f"{seed} at rate {rate:g}")
                for (name, rate, seed), run in sorted(runs.items())
                if name == setting
            ]
        if links:
            found.append(f"{short_name(setting)}, seed {', '.join(links)}")
    return "; ".join(found)


def _link(run: Run, text: str) -> str:
    return f"{card_link(run.record, text)}{' (collapsed)' if run.collapsed else ''}"


def _settings(rule: Rule) -> list[str]:
    match rule:
        case Contrast():
            return list(dict.fromkeys(setting for means in rule.contrasts for setting in means.weights))
        case Spread():
            return rule.settings
        case CollapseRate():
            return [*rule.of, *(rule.than or [])]
        case Cells():
            return list(cells_of(rule))
    return []
