"""The book's first figure: the questions that the paper answers, and the evidence on each.

The figure is HTML that works without scripts; `book/_static/overview.js` adds menus to select a question and
a group of runs, and explains only the marks that are visible.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.findings import Outcome
from trsfnet.analysis.margins import Margin, margins
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.rules.spread import Spread
from trsfnet.paper.claims import claims_by_id
from trsfnet.report.claims.figures import OUTCOME_LOOKS, WIDEST
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.claims.tables import anchor, outcome_in_words
from trsfnet.report.display import Markdown
from trsfnet.report.names import campaign_name, schedules_in_words
from trsfnet.text import capitalised, counted

# SVG paths around the origin, in pixels.
_MARKS = {"o": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0", "X": "M-5-5L5 5M-5 5L5-5", "s": "M-4-4H4V4H-4Z"}
_ARROWS = {True: "M-5-5L5 0L-5 5Z", False: "M5-5L-5 0L5 5Z"}


def overview(campaigns: Sequence[Campaign]) -> Markdown:
    """Draw a line for each claim and campaign; without a script, only the main claims are visible."""
    if not campaigns:
        return Markdown("No run has ended, so there is nothing to draw.")
    found = {campaign: margins(campaign) for campaign in campaigns}
    items = [
        _item(question, claim, found, is_main=claim == ids[0])
        for question, ids in QUESTIONS.items()
        for claim in ids
    ]
    main = {ids[0] for ids in QUESTIONS.values()}
    visible = {of[claim].outcome for of in found.values() for claim in main & of.keys()}
    key = " ".join(
        f'<span data-outcome="{outcome}"{"" if outcome in visible else " hidden"}>'
        f"{_drawing(_mark(50, outcome, 0.0))}{outcome}</span>"
        for outcome, (_, marker) in OUTCOME_LOOKS.items()
        if marker
    )
    findings = " ".join(
        f"{capitalised(campaign_name(c))}: {_finding(of_claims)}." for c, of_claims in found.items()
    )
    caption = (
        f"{findings} Each point shows by how much our runs agree with the paper, with its 95 % interval, in "
        "units of the minimum detectable effect (dotted lines). A claim without a point is not tested by a "
        "difference of means, or too few of its runs have ended."
    )
    return Markdown(
        '<figure class="exhibit overview">'
        f'<div class="overview-key" aria-hidden="true">{key}</div>'
        '<div class="overview-axis" aria-hidden="true">← against the paper · for it →</div>'
        f'<ul class="overview-claims">{"".join(items)}</ul><figcaption>{caption}</figcaption></figure>'
    )


def _finding(found: Mapping[str, Margin]) -> str:
    """State how many main claims are measured, and how many of these agree with the paper in direction."""
    # A spread, such as that between initial slopes, cannot lie on the other side.
    main = [ids[0] for ids in QUESTIONS.values() if not isinstance(paper_rules()[ids[0]], Spread)]
    measured = [found[claim].margin for claim in main if claim in found]
    if not measured:
        return "no question can be measured yet"
    on_its_side = sum(margin > 0 for margin in measured)
    return (
        f"these runs measure a difference on {counted(len(measured), 'main question')}, and the estimate "
        f"points the paper's way on {on_its_side or 'none'} of them"
    )


def _item(question: str, claim: str, found: Mapping[Campaign, Mapping[str, Margin]], *, is_main: bool) -> str:
    lines = "".join(_line(claim, campaign, of_claims.get(claim)) for campaign, of_claims in found.items())
    shown = "data-main" if is_main else "hidden"
    return (
        f'<li data-question="{html.escape(question)}" data-claim="{anchor(claim)}" {shown}>'
        f'<span class="overview-question">{html.escape(question)}</span>'
        f'<span class="overview-claim">{html.escape(claims_by_id()[claim].statement)}</span>{lines}</li>'
    )


def _line(claim: str, campaign: Campaign, margin: Margin | None) -> str:
    verdict = campaign.verdicts[claim]
    label = html.escape(capitalised(campaign_name(campaign)))
    details = (paper_rules()[claim].summary(verdict.measured), schedules_in_words(claim, campaign))
    numbers = html.escape("; ".join(filter(None, details)))
    drawn = f' data-outcome="{margin.outcome}"' if margin else ""
    return (
        f'<div class="overview-line" data-runs="{label}"{drawn}><span>{label}</span>{_strip(margin)}'
        f"<span>{outcome_in_words(claim, campaign)}</span>"
        f'<span class="overview-numbers">{numbers}</span></div>'
    )


def _strip(margin: Margin | None) -> str:
    """Draw the axis with the interval and the point, or an arrow if the point lies beyond the axis."""
    parts = ['<line class="overview-zero" x1="50%" x2="50%" y1="0" y2="100%"/>']
    parts += [
        f'<line class="overview-detectable" x1="{x}%" x2="{x}%" y1="0" y2="100%"/>' for x in map(_x, (-1, 1))
    ]
    if margin:
        colour, _ = OUTCOME_LOOKS[margin.outcome]
        ends = f'x1="{_x(margin.low)}%" x2="{_x(margin.high)}%"'
        parts.append(f'<line {ends} y1="50%" y2="50%" stroke="{colour}" stroke-width="2"/>')
        parts.append(_mark(_x(margin.margin), margin.outcome, margin.margin))
    return _drawing("".join(parts))


def _drawing(parts: str) -> str:
    # Hidden from screen readers, because numbers and verdict appear as text next to it.
    return f'<svg aria-hidden="true" height="18">{parts}</svg>'


def _mark(x: float, outcome: Outcome, margin: float) -> str:
    colour, mark = OUTCOME_LOOKS[outcome]
    path = _ARROWS[margin > 0] if abs(margin) > WIDEST else _MARKS[mark]
    return (
        f'<svg x="{x}%" y="50%" overflow="visible">'
        f'<path d="{path}" fill="{colour}" stroke="{colour}" stroke-width="2"/></svg>'
    )


def _x(margin: float) -> float:
    """Return the position on the axis in percent of its width."""
    return round(50 + 46 * max(-WIDEST, min(WIDEST, margin)) / WIDEST, 1)
