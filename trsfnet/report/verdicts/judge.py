"""From claims and run records to verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.analysis.contrasts import holm
from trsfnet.analysis.paired import PairedShares
from trsfnet.experiments.record import Record
from trsfnet.paper.claims import Claim, Contrast
from trsfnet.paper.numbers import paper_quantities
from trsfnet.report.verdicts.evidence import Campaign, campaigns
from trsfnet.report.verdicts.findings import (
    ALPHA,
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_RUN,
    SUPPORTED,
    Finding,
    Measured,
    Verdict,
)
from trsfnet.report.verdicts.rules import find


def judge(claims: Sequence[Claim], records: Sequence[Record]) -> list[Verdict]:
    """A verdict on every claim from each group of runs that may be compared.

    Runs may be compared that share a track and a protocol (data, sizes, schedule); a track that was run in
    two protocols has two verdicts on each claim. The rules:

    - Differences are between means over seeds. Their error follows from the spread over seeds, pooled over
      all settings with the same network and loss, and for what scales do also of the same kind of scales.
      `measured` has each with its 95 % interval.
    - A claim has a p value for it and one against it. Doubled, the smaller is its two-sided p value, and
      Holm's adjustment over all claims that could be tested on these runs keeps the rate of any false
      verdict at 5 %. Below 0.05 after it, the claim is *supported* or *contradicted*, else *inconclusive*.
    - A claim about several differences is supported by all of them and contradicted by any.
    - With fewer than three finished seeds of a setting it is *inconclusive* whatever they show; with no run
      at all it is *not run*.
    - A collapsed run has no accuracy, and of one that ended too early only a bound may be known. The word is
      not given to the side of a difference with more such runs.
    - Values themselves are compared with the paper's on the paper's own data only.
    - Counts, and a collapse where there should be none, need no test.

    Returns:
        In the order of the claims, and for each of the groups; without any run, one `not run` for each.
    """
    groups = campaigns(records)
    if not groups:
        return [
            Verdict(c.id, "", None, {}, NOT_RUN, "No run has ended.", published=_published(c)) for c in claims
        ]
    by_group = [_judge_group(claims, group) for group in groups]
    return [verdict for verdicts in zip(*by_group, strict=True) for verdict in verdicts]


def _judge_group(claims: Sequence[Claim], group: Campaign) -> list[Verdict]:
    found = [find(claim.rule, group) for claim in claims]
    tested = [i for i, finding in enumerate(found) if finding.word is None]
    adjusted = dict(zip(tested, holm([found[i].p_value for i in tested]), strict=True))
    return [
        _verdict(claim, group, finding, adjusted.get(i), len(tested))
        for i, (claim, finding) in enumerate(zip(claims, found, strict=True))
    ]


def _verdict(claim: Claim, group: Campaign, finding: Finding, p_holm: float | None, family: int) -> Verdict:
    word, reason = (finding.word, finding.reason) if p_holm is None else _decided(finding, p_holm)
    return Verdict(
        claim=claim.id,
        track=group.track,
        scale=group.scale,
        departures=group.departures,
        word=word,
        reason=reason,
        measured=_measured(finding, family),
        p_value=None if p_holm is None else finding.p_value,
        p_holm=p_holm,
        family=family,
        published=_published(claim),
    )


def _decided(finding: Finding, p_holm: float) -> tuple[str, str]:
    """The word of a tested claim and why."""
    p = f"p {_small(finding.p_value)}, {_small(p_holm)} after Holm's adjustment"
    start = f"{finding.reason}: " if finding.reason else ""
    word = SUPPORTED if finding.p_for < finding.p_against else CONTRADICTED
    if p_holm >= ALPHA:
        return INCONCLUSIVE, f"{start}{p}."
    if word in finding.barred:
        return INCONCLUSIVE, f"{start}{p}, but more runs of the side in favour collapsed or ended too early."
    return word, f"{start}{p}."


def _measured(finding: Finding, family: int) -> tuple[Measured, ...]:
    # The first step of Holm's procedure: what is seen there is seen whatever the other claims give.
    alpha = ALPHA / max(1, family) / finding.comparisons
    made = []
    for entry in finding.measured:
        if isinstance(entry, Measured):
            made.append(entry)
            continue
        name, effect = entry
        interval, paired = effect.interval, isinstance(effect, PairedShares)
        made.append(
            Measured(
                name,
                effect.estimate,
                interval.low,
                interval.high,
                effect.pairs if paired else effect.seeds,
                paired,
                effect.detectable(alpha),
            )
        )
    return tuple(made)


def _published(claim: Claim) -> float | None:
    """The paper's value of a claim on a difference of shares."""
    if isinstance(claim.rule, Contrast) and claim.rule.published:
        return paper_quantities()[claim.rule.published].share
    return None


def _small(p: float) -> str:
    return "below 0.0001" if p < 1e-4 else f"{p:.2g}"
