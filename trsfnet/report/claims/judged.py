"""Claims by subject, and the groups of runs that have something to say about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from trsfnet.experiments.budgets import BUDGETS
from trsfnet.experiments.record import Record
from trsfnet.experiments.studies import planned_number
from trsfnet.paper.claims import Cells, Claim, CollapseRate, Count, Untested, paper_claims
from trsfnet.report.verdicts import NOT_RUN, Verdict, judge
from trsfnet.report.verdicts.evidence import Campaign, campaigns

# By how the names of quantities begin.
_OF_QUANTITY = {
    "tar": "Accuracy",
    "epochs": "Speed of convergence",
    "scale": "Residual scales",
    "ratio": "The role of the branches",
    "slope": "Slopes of PReLU",
}

SUBJECTS = (
    *_OF_QUANTITY.values(),
    "Stability",
    "Counts",
    "The paper's values themselves",
    "What these runs cannot decide",
)
"""In the order of the page."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Runs that may be compared with each other, and what they say about every claim, by its id."""

    campaign: Campaign
    verdicts: dict[str, Verdict]

    @property
    def label(self) -> str:
        """Such as `synthetic`, full."""
        return f"`{self.campaign.track}`, {self._scale}"

    @property
    def plain_label(self) -> str:
        """The same without Markdown."""
        return f"{self.campaign.track}, {self._scale}"

    @property
    def _scale(self) -> str:
        if self.campaign.scale:
            return self.campaign.scale
        return ", ".join(f"{name} {value}" for name, value in self.campaign.departures.items())

    @property
    def records(self) -> list[Record]:
        """The runs, in the order of their settings and seeds."""
        return [self.campaign.runs[key].record for key in sorted(self.campaign.runs)]

    @property
    def missing(self) -> int:
        """How many runs of the scale have not ended yet; its verdicts may change with them."""
        scale, track = self.campaign.scale, self.campaign.track
        return max(0, planned_number(scale, track) - len(self.records)) if scale else 0

    @property
    def size(self) -> str:
        """How many runs there are, such as `54`, or `48 of 96` where some are missing."""
        runs = len(self.records)
        return f"{runs} of {runs + self.missing}" if self.missing else str(runs)

    def words(self, claims: Sequence[Claim]) -> Counter[str]:
        """How many of `claims` have each verdict."""
        return Counter(self.verdicts[claim.id].word for claim in claims)

    def about(self, claims: Sequence[Claim]) -> set[str]:
        """Ids of the claims on which these runs have a word."""
        return {claim.id for claim in claims if self.verdicts[claim.id].word != NOT_RUN}

    @property
    def rank(self) -> tuple[int, str]:
        """Larger scales rank higher, and of equal ones the group with the latest run."""
        scale = self.campaign.scale
        latest = max(str(record.info.get("started", "")) for record in self.records)
        return (list(BUDGETS).index(scale) if scale else -1), latest


def judged(records: Sequence[Record]) -> list[Judged]:
    """Every group of runs that may be compared, by track, the largest scale first."""
    claims = paper_claims()
    found = []
    for campaign in campaigns(records):
        verdicts = judge(claims, [run.record for run in campaign.runs.values()])
        found.append(Judged(campaign, {verdict.claim: verdict for verdict in verdicts}))
    by_rank = sorted(found, key=lambda j: j.rank, reverse=True)
    return sorted(by_rank, key=lambda j: j.campaign.track, reverse=True)


def telling(groups: Sequence[Judged], claims: Sequence[Claim]) -> list[Judged]:
    """The groups to show for `claims`: none that a higher ranking group of its track replaces.

    One group replaces another when it has a word on every claim on which the other has one.
    """
    return [group for group in groups if not any(_replaces(other, group, claims) for other in groups)]


def _replaces(other: Judged, group: Judged, claims: Sequence[Claim]) -> bool:
    same_track = other.campaign.track == group.campaign.track
    return same_track and other.rank > group.rank and other.about(claims) >= group.about(claims)


def by_subject() -> dict[str, list[Claim]]:
    """The paper's claims by what they are about."""
    subjects: dict[str, list[Claim]] = {subject: [] for subject in SUBJECTS}
    for claim in paper_claims():
        subjects[_subject(claim)].append(claim)
    return subjects


def _subject(claim: Claim) -> str:
    match claim.rule:
        case Untested():
            return "What these runs cannot decide"
        case Cells():
            return "The paper's values themselves"
        case CollapseRate():
            return "Stability"
        case Count():
            return "Counts"
    return _OF_QUANTITY[claim.rule.quantity.partition("_")[0]]
