"""Write the summary of the committed runs: `python -m trsfnet.report.summary`.

The command writes `results/README.md`, the figure in that folder, and the answer in the main `README.md`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from trsfnet.analysis import Analysis, load
from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.comparable_runs import Pooling
from trsfnet.analysis.findings import MIN_SEEDS, Outcome
from trsfnet.analysis.log_odds import TAR_LOG_ODDS, gain_in_log_odds, gains_in_log_odds
from trsfnet.analysis.margins import leans_against, tested
from trsfnet.analysis.mechanism import decay_explains_growth
from trsfnet.analysis.power import seed_spreads
from trsfnet.analysis.rules import Rule, paper_rules
from trsfnet.analysis.rules.measuring import Measuring
from trsfnet.experiments.variants import short_name
from trsfnet.paper.claims import claims_by_id, paper_claims
from trsfnet.paper.numbers import reference
from trsfnet.report import landing, length, mechanism, statistics, style
from trsfnet.report.claims import log_odds
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.claims.tables import outcome_in_words
from trsfnet.report.display import Markdown, table
from trsfnet.report.meaning.controls import gain_by_training
from trsfnet.report.names import at_rates, campaign_name, schedules_in_words
from trsfnet.report.power import unequal
from trsfnet.text import capitalised, counted

_UNDECIDED = (Outcome.INCONCLUSIVE, Outcome.OUT_OF_REACH, Outcome.NOT_RUN)

RESULTS = Path(__file__).parents[2] / "results"
README = RESULTS.parent / "README.md"
PICTURE = "decay-budget.svg"
# The lines that enclose the answer in README.md.
START, END = "<!-- The answer: made by python -m trsfnet.report.summary -->", "<!-- End of the answer -->"


def generated(found: Analysis) -> str:
    """Return the text of `results/README.md` for the runs of an analysis."""
    campaigns = found.campaigns_on(paper_rules())
    parts = ["# What the results say", answer(found), _questions(found), _NOTE, *_weight_decay(found)]
    parts += ["## How many claims hold", _short(campaigns)]
    parts += ["## Contradictions and limits", "\n".join(_uncomfortable(campaigns))]
    parts += ["## The runs", _about(found), _runs(campaigns, found.waiting(paper_rules()))]
    parts += ["## The paper's own numbers", f"{statistics.verdict()} {statistics.starts_spread()}"]
    parts += ["## The main claims", "<details><summary>All main claims, with their p values</summary>"]
    for question, claims in QUESTIONS.items():
        parts.append(f"### {question}")
        parts.append("\n".join(_claim(claim, campaigns) for claim in claims))
    return "\n\n".join([*parts, "</details>"]) + "\n"


_NOTE = (
    "If a claim makes several comparisons, the table shows the weakest of ours and the range of the paper's, "
    "which we computed from its tables. Log odds can be compared between levels of accuracy, unlike points. "
    "Exploratory: the rule is younger than some of the runs that decide the claim."
)


def _questions(found: Analysis) -> str:
    """Tabulate the paper's questions with the paper's number and our verdict on the main claim of each."""
    campaigns = landing.campaigns_on_questions(found)
    rows = [
        (question, paper_rules()[claim].published(), *(_cell(claim, campaign) for campaign in campaigns))
        for question, claim in landing.MAIN_CLAIMS.items()
    ]
    return table(("Question", "Paper", *map(_name, campaigns)), rows)


def _name(campaign: Campaign) -> str:
    return capitalised(campaign_name(campaign))


def _cell(claim: str, campaign: Campaign) -> str:
    rule, verdict = paper_rules()[claim], campaign.verdicts[claim]
    said, weakest = outcome_in_words(claim, campaign), rule.weakest(verdict.measured)
    if not weakest:
        return said
    gain = gain_in_log_odds(campaign, claim, weakest)
    details = (
        rule.estimate(weakest),
        f"log odds {log_odds.ours(gain)}" if gain else "",
        schedules_in_words(claim, campaign),
        verdict.short_note,
    )
    return f"{said}: {'; '.join(filter(None, details))}"


def answer(found: Analysis) -> str:
    """State whether the paper holds up, as a list of findings."""
    campaigns = landing.campaigns_on_questions(found)
    return landing.findings(campaigns, found)


def picture(found: Analysis) -> str | None:
    """Return the figure of scales, branches and accuracy as SVG on white; None without runs."""
    drawn = mechanism.decay_figure(found)
    if isinstance(drawn, Markdown):
        return None
    opening, body = drawn.svg.replace("currentColor", style.INK).split(">", 1)
    return f'{opening}><rect width="100%" height="100%" fill="white"/>{body}\n'


def _weight_decay(found: Analysis) -> list[str]:
    """Return the section with the answers of the studies on decay, length and scales; empty without any."""
    if not (lines := mechanism.answer_lines(found) + length.answer_lines(found)):
        return []
    drawn = [f"![Scales, branches and accuracy by decay budget]({PICTURE})"] if picture(found) else []
    explained = decay_explains_growth(found.answers)
    heading = f"## {'Why a scale near 1 says nothing' if explained else 'What a scale near 1 says'}"
    return [heading, *drawn, "\n".join(f"- {line}" for line in lines)]


def _about(found: Analysis) -> str:
    paper = reference()
    text = (
        "`python -m trsfnet.report.summary` generates this page from the run records in this folder. It is "
        f"about *{paper['title']}* ({paper['journal']} {paper['year']}). Our networks are smaller than the "
        "paper's, except in the study on width, and are trained on different, smaller images. We therefore "
        "never compare values with the paper's; we test its claims within one track. The book's page "
        "*Claims* quotes each claim and gives its rule and all numbers."
    )
    damaged = len(found.problems)
    return text + (f" {counted(damaged, 'record')} cannot be read." if damaged else "")


def _runs(campaigns: Sequence[Campaign], waiting: Sequence[Campaign]) -> str:
    lines = [_run_line(campaign) for campaign in campaigns]
    lines += [
        f"- {_name(campaign)}: {counted(len(campaign.runs), 'run')}, {campaign.missing} missing. "
        f"They decide nothing until each variant of a claim has {MIN_SEEDS} seeds."
        for campaign in waiting
    ]
    return "\n".join(lines) or "No run has ended yet."


def _run_line(campaign: Campaign) -> str:
    variants = {run.variant for run in campaign.runs.values()}
    seeds = Counter(run.variant for run in campaign.runs.values() if run.done)
    done = sorted({seeds[variant] for variant in variants})
    span = str(done[0]) if len(done) == 1 else f"{done[0]} to {done[-1]}"
    missing = (
        f" {counted(campaign.missing, 'missing run')} may still change its verdicts."
        if campaign.missing
        else ""
    )
    return (
        f"- {_name(campaign)}: {counted(len(campaign.runs), 'run')} of "
        f"{counted(len(variants), 'variant')}, {span} finished runs of each.{missing}"
    )


def _short(campaigns: Sequence[Campaign]) -> str:
    """State how many claims each campaign supports, contradicts and leaves undecided, in a line each."""
    lines = []
    for campaign in campaigns:
        counts = campaign.count(paper_rules())
        supported, contradicted = counts[Outcome.SUPPORTED], counts[Outcome.CONTRADICTED]
        exploratory = sum(map(campaign.exploratory, paper_rules()))
        start = f"{supported} supported, {contradicted} contradicted"
        start += f" ({exploratory} of these exploratory)" if exploratory else ""
        start = start if supported + contradicted else "none decided"
        rest = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _UNDECIDED if counts[outcome])
        name = _name(campaign)
        lines.append(f"- {name}: of the paper's {len(paper_claims())} claims, {start}; {rest}.")
    return "\n".join(lines) or f"None of the paper's {len(paper_claims())} claims has been tested."


def _claim(claim: str, campaigns: Sequence[Campaign]) -> str:
    """List a claim, the paper's number, and one line for each campaign that can test the claim."""
    statement, number = claims_by_id()[claim].statement, paper_rules()[claim].published()
    said = number == "–" or "in the paper" in statement
    lines = [statement + ("" if said else f" The paper: {number}.")]
    lines += [f"  - {_verdict(claim, campaign)}" for campaign in campaigns if campaign.decides([claim])]
    if len(lines) == 1:
        lines.append(f"  - **{Outcome.NOT_RUN}**")
    return "- " + "\n".join(lines)


def _verdict(claim: str, campaign: Campaign) -> str:
    verdict = campaign.verdicts[claim]
    numbers = _numbers(claim, campaign)
    schedule = schedules_in_words(claim, campaign) if verdict.outcome != Outcome.OUT_OF_REACH else ""
    words = outcome_in_words(claim, campaign, sign=False)
    said = "; ".join(filter(None, (f"{words}**{f', {numbers}' if numbers else ''}", schedule)))
    return f"{_name(campaign)}: **{said}. {verdict.explanation}"


def _numbers(claim: str, campaign: Campaign) -> str:
    return paper_rules()[claim].summary(campaign.verdicts[claim].measured)


def _uncomfortable(campaigns: Sequence[Campaign]) -> list[str]:
    """List results that contradict the paper, and limits of our own runs."""
    lines = _contradictions(campaigns)
    for campaign in campaigns:
        lines += _undecided(campaign)
        lines += _last_module(campaign)
        lines += _unequal_spreads(campaign)
        lines += _collapsed(campaign)
    untested = {Outcome.NOT_RUN, Outcome.OUT_OF_REACH}
    never = sum(
        all(campaign.verdicts[claim].outcome in untested for campaign in campaigns) for claim in paper_rules()
    )
    lines.append(
        f"- {never} of the {len(paper_claims())} claims are not run, or are out of reach, in all these runs."
    )
    return lines


def _contradictions(campaigns: Sequence[Campaign]) -> list[str]:
    """List the contradicted claims; those that need no run, such as counts, stand in one line."""
    lines: dict[str, None] = {}
    for campaign in campaigns:
        for claim, verdict in campaign.verdicts.items():
            if verdict.outcome == Outcome.CONTRADICTED:
                where = _name(campaign) if paper_rules()[claim].needs_runs else "Without any run"
                mark = " (exploratory)" if campaign.exploratory(claim) else ""
                said = claims_by_id()[claim].statement.rstrip(".")
                lines[f"- {where}, contradicted{mark}: “{said}” ({_numbers(claim, campaign)})."] = None
    return list(lines)


def _undecided(campaign: Campaign) -> list[str]:
    """State how many claims stay open, how many of these lean against the paper, and what can be detected."""
    name = _name(campaign)
    claims = tested(campaign)
    if not claims:
        return [f"- {name}: {_why_untested(campaign)}."]
    unclear = [claim for claim in claims if campaign.verdicts[claim].outcome == Outcome.INCONCLUSIVE]
    against = [claim for claim in unclear if leans_against(claim, campaign)]
    lines = []
    if unclear:
        lines.append(
            f"- {name}: of {counted(len(claims), 'claim')} that a statistical test can decide, "
            f"{len(unclear)} remain inconclusive; {len(against)} of these "
            f"{'leans' if len(against) == 1 else 'lean'} against the paper."
        )
    rule, main = paper_rules()["trsf-gains"], campaign.verdicts["trsf-gains"]
    weakest = rule.weakest(main.measured) if main.tested else None
    if weakest and weakest.minimum_detectable:
        lines.append(
            f"- {name}: with these seeds, the minimum detectable gain by TRSF is "
            f"{rule.minimum_detectable(weakest)}.{_in_log_odds(campaign)}"
        )
    return lines


def _last_module(campaign: Campaign) -> list[str]:
    """State what the control shows, as v2's last module differs in more than in training."""
    said = gain_by_training(campaign, "v2")
    if not said:
        return []
    return [
        f"- {_name(campaign)}: the last module of v2 has the constant 1 in the original and starts at 0.1 "
        f"with TRSF, so that the comparison is not of training alone; {said}"
    ]


def _why_untested(campaign: Campaign) -> str:
    seeds = Counter(variant for variant, _ in {(variant, seed) for variant, _, seed in campaign.runs})
    if max(seeds.values()) < MIN_SEEDS:
        return f"the variants have fewer than {MIN_SEEDS} seeds, so no claim can be tested"
    return "no claim could be tested statistically"


def _in_log_odds(campaign: Campaign) -> str:
    """Compare the gain by TRSF with the paper's in log odds, in a sentence with a leading space."""
    gain = gains_in_log_odds(campaign)["trsf-gains"]
    if not gain.effect or not gain.minimum_detectable or gain.published is None:
        return ""
    return (
        " In log odds, which can be compared between levels of accuracy, it is "
        f"{TAR_LOG_ODDS.unit.text(gain.minimum_detectable)}; our gain is "
        f"{log_odds.ours(gain)}, the paper's {log_odds.published(gain)}."
    )


def _unequal_spreads(campaign: Campaign) -> list[str]:
    """State where the seeds of single variants vary so differently that pooling them is doubtful."""
    if not any(_pools_tar(paper_rules()[claim]) for claim in tested(campaign)):
        return []
    sentences = filter(None, map(unequal, seed_spreads([campaign])))
    return [f"- {_name(campaign)}: {sentence}" for sentence in sentences]


def _pools_tar(rule: Rule) -> bool:
    """Return whether a rule compares TAR with a spread that is pooled over all similar variants."""
    return isinstance(rule, Measuring) and rule.quantity.name == "tar" and rule.pooling != Pooling.NONE


def _collapsed(campaign: Campaign) -> list[str]:
    """List the variants with collapsed runs, and the learning rates at which they collapsed."""
    runs, lost = Counter[str](), Counter[str]()
    for run in campaign.ordered:
        runs[run.variant] += 1
        lost[run.variant] += run.collapsed
    if not lost.total():
        return []
    rates = at_rates(run.learning_rate for run in campaign.ordered if run.collapsed)
    variants = "; ".join(
        f"{number} of {runs[variant]} of {short_name(variant)}" for variant, number in lost.items() if number
    )
    total = f"{lost.total()} of {counted(runs.total(), 'run')}"
    return [f"- {_name(campaign)}: {total} collapsed, {rates}: {variants}."]


def main() -> None:
    """Write all three files."""
    found = load(RESULTS)
    (RESULTS / "README.md").write_text(generated(found), encoding="utf-8")
    if drawn := picture(found):
        (RESULTS / PICTURE).write_text(drawn, encoding="utf-8")
    README.write_text(with_answer(README.read_text(encoding="utf-8"), found), encoding="utf-8")


def with_answer(readme: str, found: Analysis) -> str:
    """Return the text of `README.md` with the current answer between `START` and `END`."""
    before, rest = readme.split(START)
    after = rest.split(END)[1]
    return f"{before}{START}\n\n{answer(found)}\n\n{END}{after}"


if __name__ == "__main__":
    main()
