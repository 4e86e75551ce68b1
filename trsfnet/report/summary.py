"""`python -m trsfnet.report.summary` writes `results/README.md`: what the committed runs say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from trsfnet.analysis.contrasts import MIN_SEEDS
from trsfnet.paper.claims import Claim, claims_by_id, paper_claims
from trsfnet.paper.numbers import reference
from trsfnet.report import statistics
from trsfnet.report.claims import Judged, judged, telling
from trsfnet.report.claims.papers import papers_number
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.claims.wording import detectable, margins, outcome, weakest
from trsfnet.report.collection import Collection
from trsfnet.report.names import counted, listed, short_name
from trsfnet.report.verdicts import CONTRADICTED, INCONCLUSIVE, NOT_RUN, SUPPORTED, Verdict

RESULTS = Path(__file__).parents[2] / "results"


def generated(root: Path) -> str:
    """The text of `README.md` for the run records under `root`."""
    found = Collection.read(root)
    groups = telling(judged(found.records), paper_claims())
    parts = ["# What the results say", _about(found), _runs(groups)]
    parts += ["## The short answer", _short(groups), "## The main claims"]
    for question, ids in QUESTIONS.items():
        parts.append(f"### {question}")
        parts.append("\n".join(_claim(claims_by_id()[id_], groups) for id_ in ids))
    parts += ["## Where it is uncomfortable", "\n".join(_uncomfortable(groups))]
    parts += ["## The paper's own numbers", f"{statistics.verdict()} {statistics.starts_spread()}"]
    return "\n\n".join(parts) + "\n"


def _about(found: Collection) -> str:
    paper = reference()
    text = (
        "Made by `python -m trsfnet.report.summary` from the run records in this folder, about "
        f"*{paper['title']}* ({paper['journal']} {paper['year']}). Our networks are smaller than the paper's "
        "and see other, smaller images, so no value is compared with its values; claims are tested, within "
        "one track. The book's page on the claims has the literal words of each, its rule, and every number."
    )
    damaged = len(found.problems)
    return text + (f" {counted(damaged, 'record')} cannot be read." if damaged else "")


def _runs(groups: Sequence[Judged]) -> str:
    return "\n".join(_run_line(group) for group in groups) or "No run has ended yet."


def _run_line(group: Judged) -> str:
    records = group.records
    settings = {record.setting for record in records}
    seeds = Counter(record.setting for record in records if record.status == "done")
    done = sorted({seeds[setting] for setting in settings})
    span = str(done[0]) if len(done) == 1 else f"{done[0]} to {done[-1]}"
    missing = f" The {group.missing} still missing may change its verdicts." if group.missing else ""
    return (
        f"- {group.label}: {counted(len(records), 'run')} of {counted(len(settings), 'setting')}, {span} "
        f"finished of each.{missing}"
    )


def _short(groups: Sequence[Judged]) -> str:
    """One line for each group: how many claims it decides, and which way."""
    lines = []
    for group in groups:
        words = group.words(paper_claims())
        decided = words[SUPPORTED] + words[CONTRADICTED]
        start = f"{words[SUPPORTED]} supported, {words[CONTRADICTED]} contradicted"
        start = start if decided else "nothing is decided"
        lines.append(
            f"- {group.label}: of the paper's {len(paper_claims())} claims, {start}; {words[INCONCLUSIVE]} "
            f"inconclusive, {words[NOT_RUN]} not run."
        )
    return "\n".join(lines) or f"None of the paper's {len(paper_claims())} claims has been tested."


def _claim(claim: Claim, groups: Sequence[Judged]) -> str:
    """The claim, the paper's number, and a line for each group with a word on it."""
    number = papers_number(claim.rule)
    said = number == "–" or "in the paper" in claim.statement
    lines = [claim.statement + ("" if said else f" The paper: {number}.")]
    lines += [f"  - {_verdict(claim, group)}" for group in groups if group.verdicts[claim.id].word != NOT_RUN]
    if len(lines) == 1:
        lines.append(f"  - **{NOT_RUN}**")
    return "- " + "\n".join(lines)


def _verdict(claim: Claim, group: Judged) -> str:
    verdict = group.verdicts[claim.id]
    numbers = outcome(claim, verdict)
    return f"{group.label}: **{verdict.word}**{f', {numbers}' if numbers else ''}. {verdict.reason}"


def _uncomfortable(groups: Sequence[Judged]) -> list[str]:
    """What speaks against the paper, and what speaks against our runs."""
    lines = []
    for group in groups:
        verdicts = [(claim, group.verdicts[claim.id]) for claim in paper_claims()]
        lines += [
            f"- {group.label} contradicts: {claim.statement} ({outcome(claim, verdict)})"
            for claim, verdict in verdicts
            if verdict.word == CONTRADICTED
        ]
        tested = [(claim, verdict) for claim, verdict in verdicts if verdict.p_holm is not None]
        lines += _undecided(group, tested)
        lines += _collapsed(group)
    never = [c for c in paper_claims() if all(g.verdicts[c.id].word == NOT_RUN for g in groups)]
    lines.append(f"- On {len(never)} of {len(paper_claims())} claims no run here says anything.")
    return lines


def _undecided(group: Judged, tested: Sequence[tuple[Claim, Verdict]]) -> list[str]:
    """How little the seeds of a group can tell, and which way what they leave open leans."""
    if not tested:
        return [f"- {group.label}: fewer than {MIN_SEEDS} seeds of the settings, so no claim can be tested."]
    unclear = [claim for claim, verdict in tested if verdict.word == INCONCLUSIVE]
    against = [claim for claim in unclear if _leans_against(claim, group.verdicts[claim.id])]
    lines = []
    if unclear:
        lines.append(
            f"- {group.label}: {len(unclear)} of {counted(len(tested), 'tested claim')} stay inconclusive; "
            f"{len(against)} of them lean against the paper."
        )
    main = next((claim for claim, _ in tested if claim.id == "trsf-gains"), None)
    measured = weakest(main, group.verdicts[main.id]) if main else None
    if main and measured and measured.detectable:
        lines.append(
            f"- {group.label}: a gain by TRSF would have to be {detectable(main.rule, measured)} to be seen "
            f"with these seeds; the paper's is {papers_number(main.rule)}."
        )
    return lines


def _leans_against(claim: Claim, verdict: Verdict) -> bool:
    measured = weakest(claim, verdict)
    return measured is not None and min(margins(claim.rule, measured.estimate), default=0.0) < 0


def _collapsed(group: Judged) -> list[str]:
    """Settings of which runs collapsed at the learning rate of the comparisons."""
    settings = sorted({record.setting for record in group.records})
    fell = [
        f"{lost} of {len(group.campaign.of(setting))} of {short_name(setting)}"
        for setting in settings
        if (lost := group.campaign.lost(setting))
    ]
    return [f"- {group.label}: runs collapsed at the usual learning rate, {listed(fell)}."] if fell else []


def main() -> None:
    """Write `results/README.md` anew."""
    (RESULTS / "README.md").write_text(generated(RESULTS), encoding="utf-8")


if __name__ == "__main__":
    main()
