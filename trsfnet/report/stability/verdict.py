"""What the study answers: does a small scale prevent collapse, and does a trainable one?"""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.paper.claims import claims_by_id, paper_claims
from trsfnet.report.claims import Judged, subject_table
from trsfnet.report.claims.wording import outcome
from trsfnet.report.display import Markdown
from trsfnet.report.names import counted, listed
from trsfnet.report.stability.accuracy import told_apart
from trsfnet.report.stability.study import CHANCE, QUESTIONS, Study


def claims_table(groups: Sequence[Judged]) -> Markdown:
    """What the paper says on stability, and the verdicts of all runs on it."""
    claims = [claim for claim in paper_claims() if claim.kind == "stability"]
    return subject_table("What the paper claims on stability", claims, groups)


def verdict(study: Study | None) -> Markdown:
    """An answer to each question by the verdict on the claim that asks it, with its numbers."""
    if study is None:
        return Markdown("The study has not been run, so that nothing can be said.")
    lines = []
    claims = claims_by_id()
    for question, claim in QUESTIONS.items():
        found = study.judged.verdicts[claim]
        numbers = outcome(claims[claim], found)
        numbers = f" Difference in the share that collapsed: {numbers}." if numbers else ""
        lines.append(f"- {question} **{found.word.capitalize()}**.{numbers} {found.reason}")
        lines += [f"  - {sentence}" for sentence in told_apart(study, claim)]
    lines.append(f"\n{_shape(study)}{_mostly_at_chance(study)}")
    return Markdown("\n".join(lines))


def _shape(study: Study) -> str:
    """Whether the learning rate or the scale decided, in a sentence."""
    alike = [
        rate
        for rate in study.rates
        if len({o.run.collapsed for (_, r), cell in study.outcomes.items() if r == rate for o in cell}) == 1
    ]
    differ = [rate for rate in study.rates if rate not in alike]
    if not differ:
        return (
            "At each learning rate all runs ended alike: the rate decided, whatever the scale. Rates between "
            "these may tell the settings apart."
        )
    rates = listed([f"{rate:g}" for rate in differ])
    return (
        f"Runs of one learning rate ended differently at {rates}; only there can the scale have decided "
        "about collapse."
    )


def _mostly_at_chance(study: Study) -> str:
    """A caution where most runs failed by nothing but their loss at the end; empty otherwise."""
    fell = [outcome for outcome in study.every if outcome.run.collapsed]
    at_chance = [outcome for outcome in fell if outcome.fate == CHANCE]
    if 2 * len(at_chance) <= len(fell):
        return ""
    epochs = counted(fell[0].record.config["epochs"], "epoch")
    return (
        f" Of {counted(len(fell), 'collapse')} {len(at_chance)} are a loss no better than chance after "
        f"{epochs}, not a number that was not finite: longer runs might have recovered."
    )
