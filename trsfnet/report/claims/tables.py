"""Tables of the page on the claims: the groups of runs, and each subject's claims with their verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.analysis.contrasts import MIN_SEEDS, POWER
from trsfnet.paper.claims import Claim, Untested, paper_claims
from trsfnet.report.claims.judged import Judged, telling
from trsfnet.report.claims.papers import papers_number
from trsfnet.report.claims.wording import outcome
from trsfnet.report.collection import Collection
from trsfnet.report.display import Markdown, captioned, plain, table
from trsfnet.report.names import NBSP, counted, listed
from trsfnet.report.runs import is_stale
from trsfnet.report.verdicts import ALPHA, CONTRADICTED, INCONCLUSIVE, NOT_RUN, SUPPORTED
from trsfnet.report.verdicts.rules import RARE

WORDS = (SUPPORTED, CONTRADICTED, INCONCLUSIVE, NOT_RUN)
# A sign beside each word, so that a table can be scanned.
SIGNS = {SUPPORTED: "✓", CONTRADICTED: "✗", INCONCLUSIVE: "?", NOT_RUN: "–"}


def rules() -> Markdown:
    """How a verdict comes about."""
    return Markdown(
        f"- **{SUPPORTED}** or **{CONTRADICTED}**: the runs of one track and scale lie on one side of the "
        "claim's bound by more than chance. Seeds are the sample; how much they spread is taken from all "
        "settings with the same network and loss together, for scales and what they do from those whose "
        "scales are set alike (Student's t). Over all claims that those runs can test, a false verdict has a "
        f"chance of {100 * ALPHA:.0f} % at most (Holm).\n"
        "- A claim on several comparisons is supported by all of them and contradicted by any one.\n"
        f"- **{INCONCLUSIVE}**: chance could have done it, or a setting has fewer than {MIN_SEEDS} finished "
        "seeds, or more runs of the side in favour collapsed or ended too early. What *could be seen* is the "
        f"distance from the bound that these seeds and their spread would show in {100 * POWER:.0f} of 100 "
        "repetitions: an effect may well be there and smaller.\n"
        f"- **{NOT_RUN}**: there is no run to say anything, or the paper's own data would be needed.\n"
        "- Where runs of a scale are still missing, its verdicts are interim: more seeds may change them.\n"
        f"- Where no run may collapse, one that does contradicts; support takes so many without that a "
        f"rate of {100 * RARE:.0f} % would have shown.\n"
        "- Each claim and its rule stood in the code before the runs that decide it. Two things were settled "
        "later:\n"
        "  - That the spread is pooled and seeds are not paired, when v1's first three seeds on rendered "
        "faces were known. Three seeds of one setting decide nothing. Runs that share a seed may be a little "
        "more alike than others, which makes intervals without pairs too wide rather than too narrow.\n"
        "  - How three quantities are measured, when all but the study on stability was known. A run that "
        "never classifies half of the images rightly counts with all of its epochs, the least that it can "
        "have needed, and is not left out, being the slowest. The spread of scales is set against their "
        "mean magnitude, because their mean is next to nothing where signs differ. Seeds of scales that are "
        "set alike are pooled, not with those of scales that spread far less. When it was done, this turned "
        "[faster convergence](#claim-converges-faster), on rendered faces, and "
        "[differences between modules](#claim-scales-differ-between-modules) from inconclusive to supported, "
        "and no other claim."
    )


def campaigns_table(groups: Sequence[Judged], collection: Collection) -> Markdown:
    """The groups of runs that are judged, and a line for each record that cannot be read."""
    header = ("Track and scale", "Settings", "Seeds", "Runs", "Collapsed", "Made by earlier code")
    caption = "Runs that ended, in groups within which they may be compared."
    parts = ["No run has ended yet, so that every claim is *not run*."]
    if groups:
        parts = [captioned(caption, "campaigns", table(header, map(_campaign_row, groups)))]
    if collection.problems:
        parts.append("**Records that cannot be read, and so have no part in this:**")
        # Paths as seen from the repository's root, not from where the notebook runs; as plain text, so that
        # a long one breaks on a phone.
        parts.append("\n".join(f"- {plain(p.replace('../', ''))}" for p in collection.problems))
    return Markdown("\n\n".join(parts))


def _campaign_row(group: Judged) -> list[str]:
    records = group.records
    numbers = (
        len({record.setting for record in records}),
        len({record.seed for record in records}),
        group.size,
        sum(record.status == "collapsed" for record in records),
        sum(is_stale(record) for record in records),
    )
    return [group.label, *map(str, numbers)]


def subject_table(subject: str, claims: Sequence[Claim], groups: Sequence[Judged]) -> Markdown:
    """The claims on one subject: what the paper has, and the verdict of each group of runs on them."""
    shown = [group for group in telling(groups, claims) if group.about(claims)]
    rows = [(claim.statement, papers_number(claim.rule), *verdict_cells(claim, shown)) for claim in claims]
    header = ("Claim", "Paper", *([group.label for group in shown] or ["Ours"]))
    caption = f"{subject}: {counted(len(claims), 'claim')}. Each verdict leads to its quotes and numbers."
    return Markdown(captioned(caption, f"claims-{anchor(subject)}", table(header, rows)))


def verdict_cells(claim: Claim, groups: Sequence[Judged]) -> list[str]:
    """The verdict of each group of runs with its numbers, each a link to what is behind it."""
    if not groups:
        reason = f": {claim.rule.reason}" if isinstance(claim.rule, Untested) else ""
        return [_link(claim, NOT_RUN) + reason]
    cells = []
    for group in groups:
        verdict = group.verdicts[claim.id]
        numbers = outcome(claim, verdict)
        cells.append(_link(claim, verdict.word) + (f": {numbers}" if numbers else ""))
    return cells


def _link(claim: Claim, word: str) -> str:
    """A verdict's sign and word, which lead to what is behind it."""
    return f"[{SIGNS[word]}{NBSP}{word}](#claim-{claim.id})"


def verdict(groups: Sequence[Judged]) -> Markdown:
    """A line for each group of runs: which claims it decides."""
    lines = []
    for group in telling(groups, paper_claims()):
        decided = [
            f"{word} are {listed([f'[{short(c)}](#claim-{c.id})' for c in found])}"
            for word in (SUPPORTED, CONTRADICTED)
            if (found := [c for c in paper_claims() if group.verdicts[c.id].word == word])
        ]
        undecided = group.words(paper_claims())
        rest = f"{undecided[INCONCLUSIVE]} are {INCONCLUSIVE}, {undecided[NOT_RUN]} {NOT_RUN}"
        lines.append(f"- {group.label}: {'; '.join([*decided, rest])}.")
    return Markdown("\n".join(lines) or "No run has ended, so nothing can be said.")


def short(claim: Claim) -> str:
    """A claim's id as words, such as `TRSF gains 1.24`."""
    words = claim.id.replace("leaky-relu", "Leaky ReLU").replace("-", " ").split()
    known = {"trsf": "TRSF", "prelu": "PReLU", "arcface": "ArcFace"}
    return " ".join(known.get(word, word) for word in words)


def anchor(subject: str) -> str:
    """A subject as part of an address."""
    return "".join(c if c.isalnum() else "-" for c in subject.lower())
