"""The first page of the book: does the paper hold up, in a sentence and a table."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.paper.claims import Claim, claims_by_id
from trsfnet.report.claims import Judged, judged, telling
from trsfnet.report.claims.papers import papers_number
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.claims.tables import verdict_cells
from trsfnet.report.collection import Collection
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import TRACKS, counted, listed
from trsfnet.report.verdicts import CONTRADICTED, SUPPORTED


def groups_of(collection: Collection) -> list[Judged]:
    """The groups of runs that have a word on the paper's questions."""
    asked = list(_asked().values())
    return [group for group in telling(judged(collection.records), asked) if group.about(asked)]


def answer(groups: Sequence[Judged]) -> Markdown:
    """A headline, and for each group of runs the questions that it answers."""
    lines = "\n".join(_line(group) for group in groups)
    return Markdown(f"**{_headline(groups)}**" + (f"\n\n{lines}" if lines else ""))


def questions(groups: Sequence[Judged]) -> Markdown:
    """The paper's main claims, each with the paper's number and the verdict of each group of runs."""
    rows = [
        (f"**{question}** {claim.statement}", papers_number(claim.rule), *verdict_cells(claim, groups))
        for question, claim in _asked().items()
    ]
    header = ("Question and claim", "Paper", *([group.label for group in groups] or ["Ours"]))
    caption = "What the paper says, and what our runs say to it. Each verdict leads to its numbers and runs."
    return Markdown(captioned(caption, "main-claims", table(header, rows)))


def _asked() -> dict[str, Claim]:
    """By question, the claim that answers it most directly."""
    return {question: claims_by_id()[ids[0]] for question, ids in QUESTIONS.items()}


def _headline(groups: Sequence[Judged]) -> str:
    if not groups:
        return "Not tested yet: no run has ended."
    found = [{group.verdicts[claim.id].word for group in groups} for claim in _asked().values()]
    supported, contradicted = (
        sum(word in words and other not in words for words in found)
        for word, other in ((SUPPORTED, CONTRADICTED), (CONTRADICTED, SUPPORTED))
    )
    split = sum({SUPPORTED, CONTRADICTED} <= words for words in found)
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


def _line(group: Judged) -> str:
    found = {
        word: [f"“{q}”" for q, claim in _asked().items() if group.verdicts[claim.id].word == word]
        for word in (SUPPORTED, CONTRADICTED)
    }
    parts = [f"{word}: {listed(names)}" for word, names in found.items() if names] or ["none is decided"]
    runs = f"{group.size} run{'' if group.size == '1' else 's'}"
    return f"- On {TRACKS[group.campaign.track]} ({group.label}, {runs}): {'; '.join(parts)}."
