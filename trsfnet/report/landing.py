"""The first page of the book: whether the paper holds up, in a sentence and a table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from trsfnet.analysis import Analysis
from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.findings import Outcome
from trsfnet.analysis.mechanism import Answer
from trsfnet.analysis.reach import decay_budget_in_words, has_paper_decay_budget
from trsfnet.analysis.rules import paper_rules
from trsfnet.paper.claims import claims_by_id
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.claims.tables import outcome_link
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.length import finding
from trsfnet.report.mechanism import decay_figure
from trsfnet.report.names import campaign_name, short_track
from trsfnet.report.switch import tabs
from trsfnet.text import capitalised, counted, joined

_DECIDED = (Outcome.SUPPORTED, Outcome.CONTRADICTED)

MAIN_CLAIMS = {question: claims[0] for question, claims in QUESTIONS.items()}
"""The id of the claim that answers each question most directly, by question."""


def campaigns_on_questions(found: Analysis) -> list[Campaign]:
    """Return the campaigns that can test at least one of the main claims."""
    asked = MAIN_CLAIMS.values()
    return [campaign for campaign in found.campaigns_on(asked) if campaign.decides(asked)]


def answer(
    campaigns: Sequence[Campaign], mechanism: Sequence[Answer] = (), long: pd.DataFrame | None = None
) -> Markdown:
    """State whether the paper holds up, and how many of its questions are decided.

    Args:
        campaigns: see `campaigns_on_questions`.
        mechanism: answers of the study on weight decay.
        long: the table of `trsfnet.analysis.length.long_runs`.
    """
    if not campaigns:
        return Markdown(f"**{headline(campaigns)}**")
    return Markdown(f"**{headline(campaigns, mechanism, long)}**\n\n{_counts(campaigns)}")


def headline(
    campaigns: Sequence[Campaign], mechanism: Sequence[Answer] = (), long: pd.DataFrame | None = None
) -> str:
    """State the answer in two or three sentences, on the accuracy and on the paper's explanation."""
    if not campaigns:
        return "Not tested yet: no run has ended."
    sentences = [
        f"{capitalised(_accuracy(campaigns))}{_explanation(mechanism)}.",
        _role_of_branches(campaigns),
        "" if long is None else finding(long),
    ]
    return " ".join(filter(None, sentences))


def picture(found: Analysis) -> Markdown:
    """Show scales, branches and accuracy by decay budget, as Markdown for a page that includes it."""
    drawn = decay_figure(found)
    return drawn if isinstance(drawn, Markdown) else Markdown(drawn.markdown())


def questions(campaigns: Sequence[Campaign]) -> Markdown:
    """Tabulate the main claims with the paper's number, ours and the verdict, in a tab per campaign."""
    if not campaigns:
        return Markdown(captioned(_CAPTION, "main-claims", _tab(None)))
    shown = tabs([(capitalised(campaign_name(each)), each.track, _tab(each)) for each in campaigns])
    return Markdown(f"{shown}\n\n{_NOTE}")


_NOTE = (
    "*Inconclusive*: chance could explain the difference. Verdicts are corrected for all claims that are "
    "tested on the same runs, so they can be inconclusive although the interval excludes 0. *Out of reach*: "
    "our training is too short, or its weight decay too weak, to test the claim."
)
_CAPTION = "The paper's main claims. Each verdict links to its numbers and runs."


def _asked(question: str, claim: str) -> str:
    return f"**{question}** {claims_by_id()[claim].statement}"


def _tab(campaign: Campaign | None) -> str:
    header = ("Question and claim", "Paper", "Ours (95 % interval)", "Verdict")
    rows = []
    for question, claim in MAIN_CLAIMS.items():
        rule, verdict = paper_rules()[claim], campaign and campaign.verdicts[claim]
        weakest = verdict and rule.weakest(verdict.measured)
        ours = rule.estimate(weakest) if weakest else "–"
        outcome = verdict.outcome if verdict else Outcome.NOT_RUN
        rows.append((_asked(question, claim), rule.published(), ours, outcome_link(claim, outcome)))
    return table(header, rows)


_GAINS = {"TRSF": "trsf-gains", "leaky or learned slopes": "both-activations-gain"}


def _accuracy(campaigns: Sequence[Campaign]) -> str:
    """State whether TRSF and the slopes raise accuracy, separately for long and for short training."""
    matched = _matched(campaigns)
    short = [campaign for campaign in campaigns if campaign not in matched]
    if not (matched and short):
        where = "at the paper's decay budget" if matched else "in short runs"
        return f"{where} on new data, {_clauses(_gains(campaigns))}"
    at_length, in_short = _gains(matched), _gains(short)
    if at_length == in_short:
        return f"at the paper's decay budget as in short runs, {_clauses(at_length)}"
    of_short = "both do" if len(in_short["raise"]) == len(_GAINS) else _clauses(in_short)
    on_length, on_short = (
        f"on {joined(list(dict.fromkeys(short_track(each.track) for each in some)))}"
        for some in (matched, short)
    )
    of_matched = f"at the paper's decay budget {on_length}, {_clauses(at_length)}"
    return f"{of_matched}; in short runs {on_short}, {of_short}"


def _matched(campaigns: Sequence[Campaign]) -> list[Campaign]:
    """Return the campaigns at the paper's decay budget."""
    return [campaign for campaign in campaigns if has_paper_decay_budget(campaign.regime)]


def _gains(campaigns: Sequence[Campaign]) -> dict[str, list[str]]:
    """Return what raises accuracy, what does not, and what is open, by the campaigns that decide it."""
    names: dict[str, list[str]] = {"raise": [], "lower": [], "open": []}
    for name, claim in _GAINS.items():
        outcomes = {campaign.verdicts[claim].outcome for campaign in campaigns} & {*_DECIDED}
        kind = {frozenset({_DECIDED[0]}): "raise", frozenset({_DECIDED[1]}): "lower"}
        names[kind.get(frozenset(outcomes), "open")].append(name)
    return names


def _clauses(names: dict[str, list[str]]) -> str:
    parts = []
    if names["raise"]:
        parts.append(f"{_subject(names['raise'], 'does', 'do')} raise accuracy")
    if names["lower"]:
        parts.append(f"{_subject(names['lower'], 'does', 'do')} not raise accuracy")
    if names["open"]:
        verbs = ("does", "do") if names["raise"] else ("raises accuracy", "raise accuracy")
        parts.append(f"it remains open whether {_subject(names['open'], *verbs)}")
    return ", and ".join(parts)


def _subject(names: Sequence[str], singular: str, plural: str) -> str:
    """Return `names` with the verb in the right number; only TRSF alone is singular."""
    return f"{joined(names)} {singular if list(names) == ['TRSF'] else plural}"


def _explanation(mechanism: Sequence[Answer]) -> str:
    """Continue the sentence: whether large scales show a larger role of the branches, as the paper argues."""
    decided = {found.question: found.decided for found in mechanism if found.effects}
    if decided.get("growth") and decided.get("branches"):
        return (
            ", but the size of the scales is no evidence for the paper's explanation: in our study of short "
            "runs, scales grow as weight decay shrinks the kernels that they multiply, while the branches "
            "add less to their trunk"
        )
    if False in (decided.get("growth"), decided.get("branches")):
        return ", and weight decay does not explain why the scales grow"
    return "; it remains open whether the paper's explanation holds"


def _role_of_branches(campaigns: Sequence[Campaign]) -> str:
    """State whether branches contribute more with TRSF than with constants, at the paper's decay budget."""
    outcomes = {c.verdicts["branches-matter-more"].outcome for c in _matched(campaigns)} & {*_DECIDED}
    if len(outcomes) != 1:
        return ""
    more = "more" if outcomes == {Outcome.SUPPORTED} else "no more"
    return f"With equal weight decay, the branches contribute {more} with TRSF than with constant scales."


def _counts(campaigns: Sequence[Campaign]) -> str:
    counts = []
    for campaign in campaigns:
        outcomes = campaign.count(MAIN_CLAIMS.values())
        supported, contradicted = (outcomes[outcome] for outcome in _DECIDED)
        left = len(MAIN_CLAIMS) - supported - contradicted
        counts.append(
            f"on {campaign_name(campaign)}{_decay(campaign)}, our runs confirm {supported}, contradict "
            f"{contradicted} and leave {left} open"
        )
    return f"Of the paper's answers to {counted(len(MAIN_CLAIMS), 'question')}, {'; '.join(counts)}."


def _decay(campaign: Campaign) -> str:
    """Return the campaign's decay budget in brackets; empty if unknown."""
    return f" (decay budget {decay_budget_in_words(campaign.regime)})" if campaign.regime else ""
