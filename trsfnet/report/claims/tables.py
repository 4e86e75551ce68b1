"""Tables of the page on the claims: the campaigns, and the claims on each subject with their verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trsfnet.analysis import Analysis
from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.contrasts import POWER
from trsfnet.analysis.findings import ALPHA, DECIDED, MIN_SEEDS, Outcome
from trsfnet.analysis.log_odds import gain_in_log_odds
from trsfnet.analysis.reach import paper_regime, ranges_in_words, run_regime
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.rules.no_collapse import RARE
from trsfnet.paper.claims import RULES_SINCE, Claim, claims_by_id, paper_claims
from trsfnet.report.claims import log_odds
from trsfnet.report.display import Markdown, captioned, list_of_problems, table
from trsfnet.report.names import campaign_name, schedules_in_words
from trsfnet.text import NBSP, capitalised, counted, joined

# A symbol for each outcome, so that tables can be scanned quickly.
SIGNS = {
    Outcome.SUPPORTED: "✓",
    Outcome.CONTRADICTED: "✗",
    Outcome.INCONCLUSIVE: "?",
    Outcome.OUT_OF_REACH: "○",
    Outcome.NOT_RUN: "–",
}


def rules() -> Markdown:
    """Explain the rules for verdicts."""
    return Markdown(
        f"- **{Outcome.SUPPORTED}** or **{Outcome.CONTRADICTED}**: the runs of one track and budget lie on "
        "one side of the claim's bound by more than chance explains. Seeds are the sample. Their variance "
        "is pooled over all variants with the same network and loss; for the scales and their effects, over "
        "the variants with the same kind of scale (Student's t). The initial slopes of table 6 alone have "
        "separate variances when they are compared with each other (Welch's t; for the largest difference, "
        "Games–Howell). Over all claims that one group of runs can test, the probability of any false "
        f"verdict is at most {100 * ALPHA:.0f} % (Holm) if the variances that are pooled hardly differ. In "
        "simulations with the variances of our runs, it is 3 % for the claims within the reach of the budget "
        "full and about 6 % for all; see the [page on statistics](statistics.ipynb). This holds for each "
        "group of runs separately, and separately for the rows of each of the paper's tables.\n"
        "- A claim with several comparisons is supported only if all of them support it, and contradicted if "
        "any of them contradicts it. If versions or activations differ by more than chance explains, the "
        "verdict says so; these tests are not corrected for the other claims. For the role of the branches, "
        "the geometric mean over modules, the arithmetic mean and the median must agree.\n"
        "- Claims on stability compare runs with the same learning rate and seed in pairs, over all learning "
        "rates: collapses by a sign test; losses on held-out images, if there are any, by Wilcoxon's "
        "signed-rank test, at the end and on average over training, which must agree.\n"
        "- We compare magnitudes of scales, because the kernel can absorb the sign.\n"
        f"- **{Outcome.INCONCLUSIVE}**: chance could explain the result, or a variant has fewer than "
        f"{MIN_SEEDS} finished seeds, or more runs collapsed or ended too early on the side that the result "
        "favours. The *minimum detectable effect* is the distance from the bound that these seeds and their "
        f"spread would reveal in {100 * POWER:.0f} of 100 repetitions. A smaller effect may well exist.\n"
        f"- **{Outcome.OUT_OF_REACH}**: the claimed quantity depends on the decay budget or the travel of "
        "the schedule, and the value in these runs is too small to test the claim, whether or not it is "
        "true. `trsfnet/paper/claims.json` states which value each of these claims needs.\n"
        f"- **{Outcome.NOT_RUN}**: no run can test the claim, or the paper's own data would be needed.\n"
        "- If runs of a budget are still missing, its verdicts are interim: more seeds may change them. A "
        "larger budget replaces a smaller one in a table as soon as each of the variants has "
        f"{MIN_SEEDS} seeds. For a group of claims, it stands beside the smaller one as soon as it has "
        f"{MIN_SEEDS} seeds of each variant of a claim, and replaces it when that holds for all claims.\n"
        "- If a claim says that no run collapses, one collapse contradicts it. Support requires enough runs "
        f"that a collapse rate of {100 * RARE:.0f} % would very probably have produced a collapse.\n"
        "- A verdict is *exploratory* if any of the runs that decide it was started before its rule took its "
        "present form: whoever wrote the rule may have known their results. New seeds must confirm it. "
        f"Most rules date from {_day(RULES_SINCE)}. They are younger than the stability study and than all "
        f"runs with the budget short. Those on {joined([claim_link(claim.id) for claim in _later()])} are "
        "younger still. The [history](verdict_history.ipynb) lists the verdicts that changed.\n"
        "- We made these changes when we knew results that they judge:\n"
        "  - We decided to pool the variance and not to pair seeds when v1's first three seeds on rendered "
        "faces were known. Three seeds of one variant decide nothing. Runs that share a seed may be slightly "
        "more alike than others, so unpaired intervals are too wide rather than too narrow.\n"
        "  - We changed how three quantities are measured when everything except the stability study was "
        "known. A run that never classifies half of the images correctly counts with its full number of "
        "epochs, the minimum it can have needed, instead of being left out, because it is the slowest. The "
        "spread of scales is divided by their mean magnitude, because their mean is close to zero if signs "
        "differ. Variances are pooled over variants with the same kind of scale, not with variants whose "
        "scales vary far less. At that time, this changed "
        "[faster convergence](#claim-converges-faster), on rendered faces, and "
        "[differences between modules](#claim-scales-differ-between-modules) from inconclusive to supported, "
        "and no other claim.\n"
        "  - We changed several rules when the short runs and the stability study were known. Scales count "
        "by their magnitude; three averages must agree on what the branches add; convergence is judged at "
        "the run's mean learning rate; slopes have both signs if any are negative and any are not; equal "
        "values, and a count that follows from our own reading, are no evidence. This confirmed no further "
        f"claim. It contradicted {claim_link('scales-settle')} and, on LFW, {claim_link('slopes-settle')}, "
        "both of which are now out of reach of these runs.\n"
        "  - We set most minimums of decay budget and travel when we knew the runs that they exclude. We put "
        "claims out of reach of schedules far below the paper's decay budget when the short runs were known. "
        "We put four claims on slopes out of reach of schedules with less than a fifth of the paper's travel "
        "when runs with 2 to 3 % of it were known, because the share of negative slopes still grew with the "
        "travel. We did the same with eight claims on where scales end and on what branches add when the "
        "first two [long runs](length.ipynb) ended, with larger scales at the same decay budget. These "
        "twelve minimums of the travel withdrew nine contradictions and four confirmations and added no "
        "verdict.\n"
        "  - We stopped pooling the variances of the initial slopes of table 6 when their runs were known. "
        "With the variances of the budget full on rendered faces and without any effect, pooling them "
        "supported the claim that the [initial slope matters](#claim-sensitive-to-start) in 37 % of "
        "simulations. This withdrew its confirmation on rendered faces with the budget short, which the "
        "budget full has replaced, and added no verdict.\n"
        "  - We left the last module out of the averages over branches when all these runs were known: its "
        "constant is 1 in the original, so that the averages compared unlike modules. We also removed one of "
        f"the twelve minimums of the travel, that of {claim_link('branches-matter-more')}. This claim "
        "compares TRSF with constants at equal decay, and the runs of v1 on rendered faces with 1 to 20 % of "
        "the paper's travel agreed on its direction; of v2, there are no long runs. Together, both changes "
        "restored the confirmation on rendered faces. It covers the softmax loss: with ArcFace, the three "
        "averages [disagree](meaning.ipynb).\n"
        "  - We withdrew two confirmations when their measurements were known. The bound on "
        f"{claim_link('cost')} must now hold with PyTorch's layers as well as with ours. The claim that "
        f"{claim_link('small-scales-weaken')} now has a minimum of the decay budget, since the networks that "
        "it compares differ in this way before any training.\n"
        "  - Three further rules are younger than the runs that they concern. Claims on stability need three "
        "seeds. Verdicts on accuracy in the studies on collapse and width use all pairs of the test people. "
        f"Parameters are counted without any run, which contradicted {claim_link('counts-of-parameters')} "
        "and changed no other verdict.\n"
        "  - That a verdict names versions and activations that differ even if their effects have the same "
        "sign was decided when these runs were known. It changes no verdict."
    )


def _later() -> list[Claim]:
    """Return the claims whose rule is younger than most."""
    return [claim for claim in paper_claims() if claim.rule_since > RULES_SINCE]


def _day(moment: str) -> str:
    """Return the date of an ISO date and time in words, such as `29 November 2026`."""
    found = datetime.fromisoformat(moment)
    return f"{found.day} {found:%B %Y}"


def claim_link(claim: str) -> str:
    """Return the title of a claim as a link to its evidence."""
    return f"[{claims_by_id()[claim].title}](#claim-{claim})"


def campaigns_table(found: Analysis) -> Markdown:
    """Tabulate the campaigns, and list the records that cannot be read."""
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
        "Runs that have ended, in groups within which they can be compared. The decay budget is the number "
        "of e-folds by which weight decay alone shrinks the squared norm of a kernel; the travel is the sum "
        "of the learning rates divided by 1 − momentum. The paper's are "
        f"{paper.decay_budget:.3g}, if its weight decay is the usual 5e-4, and {paper.travel:,.0f}. For "
        "studies that vary the schedule, see [the data](data.ipynb)."
    )
    parts = ["No run has ended yet, so every claim is *not run*."]
    if found.campaigns:
        parts = [captioned(caption, "table-campaigns", table(header, map(_campaign_row, found.campaigns)))]
    if found.problems:
        parts.append("**Unreadable records, which are not included:**")
        parts.append(list_of_problems(found.problems))
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
    return [capitalised(campaign_name(campaign)), *map(str, numbers), *_schedules(campaign)]


def _schedules(campaign: Campaign) -> tuple[str, str]:
    """Return the decay budget and the travel, as ranges if the learning rate varies; dashes if more does."""
    if not campaign.regime:
        return "–", "–"
    return ranges_in_words([run_regime(run) for run in campaign.ordered])


def size(campaign: Campaign) -> str:
    """Return the number of runs, such as `54`, or `48 of 96` if some are missing."""
    runs = len(campaign.runs)
    return f"{runs} of {runs + campaign.missing}" if campaign.missing else str(runs)


def claims_table(subject: str, claims: Sequence[Claim], found: Analysis) -> Markdown:
    """Tabulate the claims on one subject with the paper's number and the verdict of each campaign."""
    ids = [claim.id for claim in claims]
    shown = [campaign for campaign in found.campaigns_beside(ids) if campaign.decides(ids)]
    rows = [
        (claim.statement, paper_rules()[claim.id].published(), *verdict_cells(claim.id, shown))
        for claim in claims
    ]
    header = ("Claim", "Paper", *([capitalised(campaign_name(each)) for each in shown] or ["Ours"]))
    caption = f"{subject}: {counted(len(claims), 'claim')}. Each verdict links to its quotations and numbers."
    return Markdown(captioned(caption, f"claims-{anchor(subject)}", table(header, rows)))


def verdict_cells(claim: str, campaigns: Sequence[Campaign]) -> list[str]:
    """Return the verdict of each campaign, linked to the evidence, with numbers, schedule and note."""
    rule = paper_rules()[claim]
    if not campaigns:
        reason = f": {rule.why_untested}" if rule.why_untested else ""
        return [outcome_link(claim, None) + reason]
    cells = []
    for campaign in campaigns:
        verdict = campaign.verdicts[claim]
        schedule = schedules_in_words(claim, campaign)
        numbers = rule.summary(verdict.measured)
        parts = (
            outcome_link(claim, campaign),
            numbers,
            _in_log_odds(claim, campaign),
            schedule,
            verdict.note,
        )
        cells.append("<br>".join(filter(None, parts)))
    return cells


def _in_log_odds(claim: str, campaign: Campaign) -> str:
    """Return our weakest gain in TAR as a difference of log odds, next to the paper's; empty without one."""
    weakest = paper_rules()[claim].weakest(campaign.verdicts[claim].measured)
    gain = weakest and gain_in_log_odds(campaign, claim, weakest)
    if not gain:
        return ""
    paper = "" if gain.published is None else f", the paper's {log_odds.published(gain)}"
    return f"log odds {log_odds.ours(gain)}{paper}"


def outcome_link(claim: str, campaign: Campaign | None) -> str:
    """Return the outcome on a claim as a link to the evidence; arguments as for `outcome_in_words`."""
    return f"[{outcome_in_words(claim, campaign)}](#claim-{claim})"


def outcome_in_words(claim: str, campaign: Campaign | None, *, sign: bool = True) -> str:
    """Return the outcome on a claim, marked as exploratory if the rule is younger than a run that decides it.

    Args:
        claim: id of the claim.
        campaign: the runs; None if no run can test the claim.
        sign: whether to begin with the symbol of the outcome.
    """
    outcome = campaign.verdicts[claim].outcome if campaign else Outcome.NOT_RUN
    symbol = f"{SIGNS[outcome]}{NBSP}" if sign else ""
    return f"{symbol}{outcome}{' (exploratory)' if campaign and campaign.exploratory(claim) else ''}"


def verdict(found: Analysis) -> Markdown:
    """List the claims that each campaign decides, and the number of those that it leaves open."""
    lines = []
    for campaign in found.campaigns_on(paper_rules()):
        decided = [
            f"**{outcome}{' (exploratory)' if exploratory else ''}**: "
            f"{joined([claim_link(claim) for claim in claims])}"
            for outcome in DECIDED
            for exploratory in (False, True)
            if (claims := _decided(campaign, outcome, exploratory=exploratory))
        ]
        counts = campaign.count(paper_rules())
        inconclusive, *others = Outcome.INCONCLUSIVE, Outcome.OUT_OF_REACH, Outcome.NOT_RUN
        rest = f"{counts[inconclusive]} {inconclusive}"
        rest += "".join(f", {counts[other]} {other}" for other in others if counts[other])
        lines.append(f"- {capitalised(campaign_name(campaign))}: {'; '.join([*decided, rest])}.")
    return Markdown("\n".join(lines) or "No run has ended, so there are no verdicts.")


def _decided(campaign: Campaign, outcome: Outcome, *, exploratory: bool) -> list[str]:
    """Return the claims on which a campaign has an outcome, either exploratory or not."""
    found = [claim for claim, verdict in campaign.verdicts.items() if verdict.outcome == outcome]
    return [claim for claim in found if campaign.exploratory(claim) == exploratory]


def anchor(subject: str) -> str:
    """Return a subject in a form that can be part of an HTML id."""
    return "".join(c if c.isalnum() else "-" for c in subject.lower())
