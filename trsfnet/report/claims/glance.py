"""The book's first figure: the questions that the paper answers, and how far each is decided.

It is HTML that stands by itself; `book/_static/glance.js` adds pickers of the question and of the runs.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from trsfnet.paper.claims import Claim, claims_by_id
from trsfnet.report.claims.figures import VERDICT_LOOKS, WIDEST
from trsfnet.report.claims.judged import Judged
from trsfnet.report.claims.margins import Margin, margins_of
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.claims.tables import SIGNS, anchor
from trsfnet.report.claims.wording import outcome
from trsfnet.report.display import Markdown
from trsfnet.report.names import counted
from trsfnet.report.verdicts import CONTRADICTED, INCONCLUSIVE, SUPPORTED

# Around the origin, in pixels.
_MARKS = {"o": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0", "X": "M-5-5L5 5M-5 5L5-5", "s": "M-4-4H4V4H-4Z"}
_ARROWS = {True: "M-5-5L5 0L-5 5Z", False: "M5-5L-5 0L5 5Z"}


def glance(groups: Sequence[Judged]) -> Markdown:
    """A line for each claim and group of runs; at first, and without a script, the main claims alone."""
    if not groups:
        return Markdown("No run has ended, so that there is nothing to draw.")
    margins = {group: {margin.claim.id: margin for margin in margins_of(group)} for group in groups}
    items = [
        _item(question, claims_by_id()[claim], margins, is_main=claim == ids[0])
        for question, ids in QUESTIONS.items()
        for claim in ids
    ]
    key = " ".join(
        f"<span>{_drawing(_mark(50, word, 0.0))}{word}</span>"
        for word in (SUPPORTED, CONTRADICTED, INCONCLUSIVE)
    )
    findings = " ".join(f"{group.plain_label}: {_finding(found)}." for group, found in margins.items())
    caption = (
        "On which side of what the paper says our runs lie, with 95 % intervals. At the dotted lines is the "
        "smallest effect that the runs could have shown. What has no point is tested in another way, or too "
        f"few of its runs have ended. {findings}"
    )
    return Markdown(
        '<figure class="exhibit glance">'
        f'<div class="glance-key" aria-hidden="true">{key}</div>'
        '<div class="glance-axis" aria-hidden="true">← against the paper · as it says →</div>'
        f'<ul class="glance-claims">{"".join(items)}</ul><figcaption>{caption}</figcaption></figure>'
    )


def _finding(margins: dict[str, Margin]) -> str:
    """Of the main claims, how many are measured, and how many of them lie on the paper's side."""
    measured = [margins[ids[0]].margin for ids in QUESTIONS.values() if ids[0] in margins]
    if not measured:
        return "no question is measured"
    on_its_side = sum(margin > 0 for margin in measured)
    return f"{counted(len(measured), 'question')} measured, {on_its_side} on the paper's side"


def _item(question: str, claim: Claim, margins: dict[Judged, dict[str, Margin]], *, is_main: bool) -> str:
    lines = "".join(_line(claim, group, of_group.get(claim.id)) for group, of_group in margins.items())
    shown = "data-main" if is_main else "hidden"
    return (
        f'<li data-question="{html.escape(question)}" data-claim="{anchor(claim.id)}" {shown}>'
        f'<span class="glance-question">{html.escape(question)}</span>'
        f'<span class="glance-claim">{html.escape(claim.statement)}</span>{lines}</li>'
    )


def _line(claim: Claim, group: Judged, margin: Margin | None) -> str:
    verdict = group.verdicts[claim.id]
    label = html.escape(group.plain_label)
    numbers = html.escape(outcome(claim, verdict))
    return (
        f'<div class="glance-line" data-runs="{label}"><span>{label}</span>{_strip(margin)}'
        f"<span>{SIGNS[verdict.word]} {verdict.word}</span>"
        f'<span class="glance-numbers">{numbers}</span></div>'
    )


def _strip(margin: Margin | None) -> str:
    """The axis, and on it the interval and the point; beyond the axis an arrow."""
    parts = ['<line class="glance-zero" x1="50%" x2="50%" y1="0" y2="100%"/>']
    parts += [f'<line class="glance-seen" x1="{x}%" x2="{x}%" y1="0" y2="100%"/>' for x in map(_x, (-1, 1))]
    if margin:
        colour, _ = VERDICT_LOOKS[margin.word]
        ends = f'x1="{_x(margin.low)}%" x2="{_x(margin.high)}%"'
        parts.append(f'<line {ends} y1="50%" y2="50%" stroke="{colour}" stroke-width="2"/>')
        parts.append(_mark(_x(margin.margin), margin.word, margin.margin))
    return _drawing("".join(parts))


def _drawing(parts: str) -> str:
    # Its numbers and its verdict stand beside it as text.
    return f'<svg aria-hidden="true" height="18">{parts}</svg>'


def _mark(x: float, word: str, margin: float) -> str:
    colour, mark = VERDICT_LOOKS[word]
    path = _ARROWS[margin > 0] if abs(margin) > WIDEST else _MARKS[mark]
    return (
        f'<svg x="{x}%" y="50%" overflow="visible">'
        f'<path d="{path}" fill="{colour}" stroke="{colour}" stroke-width="2"/></svg>'
    )


def _x(margin: float) -> float:
    """Place on the axis in per cent of its width."""
    return round(50 + 46 * max(-WIDEST, min(WIDEST, margin)) / WIDEST, 1)
