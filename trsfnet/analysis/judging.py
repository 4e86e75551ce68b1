"""Judging claims: from rules and runs to verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.contrasts import POWER, holm
from trsfnet.analysis.findings import ALPHA, Finding, Measured, Outcome, Verdict
from trsfnet.analysis.reach import Reach
from trsfnet.analysis.rules import Rule
from trsfnet.text import p_in_text


def judge(
    rules: Mapping[str, Rule], campaign: ComparableRuns, reaches: Mapping[str, Reach] = MappingProxyType({})
) -> dict[str, Verdict]:
    """Return the verdict of a campaign's runs on every claim, by the names in `rules`.

    - Differences are between means over seeds. Their standard error follows from the spread over seeds,
      which is pooled over all variants with the same network and loss, and for quantities that depend on the
      scales, also with the same kind of scales. It is not pooled for the initial slopes of table 6, whose
      spreads differ too much. `measured` holds each difference with its 95 % interval.
    - Each claim has a one-sided p value for it and one against it. Twice the smaller is its two-sided p
      value. Holm's adjustment over all claims that could be tested on these runs limits the probability of
      any false verdict to 5 %. If the adjusted p value is below 0.05, the claim is *supported* or
      *contradicted*; otherwise it is *inconclusive*.
    - A claim about several differences is supported only if all of them support it, and contradicted if any
      of them contradicts it.
    - If a variant has fewer than three finished seeds, the claim is *inconclusive* regardless of their
      values; if a variant has no run, it is *not run*.
    - A collapsed run has no accuracy, and a run that ended too early may give only a bound. The outcome never
      favours the side of a difference that has more such runs.
    - Absolute values are compared with the paper's only on the paper's own data.
    - Counts, and a collapse where none should occur, need no test.
    - If `reaches` requires more for a claim than the runs' schedule attains, the claim is *out of reach*
      regardless of the results, and is not tested.

    Args:
        rules: the rule of each claim.
        campaign: the runs.
        reaches: what a schedule must reach, for claims that not every schedule can test.
    """
    found = {name: rule.find(campaign) for name, rule in rules.items()}
    for name, finding in found.items():
        lacking = reaches[name].lacking(campaign.regime) if name in reaches else ""
        if lacking and finding.outcome != Outcome.NOT_RUN:
            found[name] = replace(finding, outcome=Outcome.OUT_OF_REACH, reason=lacking)
    tested = {name: finding.p_value for name, finding in found.items() if finding.outcome is None}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    return {name: _verdict(finding, adjusted.get(name), len(tested)) for name, finding in found.items()}


def _verdict(finding: Finding, p_holm: float | None, family: int) -> Verdict:
    # Level of the first step of Holm's procedure: an effect detected there does not depend on other claims.
    alpha = ALPHA / max(1, family) / finding.comparisons
    power = POWER ** (1 / finding.conjunction)
    measured = tuple(Measured.at(comparison, alpha, power) for comparison in finding.measured)
    if finding.outcome or p_holm is None:
        return Verdict(finding.outcome or Outcome.INCONCLUSIVE, finding.reason, measured, family=family)
    outcome, reason = _decided(finding, p_holm)
    return Verdict(
        outcome, reason, measured, finding.p_value, p_holm, family, finding.note, finding.differing
    )


def _decided(finding: Finding, p_holm: float) -> tuple[Outcome, str]:
    """Return the outcome of a tested claim and the reason."""
    p = f"{p_in_text(finding.p_value)}; after Holm's correction, {p_in_text(p_holm)}"
    start = f"{finding.reason}: " if finding.reason else ""
    outcome = Outcome.SUPPORTED if finding.p_for < finding.p_against else Outcome.CONTRADICTED
    if p_holm >= ALPHA:
        return Outcome.INCONCLUSIVE, f"{start}{p}."
    if outcome in finding.barred:
        but = "but more runs of the side in favour collapsed or ended too early"
        return Outcome.INCONCLUSIVE, f"{start}{p}, {but}."
    return outcome, f"{start}{p}."
