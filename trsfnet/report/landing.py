"""The first page of the book: does the paper hold up, in a sentence and a table."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.analysis import Analysis
from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.findings import Outcome
from trsfnet.analysis.rules import paper_rules
from trsfnet.paper.claims import claims_by_id
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.claims.tables import size, verdict_cells
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import TRACKS, campaign_name
from trsfnet.text import counted, joined

_DECIDED = (Outcome.SUPPORTED, Outcome.CONTRADICTED)

MAIN_CLAIMS = {question: claims[0] for question, claims in QUESTIONS.items()}
"""By question, the id of the claim that answers it most directly."""


def campaigns_on_questions(found: Analysis) -> list[Campaign]:
    """The campaigns that say something to the paper's questions."""
    asked = MAIN_CLAIMS.values()
    return [campaign for campaign in found.campaigns_on(asked) if campaign.decides(asked)]


def answer(campaigns: Sequence[Campaign]) -> Markdown:
    """A headline, and for each campaign the questions that it answers."""
    lines = "\n".join(_line(campaign) for campaign in campaigns)
    return Markdown(f"**{_headline(campaigns)}**" + (f"\n\n{lines}" if lines else ""))


def questions(campaigns: Sequence[Campaign]) -> Markdown:
    """The paper's main claims, each with the paper's number and the verdict of each campaign."""
    rows = [
        (
            f"**{question}** {claims_by_id()[claim].statement}",
            paper_rules()[claim].published(),
            *verdict_cells(claim, campaigns),
        )
        for question, claim in MAIN_CLAIMS.items()
    ]
    header = ("Question and claim", "Paper", *([campaign_name(c) for c in campaigns] or ["Ours"]))
    caption = "What the paper says, and what our runs say to it. Each verdict leads to its numbers and runs."
    return Markdown(captioned(caption, "main-claims", table(header, rows)))


def _headline(campaigns: Sequence[Campaign]) -> str:
    if not campaigns:
        return "Not tested yet: no run has ended."
    found = [{c.verdicts[claim].outcome for c in campaigns} & {*_DECIDED} for claim in MAIN_CLAIMS.values()]
    supported, contradicted = (sum(outcomes == {word} for outcomes in found) for word in _DECIDED)
    split = sum(len(outcomes) == len(_DECIDED) for outcomes in found)
    left = len(found) - supported - contradicted - split
    if left == len(found):
        return "Not decided yet: nothing was seen that chance could not have done."
    if 2 * left > len(found):
        verdict = "Mostly open"
    elif split or (supported and contradicted):
        verdict = "In part"
    else:
        verdict = f"As far as it is decided, {'yes' if supported else 'no'}"
    differently = f", {split} in both ways on different data" if split else ""
    return (
        f"{verdict}. Of {counted(len(found), 'question')} that the paper answers, our runs answer "
        f"{supported} as it does, {contradicted} against it{differently}, and leave {left} open."
    )


def _line(campaign: Campaign) -> str:
    found = {
        outcome: [f"“{q}”" for q, claim in MAIN_CLAIMS.items() if campaign.verdicts[claim].outcome == outcome]
        for outcome in _DECIDED
    }
    parts = [f"{outcome}: {joined(names)}" for outcome, names in found.items() if names]
    runs = f"{size(campaign)} run{'' if size(campaign) == '1' else 's'}"
    on = f"On {TRACKS[campaign.track]} ({campaign_name(campaign)}, {runs})"
    return f"- {on}: {'; '.join(parts or ['none is decided'])}."
