"""Tables of the page on the claims: the campaigns, and each subject's claims with their verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.analysis import Analysis
from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.contrasts import POWER
from trsfnet.analysis.findings import ALPHA, MIN_SEEDS, Outcome
from trsfnet.analysis.reach import paper_regime
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.rules.no_collapse import RARE
from trsfnet.analysis.rules.untested import Untested
from trsfnet.paper.claims import Claim, claims_by_id
from trsfnet.report.display import Markdown, captioned, table, unreadable
from trsfnet.report.names import campaign_name
from trsfnet.text import NBSP, counted, joined

# A sign with each outcome, so that a table can be scanned.
SIGNS = {
    Outcome.SUPPORTED: "✓",
    Outcome.CONTRADICTED: "✗",
    Outcome.INCONCLUSIVE: "?",
    Outcome.OUT_OF_REACH: "○",
    Outcome.NOT_RUN: "–",
}


def rules() -> Markdown:
    """How a verdict comes about."""
    return Markdown(
        f"- **{Outcome.SUPPORTED}** or **{Outcome.CONTRADICTED}**: the runs of one track and budget lie "
        "on one side of the claim's bound by more than chance. Seeds are the sample; how much they spread is "
        "taken from all variants with the same network and loss together, for scales and what they do from "
        "those whose scales are set alike (Student's t). Over all claims that those runs can test, a false "
        f"verdict has a chance of {100 * ALPHA:.0f} % at most (Holm). That is said of one group of runs: "
        "each group has its own chance, and so have the rows of a table of the paper.\n"
        "- A claim on several comparisons is supported by all of them and contradicted by any one. Where "
        "versions or activations go opposite ways beyond chance, the verdict says so. On the role of the "
        "branches the geometric mean over modules, the arithmetic one and the median must agree.\n"
        "- The sign of a scale does not matter: the kernel can take it over. So magnitudes are compared.\n"
        f"- **{Outcome.INCONCLUSIVE}**: chance could have done it, or a variant has fewer than {MIN_SEEDS} "
        "finished seeds, or more runs of the side in favour collapsed or ended too early. The *minimum "
        "detectable* effect is the distance from the bound that these seeds and their spread would show in "
        f"{100 * POWER:.0f} of 100 repetitions: an effect may well be there and smaller.\n"
        f"- **{Outcome.OUT_OF_REACH}**: what is claimed moves with the decay budget or the travel of the "
        "schedule, and these runs' is too small for what the paper says, whatever is true of it. Which "
        "claims those are is data beside the rules.\n"
        f"- **{Outcome.NOT_RUN}**: no run says anything, or the paper's own data would be needed.\n"
        "- Where runs of a budget are still missing, its verdicts are interim: more seeds may change them.\n"
        f"- Where no run may collapse, one that does contradicts; support takes so many without that a "
        f"rate of {100 * RARE:.0f} % would have shown.\n"
        "- Each claim and its rule stood in the code before the runs that decide it. Two things were settled "
        "later:\n"
        "  - That the spread is pooled and seeds are not paired, when v1's first three seeds on rendered "
        "faces were known. Three seeds of one variant decide nothing. Runs that share a seed may be a little "
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


def campaigns_table(found: Analysis) -> Markdown:
    """The campaigns, and a line for each record that cannot be read."""
    header = (
        "Track and budget",
        "Variants",
        "Seeds",
        "Runs",
        "Collapsed",
        "Made by earlier code",
        "Decay budget",
        "Travel",
    )
    paper = paper_regime()
    caption = (
        "Runs that ended, in groups within which they may be compared. By weight decay alone the squared "
        "norm of a kernel shrinks by as many e-folds as the decay budget; the travel is the sum of the "
        f"learning rates over 1 − momentum. The paper's are {paper.decay_budget:.3g} and {paper.travel:,.0f}."
    )
    parts = ["No run has ended yet, so that every claim is *not run*."]
    if found.campaigns:
        parts = [captioned(caption, "table-campaigns", table(header, map(_campaign_row, found.campaigns)))]
    if found.problems:
        parts.append("**Records that cannot be read, and so have no part in this:**")
        parts.append(unreadable(found.problems))
    return Markdown("\n\n".join(parts))


def _campaign_row(campaign: Campaign) -> list[str]:
    runs = campaign.ordered
    numbers = (
        len({run.variant for run in runs}),
        len({run.seed for run in runs}),
        size(campaign),
        sum(run.collapsed for run in runs),
        sum(bool(run.stale) for run in runs),
    )
    regime = campaign.regime
    of_schedule = [f"{regime.decay_budget:.2g}", f"{regime.travel:,.0f}"] if regime else ["–", "–"]
    return [campaign_name(campaign), *map(str, numbers), *of_schedule]


def size(campaign: Campaign) -> str:
    """How many runs there are, such as `54`, or `48 of 96` where some are missing."""
    runs = len(campaign.runs)
    return f"{runs} of {runs + campaign.missing}" if campaign.missing else str(runs)


def claims_table(subject: str, claims: Sequence[Claim], found: Analysis) -> Markdown:
    """The claims on one subject: what the paper has, and the verdict of each campaign on them."""
    ids = [claim.id for claim in claims]
    shown = [campaign for campaign in found.campaigns_on(ids) if campaign.decides(ids)]
    rows = [
        (claim.statement, paper_rules()[claim.id].published(), *verdict_cells(claim.id, shown))
        for claim in claims
    ]
    header = ("Claim", "Paper", *([campaign_name(campaign) for campaign in shown] or ["Ours"]))
    caption = f"{subject}: {counted(len(claims), 'claim')}. Each verdict leads to its quotes and numbers."
    return Markdown(captioned(caption, f"claims-{anchor(subject)}", table(header, rows)))


def verdict_cells(claim: str, campaigns: Sequence[Campaign]) -> list[str]:
    """The verdict of each campaign with its numbers, each a link to what is behind it."""
    rule = paper_rules()[claim]
    if not campaigns:
        reason = f": {rule.reason}" if isinstance(rule, Untested) else ""
        return [outcome_link(claim, Outcome.NOT_RUN) + reason]
    cells = []
    for campaign in campaigns:
        verdict = campaign.verdicts[claim]
        numbers = rule.summary(verdict.measured)
        cells.append(outcome_link(claim, verdict.outcome) + (f": {numbers}" if numbers else ""))
    return cells


def outcome_link(claim: str, outcome: Outcome) -> str:
    """An outcome and its sign, which lead to what is behind it."""
    return f"[{SIGNS[outcome]}{NBSP}{outcome}](#claim-{claim})"


def verdict(found: Analysis) -> Markdown:
    """A line for each campaign: which claims it decides."""
    lines, titles = [], claims_by_id()
    for campaign in found.campaigns_on(paper_rules()):
        decided = [
            f"{outcome} are {joined([f'[{titles[claim].title}](#claim-{claim})' for claim in claims])}"
            for outcome in (Outcome.SUPPORTED, Outcome.CONTRADICTED)
            if (claims := [c for c, v in campaign.verdicts.items() if v.outcome == outcome])
        ]
        counts = campaign.count(paper_rules())
        inconclusive, *others = Outcome.INCONCLUSIVE, Outcome.OUT_OF_REACH, Outcome.NOT_RUN
        rest = f"{counts[inconclusive]} are {inconclusive}"
        rest += "".join(f", {counts[other]} {other}" for other in others if counts[other])
        lines.append(f"- {campaign_name(campaign)}: {'; '.join([*decided, rest])}.")
    return Markdown("\n".join(lines) or "No run has ended, so nothing can be said.")


def anchor(subject: str) -> str:
    """A subject as part of an address."""
    return "".join(c if c.isalnum() else "-" for c in subject.lower())
