"""The answers of the study: whether small scales and trainable scales prevent collapse."""

from __future__ import annotations

from trsfnet.analysis import Analysis
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.stability import Ending, Study
from trsfnet.paper.claims import paper_claims
from trsfnet.report.claims.tables import claims_table
from trsfnet.report.display import Markdown
from trsfnet.report.stability.labels import QUESTIONS
from trsfnet.text import counted, joined


def stability_claims(found: Analysis) -> Markdown:
    """Tabulate the paper's claims on stability with the verdicts of all campaigns."""
    claims = [claim for claim in paper_claims() if claim.kind == "stability"]
    return claims_table("The paper's claims on stability", claims, found)


def verdict(study: Study | None, *, superseded: bool = False) -> Markdown:
    """Answer each question by the verdict on its claim, with the numbers.

    Args:
        study: the stability study; None if it has not been run.
        superseded: whether the study `collapse`, which asks the same questions, has runs.
    """
    if study is None:
        return Markdown("The study has not been run, so there is no result.")
    lines = []
    if superseded:
        lines.append(
            "The study on [how far training gets](collapse.ipynb) supersedes these verdicts: it has new "
            "seeds, and it compares the loss on held-out images instead of counting collapses.\n"
        )
    for question, claim in QUESTIONS.items():
        found = study.campaign.verdicts[claim]
        numbers = paper_rules()[claim].summary(found.measured)
        numbers = f" Difference: {numbers}." if numbers else ""
        lines.append(f"- {question} **{found.outcome.capitalize()}**.{numbers} {found.explanation}")
    lines.append(f"\n{_shape(study)}{_mostly_at_chance(study)}")
    return Markdown("\n".join(lines))


def _shape(study: Study) -> str:
    """State whether the learning rate or the scale determined the collapses."""
    differ = [rate for rate in study.rates if len({run.collapsed for run in study.at(rate)}) > 1]
    if not differ:
        return (
            "At each learning rate, all runs ended alike: the rate decided, regardless of the scale. "
            "Rates in between may distinguish the variants."
        )
    rates = joined([f"{rate:g}" for rate in differ])
    return (
        f"Runs with the same learning rate ended differently at {rates}. At all other rates, the scale "
        "cannot have decided whether a run collapsed."
    )


def _mostly_at_chance(study: Study) -> str:
    """Return a caution if most collapses are only final losses at chance level; empty otherwise."""
    collapses = study.collapses
    at_chance = [run for run in collapses if run.ending == Ending.CHANCE]
    if 2 * len(at_chance) <= len(collapses):
        return ""
    epochs = counted(collapses[0].run.config["epochs"], "epoch")
    return (
        f" Of {counted(len(collapses), 'collapse')}, {len(at_chance)} ended with a loss at chance "
        f"level after {epochs}, not with a non-finite number; longer runs might have recovered."
    )
