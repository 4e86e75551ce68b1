"""What the study answers: does a small scale prevent collapse, and does a trainable one?"""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.experiments.claims import claims_by_id, paper_claims
from trsfnet.report.claims import Judged, subject_table
from trsfnet.report.claims.wording import outcome
from trsfnet.report.display import Markdown
from trsfnet.report.names import counted, listed
from trsfnet.report.stability.study import CHANCE, Study

# The questions of the study, and the claims whose verdicts answer them.
_QUESTIONS = {
    "Does a small constant prevent collapse, against a constant of 1?": "large-constant-diverges",
    "Does a small start of a trainable scale, against a start at 1?": "small-start-stable",
    "Does training the scale, against the same constant 0.1?": "trainable-more-stable-than-equal-constant",
    "Does TRSF, against the constants of the original network?": "trainable-more-stable",
}


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
    for question, claim in _QUESTIONS.items():
        found = study.judged.verdicts[claim]
        numbers = outcome(claims[claim], found)
        numbers = f" Difference in the share that collapsed: {numbers}." if numbers else ""
        lines.append(f"- {question} **{found.word.capitalize()}**.{numbers} {found.reason}")
    lines.append(f"\n{_shape(study)}{_only_at_chance(study)}")
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
    return f"Runs of one learning rate ended differently at {rates}; only there can the scale have mattered."


def _only_at_chance(study: Study) -> str:
    """A caution where no run failed but by its loss at the end; empty otherwise."""
    fell = [outcome for outcome in study.every if outcome.run.collapsed]
    if not fell or any(outcome.fate != CHANCE for outcome in fell):
        return ""
    epochs = counted(fell[0].record.config["epochs"], "epoch")
    return (
        f" Every collapse is a loss no better than chance after {epochs}, none a number that was not finite: "
        "a longer run might have recovered."
    )
