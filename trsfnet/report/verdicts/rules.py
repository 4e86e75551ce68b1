"""What each kind of rule finds in runs. Fixed before there were results; see `judge` for how it is used."""

from __future__ import annotations

from collections.abc import Sequence

from scipy import stats

from trsfnet.analysis.contrasts import MIN_SEEDS, Effect, largest_difference
from trsfnet.analysis.paired import PairedShares
from trsfnet.paper.claims import Cells, CollapseRate, Contrast, Count, Rule, Spread, Untested
from trsfnet.paper.numbers import paper_figure, paper_quantities, paper_table
from trsfnet.report.names import counted, listed, short_name
from trsfnet.report.verdicts.evidence import PAPER_TRACK, Campaign
from trsfnet.report.verdicts.findings import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_RUN,
    SUPPORTED,
    Finding,
    Measured,
)

# "No crash" is supported where a collapse is shown to be rarer than this.
RARE = 0.25


def find(rule: Rule, campaign: Campaign) -> Finding:
    """What `rule` finds in the runs of `campaign`."""
    match rule:
        case Contrast():
            return _contrast(rule, campaign)
        case Cells():
            return _cells(rule, campaign)
        case CollapseRate(than=None):
            return _no_collapse(rule.of, campaign)
        case CollapseRate():
            return _fewer_collapses(rule.of, rule.than or [], campaign)
        case Spread():
            return _spread(rule, campaign)
        case Count():
            return _count(rule, campaign)
        case Untested():
            return Finding(NOT_RUN, rule.reason)


def _contrast(rule: Contrast, campaign: Campaign) -> Finding:
    """Every contrast must lie within the bounds.

    For the claim speaks the weakest of its contrasts, so its p value is the largest of theirs, and 1 while
    one of them cannot be tested. Against it speaks any of them, so that is the smallest of theirs times their
    number. The word is not given to a side of which more runs collapsed than of the other, or ended before
    the quantity was reached: those seeds might have been its worst.
    """
    gaps = [_gap([*means.of, *means.than], rule.quantity, campaign) for means in rule.contrasts]
    measured = []
    for means, gap in zip(rule.contrasts, gaps, strict=True):
        effect = None if gap else campaign.effect(means.weights, rule.quantity)
        if effect:
            measured.append((str(means), effect))
    barred = _barred(rule, campaign)
    return _bounded(measured, gaps, rule.above, rule.below, barred=barred)


def _bounded(
    measured: list[tuple[str, Effect]],
    gaps: list[Finding | None],
    above: float | None,
    below: float | None,
    barred: frozenset[str] = frozenset(),
) -> Finding:
    """The finding of "every effect lies above and below the bounds that are given".

    Args:
        measured: the effects that could be tested, by name.
        gaps: for each effect what keeps it from being tested, or None.
        above: lower bound, or None.
        below: upper bound, or None.
        barred: see `Finding`.
    """
    missing = [gap for gap in gaps if gap]
    if not measured:
        # Where a setting was run too seldom, that says more than that another was not run.
        return max(missing, key=lambda gap: gap.word == INCONCLUSIVE)
    effects = [effect for _, effect in measured]
    tests = [(e.p_above(above), e.p_below(above)) for e in effects if above is not None]
    tests += [(e.p_below(below), e.p_above(below)) for e in effects if below is not None]
    return Finding(
        None,
        reason=f"{len(missing)} of {len(gaps)} comparisons cannot be made" if missing else "",
        measured=measured,
        p_for=1.0 if missing else max(p for p, _ in tests),
        p_against=min(1.0, len(effects) * min(p for _, p in tests)),
        barred=barred,
    )


def _barred(rule: Contrast, campaign: Campaign) -> frozenset[str]:
    """The words that a difference in collapsed runs, or in values that are bounds, forbids."""
    barred = set()
    for means in rule.contrasts:
        if means.than:
            subject = sum(campaign.cut_short(s, rule.quantity) for s in means.of) / len(means.of)
            other = sum(campaign.cut_short(s, rule.quantity) for s in means.than) / len(means.than)
            barred |= {SUPPORTED} if subject > other else {CONTRADICTED} if other > subject else set()
    return frozenset(barred)


def _cells(rule: Cells, campaign: Campaign) -> Finding:
    """Every published value lies within the tolerance of what one more run of ours would give.

    The paper's value is one run, so its error has our spread once more. Only on the paper's own data:
    elsewhere the same words name another quantity.
    """
    if campaign.track != PAPER_TRACK:
        return Finding(NOT_RUN, "Absolute values are compared on the paper's own data only.")
    published = {s: v for n in rule.tables for s, v in paper_table(n).by_setting.items()}
    for number in rule.figures:
        published |= {s: float(signs["negative"]) for s, signs in paper_figure(number).cells.items()}
    gaps, measured = [], []
    for setting, value in published.items():
        gap = _gap([setting], rule.quantity, campaign)
        gaps.append(gap)
        mean = None if gap else campaign.effect({setting: 1.0}, rule.quantity)
        if mean:
            error = mean.standard_error * (1 + mean.seeds) ** 0.5
            name = f"{setting} - published"
            measured.append((name, Effect(mean.estimate - value, error, mean.freedom, mean.seeds)))
    return _bounded(measured, gaps, -rule.tolerance, rule.tolerance)


def _spread(rule: Spread, campaign: Campaign) -> Finding:
    """The best setting's mean exceeds the worst's by more than Tukey's range test puts down to chance.

    A difference that is not seen is no proof that there is none, so this is never contradicted.
    """
    gap = _gap(rule.settings, rule.quantity, campaign)
    spread = campaign.spread(rule.settings[0], rule.quantity)
    found = None
    if spread and not gap:
        found = largest_difference([campaign.values(s, rule.quantity) for s in rule.settings], spread)
    if not found:
        return gap or Finding(INCONCLUSIVE, "Too few seeds.")
    effect, p_value = found
    pairs = len(rule.settings) * (len(rule.settings) - 1) // 2
    # Halved, because a finding's p value doubles it, and Tukey's has two sides already.
    return Finding(None, measured=[("best - worst", effect)], p_for=p_value / 2, comparisons=pairs)


def _no_collapse(settings: list[str], campaign: Campaign) -> Finding:
    """One collapse at the standard learning rate refutes "no crash"; none in many runs supports it."""
    runs = [run for s in settings for run in campaign.of(s).values()]
    if not runs:
        return Finding(NOT_RUN, f"No run of {listed([short_name(s) for s in settings])} has ended.")
    fell = sum(run.collapsed for run in runs)
    exact = stats.binomtest(fell, len(runs)).proportion_ci(0.95, "exact")
    rate = fell / len(runs)
    measured = [Measured("share collapsed", rate, float(exact.low), float(exact.high), len(runs), False)]
    if fell:
        return Finding(CONTRADICTED, f"{fell} of {counted(len(runs), 'run')} collapsed.", measured)
    reason = f"None of {counted(len(runs), 'run')} collapsed"
    if len(runs) < MIN_SEEDS:
        return Finding(INCONCLUSIVE, f"{reason}; {MIN_SEEDS} runs are needed.", measured)
    return Finding(None, reason, measured, p_for=(1 - RARE) ** len(runs))


def _fewer_collapses(of: list[str], than: list[str], campaign: Campaign) -> Finding:
    """Runs that differ in nothing but the setting, of which one collapsed and the other did not: a sign test.

    Over all learning rates that were tried, paired by rate and seed.
    """
    measured: list[tuple[str, PairedShares]] = []
    p_for, p_against = 0.0, 1.0
    compared = [(a, b) for a in of for b in than]
    for a, b in compared:
        first, second = campaign.outcomes(a), campaign.outcomes(b)
        common = first.keys() & second.keys()
        if not common:
            return Finding(NOT_RUN, f"No run of {short_name(a)} has its like of {short_name(b)}.")
        shares = PairedShares(
            only_first=sum(first[k] and not second[k] for k in common),
            only_second=sum(second[k] and not first[k] for k in common),
            pairs=len(common),
        )
        measured.append((f"share collapsed, {a} - {b}", shares))
        p_for, p_against = max(p_for, shares.p_less), min(p_against, shares.p_more)
    if p_for == p_against == 1:
        return Finding(INCONCLUSIVE, "All runs that differ in the setting alone ended alike.", measured)
    return Finding(None, "", measured, p_for, min(1.0, len(compared) * p_against))


def _count(rule: Count, campaign: Campaign) -> Finding:
    """The counts in the records are the paper's, rounded to its unit."""
    found: dict[str, int] = {}
    for run in campaign.runs.values():
        config, counts = run.record.config, run.record.info.get("counts", {})
        has = {"parameters": config["width"] == 1, "scales": config["trsf"]}
        if counts and has.get(rule.count, config["activation"] == "prelu"):
            # Trainable slopes and scales are themselves parameters, too few to matter to the millions.
            found[config["arch"]] = counts[rule.count]
    missing = [arch for arch in rule.quantities if arch not in found]
    if missing:
        return Finding(NOT_RUN, f"No run of {listed(missing)} has such {rule.count} to count.")
    ours = {arch: round(found[arch] / rule.unit) for arch in rule.quantities}
    papers = {arch: paper_quantities()[name].value for arch, name in rule.quantities.items()}
    measured = [Measured(f"{rule.count} of {arch}", found[arch], None, None, 1, False) for arch in ours]
    text = listed([f"{found[arch]:,} in {arch}" for arch in ours])
    return Finding(SUPPORTED if ours == papers else CONTRADICTED, f"Counted: {text}.", measured)


def _gap(settings: Sequence[str], quantity: str, campaign: Campaign) -> Finding | None:
    """A finding at once where one of the settings was not run, or too seldom."""
    absent = [s for s in settings if not campaign.of(s)]
    if absent:
        others = f" and {counted(len(absent) - 1, 'other setting')}" if len(absent) > 1 else ""
        return Finding(NOT_RUN, f"No run of {short_name(absent[0])}{others} has ended.")
    few = {s: n for s in settings if (n := len(campaign.values(s, quantity))) < MIN_SEEDS}
    if not few:
        return None
    setting = min(few, key=lambda s: few[s])
    lost = campaign.lost(setting)
    fell = f" ({lost} collapsed)" if lost else ""
    finished = counted(few[setting], "finished seed")
    return Finding(
        INCONCLUSIVE, f"{short_name(setting)} has {finished} to measure{fell}; {MIN_SEEDS} are needed."
    )
