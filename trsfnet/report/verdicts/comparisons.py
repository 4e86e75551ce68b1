"""The rows of the paper's tables on our tracks: what each row says, and what the runs say to it."""

from __future__ import annotations

from dataclasses import dataclass

from trsfnet.analysis.contrasts import Effect
from trsfnet.evaluation.statistics import Interval
from trsfnet.paper.claims import Claim, Contrast, Means, claims_by_id, paper_claims
from trsfnet.report.collection import Group
from trsfnet.report.verdicts.evidence import Campaign, campaigns
from trsfnet.report.verdicts.findings import NOT_RUN, Verdict
from trsfnet.report.verdicts.judge import judge

# The claim whose bounds say what "around 1" is, for each row of the tables of mean scales.
_AROUND_1 = "scales-around-1"


@dataclass(frozen=True)
class Row:
    """One setting of a table on one track.

    Attributes:
        setting: such as `v1-trsf-prelu`.
        values: of the table's quantity, by finished seed.
        mean: over seeds, with an error from the spread of all settings; None with fewer than two seeds.
        gap: how far it goes the way that the paper says, with one seed even; None if there is nothing to
            compare. See `questions`.
        gap_interval: at 95 %, by itself; None with fewer than two seeds on either side.
        verdict: `supported`, `contradicted`, `inconclusive` or `not run`; empty where the row says nothing.
        reason: of the verdict, in one sentence.
        p_holm: adjusted p value of the verdict; None where nothing was tested.
    """

    setting: str
    values: dict[int, float]
    mean: Effect | None
    gap: float | None
    gap_interval: Interval | None
    verdict: str = ""
    reason: str = ""
    p_holm: float | None = None

    @property
    def value(self) -> float | None:
        """The mean over finished seeds; None without."""
        return sum(self.values.values()) / len(self.values) if self.values else None


def questions(group: Group) -> dict[str, Contrast]:
    """What each row of a table says, by setting; the row that the others are compared with says nothing.

    In tables 1 to 3 a setting is better than the first, in table 6 the paper's best start is better than
    another, in tables 4 and 5 the mean scale is around 1, as wide as the claim on all of them is read.
    """
    if group.quantity == "scale_mean":
        around = claims_by_id()[_AROUND_1].rule
        return {
            setting: Contrast("scale_mean", [Means([setting])], around.above, around.below)
            for setting in group.cells
        }
    others = [setting for setting in group.cells if setting != group.baseline]
    pairs = {s: (group.baseline, s) if group.table == 6 else (s, group.baseline) for s in others}
    return {s: Contrast("tar", [Means([of], [than])], above=0) for s, (of, than) in pairs.items()}


def claim_on(rule: Contrast) -> Claim | None:
    """The paper's claim that asks just what a row does, if there is one."""
    return next((claim for claim in paper_claims() if claim.rule == rule), None)


def rows(group: Group) -> list[Row]:
    """Every row of a table on one track, in the paper's order.

    Verdicts are those of `judge`, adjusted for the rows of the table. Where a claim of the paper asks just
    what a row does, its verdict stands there, so that no question has two answers.
    """
    campaign = _campaign(group)
    asked = questions(group)
    if campaign is None:
        words = {setting: NOT_RUN for setting in asked}
        return [Row(s, {}, None, None, None, words.get(s, "")) for s in group.cells]
    judged = _judged(asked, campaign)
    return [
        _row(setting, group.quantity, asked.get(setting), judged.get(setting), campaign)
        for setting in group.cells
    ]


def comparisons(group: Group) -> list[Row]:
    """The rows of a table that say something."""
    return [row for row in rows(group) if row.verdict]


def _campaign(group: Group) -> Campaign | None:
    """The group's runs among all that may be compared with them; None before one of them has ended."""
    found = campaigns(group.track_records)
    return next((c for c in found if any(run.record in group.records for run in c.runs.values())), None)


def _judged(asked: dict[str, Contrast], campaign: Campaign) -> dict[str, Verdict]:
    """The verdict on each row, by setting."""
    records = [run.record for run in campaign.runs.values()]
    claimed = {setting: claim.id for setting, rule in asked.items() if (claim := claim_on(rule))}
    own = [Claim(s, "row", "", (), rule) for s, rule in asked.items() if s not in claimed]
    found = {verdict.claim: verdict for verdict in judge(own, records)}
    if claimed:
        of_claims = {verdict.claim: verdict for verdict in judge(paper_claims(), records)}
        found |= {setting: of_claims[claim] for setting, claim in claimed.items()}
    return found


def _row(
    setting: str, quantity: str, asked: Contrast | None, verdict: Verdict | None, campaign: Campaign
) -> Row:
    means = asked.contrasts[0] if asked else None
    difference = campaign.effect(means.weights, quantity) if means and means.than else None
    return Row(
        setting,
        campaign.values(setting, quantity),
        campaign.effect({setting: 1.0}, quantity),
        _gap(means, quantity, campaign) if means and means.than else None,
        difference.interval if difference else None,
        verdict.word if verdict else "",
        verdict.reason if verdict else "",
        verdict.p_holm if verdict else None,
    )


def _gap(means: Means, quantity: str, campaign: Campaign) -> float | None:
    """The weighted sum of means; None where a setting has no finished seed."""
    values = {s: list(campaign.values(s, quantity).values()) for s in means.weights}
    if not all(values.values()):
        return None
    return sum(weight * sum(values[s]) / len(values[s]) for s, weight in means.weights.items())
