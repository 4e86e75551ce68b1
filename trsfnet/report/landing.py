"""The first page of the book: whether the paper holds up, in a sentence and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trsfnet.analysis import Analysis
from trsfnet.analysis.averages import MEANS
from trsfnet.analysis.branches import BranchRuns
from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.findings import ALPHA, DECIDED, Outcome
from trsfnet.analysis.log_odds import gain_in_log_odds
from trsfnet.analysis.mechanism import Answer, decay_explains_growth
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.analysis.reach import decay_budget_in_words, has_paper_decay_budget, paper_regime
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.stability import Study
from trsfnet.experiments.variants import variant_of
from trsfnet.paper.claims import claims_by_id
from trsfnet.report import length, width
from trsfnet.report.claims import log_odds
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.claims.tables import outcome_in_words, outcome_link
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.mechanism import decay_figure
from trsfnet.report.names import campaign_name, schedules_in_words, short_track
from trsfnet.report.switch import tabs
from trsfnet.text import capitalised, counted, in_words, joined, percent, percent_range

_ROLE, _STABLE = "branches-matter-more", "trainable-more-stable"
_ARCFACE = "trsf-gains-with-arcface"

MAIN_CLAIMS = {question: claims[0] for question, claims in QUESTIONS.items()}
"""The id of the claim that answers each question most directly, by question."""


def campaigns_on_questions(found: Analysis) -> list[Campaign]:
    """Return the campaigns that can test at least one of the main claims."""
    asked = MAIN_CLAIMS.values()
    return [campaign for campaign in found.campaigns_on(asked) if campaign.decides(asked)]


def answer(campaigns: Sequence[Campaign], found: Analysis | None = None) -> Markdown:
    """State whether the paper holds up, how many of its questions are decided, and what is contradicted.

    Args:
        campaigns: see `campaigns_on_questions`.
        found: the analysis whose studies are reported as well; None for none.
    """
    parts = [findings(campaigns, found)]
    if campaigns:
        parts.append(" ".join(filter(None, (_counts(campaigns), _contradicted(campaigns)))))
    return Markdown("\n\n".join(parts))


def findings(campaigns: Sequence[Campaign], found: Analysis | None = None) -> str:
    """List what the runs show on accuracy, scales, branches, slopes and stability; arguments as above."""
    if not campaigns:
        return "**Not tested yet: no run that can test these questions has ended.**"
    topics: dict[str, list[str | None]] = {
        "Accuracy": [_accuracy(campaigns), _by_decay(campaigns), _travel(campaigns)],
        "Scales": [_explanation(found.answers if found else [])],
        "Branches": [_role_of_branches(campaigns)],
    }
    if found:
        of_length = length.findings(found)
        topics["Scales"] += [of_length.get("scales"), _open(found, of_length)]
        topics["Branches"] += [of_length.get("branches")]
        topics["Slopes"] = [of_length.get("slopes")]
        topics["Stability"] = [
            _training_further(found.graded) if found.graded else None,
            _stability(found.study, earlier=found.graded is not None) if found.study else None,
            width.finding(found),
        ]
    return "\n".join(
        f"- **{topic}.** {' '.join(filter(None, sentences))}"
        for topic, sentences in topics.items()
        if any(sentences)
    )


def picture(found: Analysis) -> Markdown:
    """Show scales, branches and accuracy by decay budget, as Markdown for a page that includes it."""
    drawn = decay_figure(found)
    return drawn if isinstance(drawn, Markdown) else Markdown(drawn.markdown())


def questions(campaigns: Sequence[Campaign]) -> Markdown:
    """Tabulate the main claims with the paper's number, ours and the verdict, in a tab per campaign."""
    if not campaigns:
        return Markdown(captioned(_CAPTION, "main-claims", _tab(None)))
    # A page selects the first tab of a track when the reader chooses the track in another set of tabs.
    firsts = {each.track: each for each in reversed(campaigns)}
    shown = tabs(
        [
            (
                capitalised(campaign_name(each)),
                each.track if firsts[each.track] is each else f"{each.track}-{number}",
                _tab(each),
            )
            for number, each in enumerate(campaigns)
        ]
    )
    return Markdown(f"{shown}\n\n{_NOTE}")


_NOTE = (
    "Where a claim makes several comparisons, both numbers are those of the one that supports it least in "
    "our runs. The paper's are computed from its tables. Points cannot be compared between levels of "
    "accuracy; *log odds* can. "
    "*Inconclusive*: chance could explain the difference. Verdicts are corrected for all claims that are "
    "tested on the same runs, so they can be inconclusive although the interval excludes 0. *Out of reach*: "
    "our training is too short, or its weight decay too weak, to test the claim. *Exploratory*: the "
    "rule is younger than some of the runs that decide the claim. *v1 and v2 differ*: so do the effects in "
    "them, by more than chance explains; these tests are not corrected for the other claims."
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
        paper, ours, details = [rule.published()], ["–"], []
        if campaign and weakest:
            ours = [rule.estimate(weakest)]
            paper = paper if weakest.published is None else [rule.published([weakest.published])]
            if gain := gain_in_log_odds(campaign, claim, weakest):
                paper.append(f"log odds {log_odds.published(gain)}" if gain.published is not None else "")
                ours.append(f"log odds {log_odds.ours(gain)}")
        if campaign and verdict:
            details = [schedules_in_words(claim, campaign), verdict.short_note]
        cells = (paper, ours, [outcome_link(claim, campaign), *details])
        rows.append((_asked(question, claim), *("<br>".join(filter(None, cell)) for cell in cells)))
    return table(header, rows)


_GAINS = {"TRSF": "trsf-gains", "leaky or learned slopes": "both-activations-gain"}


def _accuracy(campaigns: Sequence[Campaign]) -> str:
    """State whether TRSF and the slopes raise accuracy, apart for runs that disagree or differ in decay."""
    matched = _matched(campaigns)
    weaker = [campaign for campaign in campaigns if campaign not in matched]
    groups = [(at, *group) for at, some in ((True, matched), (False, weaker)) for group in _agreeing(some)]
    gains = [found for _, found, _ in groups]
    if len(groups) == 1:
        how = "At the paper's decay budget" if matched else "With weaker decay than the paper's"
        return f"{how}, {_clauses(gains[0])}."
    if len(groups) == 2 and matched and weaker and gains[0] == gains[1]:
        return f"At the paper's decay budget as with weaker decay, {_clauses(gains[0])}."
    sentences: list[str] = []
    for at_papers, found, group in groups:
        how = "At the paper's decay budget" if at_papers else "With weaker decay"
        where = joined(list(dict.fromkeys(short_track(each.track) for each in group)))
        both = sentences and len(found["raise"]) == len(_GAINS)
        said = f"both do{_mark(found, 'raise')}" if both else _clauses(found)
        sentences.append(f"{how} on {where}, {said}.")
    return " ".join(sentences)


def _by_decay(campaigns: Sequence[Campaign]) -> str:
    """Compare the gain by TRSF at the paper's decay budget with that at weaker decay, all else being equal.

    Empty without two tested campaigns of one track and one number of steps.
    """
    tested = [each for each in campaigns if each.verdicts["trsf-gains"].tested]
    matched = _matched(tested)
    pairs = [
        (weak, strong)
        for weak in tested
        for strong in matched
        if weak not in matched and (weak.track, _steps(weak)) == (strong.track, _steps(strong))
    ]
    sentences = []
    for weak, strong in pairs:
        before, after = _original(weak), _original(strong)
        if before < after:
            sentences.append(
                f"On {short_track(weak.track)}, v1 has a TAR of {percent(before)} with weaker decay and "
                f"{percent(after)} at the paper's decay budget; the mean gain from TRSF over both versions, "
                f"in log odds, is {_gain(weak)} and {_gain(strong)}, respectively."
            )
    return " ".join(sentences)


def _steps(campaign: Campaign) -> int | None:
    return campaign.regime.steps if campaign.regime else None


def _original(campaign: Campaign) -> float:
    """Return the mean TAR of the original v1 over seeds."""
    values = campaign.values("v1-relu", QUANTITIES["tar"]).values()
    return sum(values) / len(values)


def _gain(campaign: Campaign) -> str:
    """Return the gain by TRSF in log odds, since TAR differs between the campaigns that are compared."""
    (measured,) = campaign.verdicts["trsf-gains"].measured
    gain = gain_in_log_odds(campaign, "trsf-gains", measured)
    return log_odds.ours(gain) if gain else ""


def _agreeing(campaigns: Sequence[Campaign]) -> list[tuple[dict[str, list[str]], list[Campaign]]]:
    """Group campaigns with the same gains in accuracy, which come first."""
    groups: list[tuple[dict[str, list[str]], list[Campaign]]] = []
    for campaign in campaigns:
        gains = _gains(campaign)
        same = next((group for found, group in groups if found == gains), None)
        if same is None:
            groups.append((gains, [campaign]))
        else:
            same.append(campaign)
    return groups


def _travel(campaigns: Sequence[Campaign]) -> str:
    """State how little of the paper's travel runs on accuracy have; empty if that is unknown."""
    on_accuracy = [campaign for campaign in campaigns if campaign.decides(_GAINS.values())]
    travels = [campaign.regime.travel for campaign in on_accuracy if campaign.regime]
    if not travels:
        return ""
    return f"These runs have at most {percent(max(travels) / paper_regime().travel)} of the paper's travel."


def _matched(campaigns: Sequence[Campaign]) -> list[Campaign]:
    """Return the campaigns at the paper's decay budget."""
    return [campaign for campaign in campaigns if has_paper_decay_budget(campaign.regime)]


def _gains(campaign: Campaign) -> dict[str, list[str]]:
    """Return what raises accuracy, what does not, what remains open, and what is exploratory."""
    names: dict[str, list[str]] = {"raise": [], "lower": [], "open": [], "exploratory": []}
    kinds = {DECIDED[0]: "raise", DECIDED[1]: "lower"}
    for name, claim in _GAINS.items():
        names[kinds.get(campaign.verdicts[claim].outcome, "open")].append(name)
        if campaign.exploratory(claim):
            names["exploratory"].append(name)
    return names


def _mark(names: dict[str, list[str]], kind: str) -> str:
    """Mark a clause of which any or all names are exploratory, with a leading space."""
    marked = [name for name in names[kind] if name in names["exploratory"]]
    if len(marked) < len(names[kind]):
        return f" (exploratory for {joined(marked)})" if marked else ""
    return " (exploratory)"


def _clauses(names: dict[str, list[str]]) -> str:
    parts = []
    if names["raise"]:
        parts.append(f"{_subject(names['raise'], 'does', 'do')} raise accuracy{_mark(names, 'raise')}")
    if names["lower"]:
        parts.append(f"{_subject(names['lower'], 'does', 'do')} not raise accuracy{_mark(names, 'lower')}")
    if names["open"]:
        verbs = ("does", "do") if names["raise"] else ("raises accuracy", "raise accuracy")
        parts.append(f"it remains open whether {_subject(names['open'], *verbs)}")
    return ", and ".join(parts)


def _subject(names: Sequence[str], singular: str, plural: str) -> str:
    """Return `names` with the verb in the right number; only TRSF alone is singular."""
    return f"{joined(names)} {singular if list(names) == ['TRSF'] else plural}"


def _explanation(mechanism: Sequence[Answer]) -> str:
    """State whether large scales show a larger role of the branches, as the paper argues."""
    argument = "The paper concludes from the size of the scales that the branches matter more."
    if decay_explains_growth(mechanism):
        return (
            f"{argument} Their size alone does not show it: in our study of short runs, strong weight decay "
            "shrinks the kernels that the scales multiply, so the scales grow, while the branches add less "
            "to their trunk than with weaker decay."
        )
    decided = {found.question: found.decided for found in mechanism if found.effects}
    if decided.get("growth") is False:
        return (
            "In our study of short runs, scales do not grow because of weight decay: it makes them smaller."
        )
    if decided.get("growth") and decided.get("branches") is False:
        return (
            "In our study of short runs, the branches add more to their trunk as weight decay makes the "
            "scales grow, as the paper's explanation requires."
        )
    return f"{argument} This remains open."


def _open(found: Analysis, of_length: Mapping[str, str]) -> str:
    """State that it remains open whether weight decay explains the paper's scales; empty if it is decided."""
    decay = next((each for each in found.length_answers if each.question == "decay"), None)
    if (
        not of_length
        or not decay_explains_growth(found.answers)
        or decay is None
        or decay.decided is not None
    ):
        return ""
    until = "" if decay.seeds else " until long runs with less decay have ended"
    return f"Whether weight decay alone explains the paper's scales remains open{until}."


def _role_of_branches(campaigns: Sequence[Campaign]) -> str:
    """State whether branches contribute more with TRSF than with constants, at the paper's decay budget.

    Empty if no campaign decides it.
    """
    tested = [each for each in _matched(campaigns) if each.verdicts[_ROLE].tested]
    if not any(each.verdicts[_ROLE].outcome in DECIDED for each in tested):
        return ""
    first, *others = map(_branches_on, tested)
    verdicts = " ".join([first, *map(capitalised, others)])
    return (
        "Do they add more to their trunk with TRSF than with constant scales? At the paper's decay budget "
        f"{verdicts} These factors are the most cautious of three averages over modules: the geometric "
        "mean, the arithmetic mean and the median."
        f"{_with_arcface(tested)}{_shrinking(tested)}"
    )


def _branches_on(campaign: Campaign) -> str:
    """Return the track, the verdict, and the factor from constants to TRSF in what the branches add."""
    rule, verdict = paper_rules()[_ROLE], campaign.verdicts[_ROLE]
    weakest = rule.weakest(verdict.measured)
    said = f"on {short_track(campaign.track)}, this is {outcome_in_words(_ROLE, campaign, sign=False)}"
    return f"{said}: they add {rule.estimate(weakest)} as much." if weakest else f"{said}."


def _with_arcface(campaigns: Sequence[Campaign]) -> str:
    """State where the averages disagree with ArcFace, which the claim leaves out, with a leading space."""
    sentences = []
    for campaign in campaigns:
        found = _branch_runs(campaign, _ARCFACE)
        for fixed, trained in found.pairs:
            factors = [found.gain(fixed, trained, "ratio", mean) for mean in MEANS]
            if min(factors) < 1 < max(factors):
                sentences.append(
                    " With ArcFace, which the claim leaves out, they disagree on "
                    f"{short_track(campaign.track)}: {min(factors):.2f} to {max(factors):.2f} times."
                )
    return "".join(sentences)


def _branch_runs(campaign: Campaign, claim: str) -> BranchRuns:
    """Return the branches in a campaign's runs of the variants that a claim compares."""
    variants = paper_rules()[claim].variants
    return BranchRuns.of({variant: list(campaign.of(variant).values()) for variant in variants})


def _shrinking(campaigns: Sequence[Campaign]) -> str:
    """State how small the branches become, with a leading space; empty unless they shrink in all variants."""
    start: list[float] = []
    end: dict[bool, list[float]] = {True: [], False: []}
    for campaign in campaigns:
        found = _branch_runs(campaign, _ROLE)
        for variant in found.by_variant:
            start.append(found.arithmetic_ratio(variant, 0))
            end[variant_of(variant).trsf].append(found.arithmetic_ratio(variant))
    if not (end[True] and end[False]) or max(*end[True], *end[False]) >= min(start):
        return ""
    before, trained, constant = percent_range(min(start), max(start)), max(end[True]), max(end[False])
    return (
        f" In all these runs, the branches become small: they start at {before} of the trunk and end at no "
        f"more than {percent(trained)} with TRSF and {percent(constant)} with constants (arithmetic means)."
    )


def _training_further(campaign: Campaign) -> str:
    """State whether v1 with TRSF trains further than v1 where training begins to fail."""
    found = campaign.verdicts[_STABLE]
    if not found.measured:
        return ""
    verdict = {
        Outcome.SUPPORTED: "v1 with TRSF trains further than v1",
        Outcome.CONTRADICTED: "v1 with TRSF does not train further than v1",
    }.get(found.outcome, "it remains open whether v1 with TRSF trains further than v1")
    return (
        "At learning rates at which training begins to fail, judged by the loss on held-out images as a "
        f"share of chance level, {verdict}{_compared(campaign)}."
    )


def _stability(study: Study, *, earlier: bool) -> str:
    """State how many runs of the stability study collapsed and whether trained scales prevent it."""
    verdict = {
        Outcome.SUPPORTED: "v1 with TRSF collapses less often than v1",
        Outcome.CONTRADICTED: "v1 with TRSF does not collapse less often than v1",
    }.get(
        study.campaign.verdicts[_STABLE].outcome,
        "it remains open whether v1 with TRSF collapses less often than v1",
    )
    runs = "earlier short run" if earlier else "short run"
    return (
        f"Of {counted(len(study.runs), runs)} at learning rates up to {study.rates[-1]:g}, "
        f"{len(study.collapses)} collapsed; {verdict}{_compared(study.campaign)}."
    )


def _compared(campaign: Campaign) -> str:
    """Return the difference between v1 with TRSF and v1 after a colon; empty without any."""
    rule, verdict = paper_rules()[_STABLE], campaign.verdicts[_STABLE]
    weakest = rule.weakest(verdict.measured)
    if not weakest:
        return ""
    p, p_holm = verdict.p_value, verdict.p_holm
    by_chance = p is not None and p_holm is not None and p < ALPHA <= p_holm
    corrected = "; corrected for all claims, chance could explain it" if by_chance else ""
    return f": the difference is {rule.estimate(weakest)}{rule.sample(weakest)}{corrected}"


def _contradicted(campaigns: Sequence[Campaign]) -> str:
    """List the contradicted claims that answer none of the main questions; empty without any."""
    found: dict[str, list[str]] = {}
    for campaign in campaigns:
        for claim, verdict in campaign.verdicts.items():
            if verdict.outcome == Outcome.CONTRADICTED and claim not in MAIN_CLAIMS.values():
                found.setdefault(claim, []).append(_where(claim, campaign))
    if not found:
        return ""
    listed = "; ".join(
        f"“{claims_by_id()[claim].statement.rstrip('.')}” ({', '.join(dict.fromkeys(names))})"
        for claim, names in found.items()
    )
    one = len(found) == 1
    number = capitalised(in_words(len(found)))
    return f"{number} further {'claim is' if one else 'claims are'} contradicted: {listed}."


def _where(claim: str, campaign: Campaign) -> str:
    """Return the runs that contradict a claim and which parts differ, or the numbers if no run is needed."""
    rule, verdict = paper_rules()[claim], campaign.verdicts[claim]
    if not rule.needs_runs:
        return rule.summary(verdict.measured)
    mark = "exploratory" if campaign.exploratory(claim) else ""
    return ", ".join(filter(None, (campaign_name(campaign), mark, verdict.short_note)))


def _counts(campaigns: Sequence[Campaign]) -> str:
    counts = []
    for campaign in campaigns:
        outcomes = campaign.count(MAIN_CLAIMS.values())
        left = len(MAIN_CLAIMS) - sum(outcomes[outcome] for outcome in DECIDED)
        supported, contradicted = (_number(campaign, outcome) for outcome in DECIDED)
        counts.append(
            f"on {campaign_name(campaign)}{_decay(campaign)}, our runs support {supported}, contradict "
            f"{contradicted} and leave {left} open"
        )
    return (
        f"Of the paper's answers to {counted(len(MAIN_CLAIMS), 'question')}, {'; '.join(counts)}. A question "
        "is open if our runs are inconclusive, too far from the paper's training, or missing."
    )


def _number(campaign: Campaign, outcome: Outcome) -> str:
    """Return how many main claims have an outcome and how many of them are exploratory, such as `none`."""
    claims = [claim for claim in MAIN_CLAIMS.values() if campaign.verdicts[claim].outcome == outcome]
    exploratory = sum(map(campaign.exploratory, claims))
    if not exploratory:
        return str(len(claims) or "none")
    return f"{len(claims)} ({'' if exploratory == len(claims) else f'{exploratory} of them '}exploratory)"


def _decay(campaign: Campaign) -> str:
    """Return the campaign's decay budget in brackets; empty if unknown."""
    return f" (decay budget {decay_budget_in_words(campaign.regime)})" if campaign.regime else ""
