"""From rules and runs to verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from trsfnet.analysis.contrasts import POWER, holm
from trsfnet.analysis.findings import ALPHA, Finding, Measured, Outcome, Verdict
from trsfnet.analysis.reach import Reach
from trsfnet.analysis.rules import Rule

if TYPE_CHECKING:
    from trsfnet.analysis.campaign import Campaign


def judge(
    rules: Mapping[str, Rule], campaign: Campaign, reaches: Mapping[str, Reach] = MappingProxyType({})
) -> dict[str, Verdict]:
    """The verdict of a campaign's runs on every claim, by the names of the rules that decide them.

    - Differences are between means over seeds. Their error follows from the spread over seeds, pooled over
      all variants with the same network and loss, and for what scales do also of the same kind of scales.
      `measured` has each with its 95 % interval.
    - A claim has a p value for it and one against it. Doubled, the smaller is its two-sided p value, and
      Holm's adjustment over all claims that could be tested on these runs keeps the rate of any false
      verdict at 5 %. Below 0.05 after it, the claim is *supported* or *contradicted*, else *inconclusive*.
    - A claim about several differences is supported by all of them and contradicted by any.
    - With fewer than three finished seeds of a variant it is *inconclusive* whatever they show; with no run
      at all it is *not run*.
    - A collapsed run has no accuracy, and of one that ended too early only a bound may be known. The outcome
      is not given to the side of a difference with more such runs.
    - Values themselves are compared with the paper's on the paper's own data only.
    - Counts, and a collapse where there should be none, need no test.
    - What `reaches` says that the runs' schedule cannot reach is *out of reach*, whatever they show, and is
      not tested.
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
    # The first step of Holm's procedure: what is seen there is seen whatever the other claims give.
    alpha = ALPHA / max(1, family) / finding.comparisons
    power = POWER ** (1 / finding.conjunction)
    measured = tuple(Measured.at(comparison, alpha, power) for comparison in finding.measured)
    if finding.outcome or p_holm is None:
        return Verdict(finding.outcome or Outcome.INCONCLUSIVE, finding.reason, measured, family=family)
    outcome, reason = _decided(finding, p_holm)
    reason = f"{reason} {finding.note}".rstrip()
    return Verdict(outcome, reason, measured, finding.p_value, p_holm, family)


def _decided(finding: Finding, p_holm: float) -> tuple[Outcome, str]:
    """The outcome of a tested claim and why."""
    p = f"p {_small(finding.p_value)}, {_small(p_holm)} after Holm's adjustment"
    start = f"{finding.reason}: " if finding.reason else ""
    outcome = Outcome.SUPPORTED if finding.p_for < finding.p_against else Outcome.CONTRADICTED
    if p_holm >= ALPHA:
        return Outcome.INCONCLUSIVE, f"{start}{p}."
    if outcome in finding.barred:
        but = "but more runs of the side in favour collapsed or ended too early"
        return Outcome.INCONCLUSIVE, f"{start}{p}, {but}."
    return outcome, f"{start}{p}."


def _small(p: float) -> str:
    return "below 0.0001" if p < 1e-4 else f"{p:.2g}"
