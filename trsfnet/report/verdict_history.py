"""The history of the verdicts on the committed results: what changed, when and why.

`python -m trsfnet.report.verdict_history "why they changed" --title "in a few words"` adds the current
verdicts to the history if they differ from the last ones.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trsfnet.analysis import Analysis, load
from trsfnet.analysis.rules import paper_rules
from trsfnet.experiments.budgets import BUDGETS, is_study
from trsfnet.paper.claims import claims_by_id
from trsfnet.report.claims.tables import SIGNS, claim_link
from trsfnet.report.display import Markdown, captioned, folded, table
from trsfnet.report.names import TRACKS, name_of_campaign, short_track
from trsfnet.text import NBSP, counted

FILE = Path(__file__).with_suffix(".json")
# Track and budget of each campaign of the history.
_PARTS = {f"{track}, {size}": (track, size) for track in TRACKS for size in BUDGETS}
RESULTS = Path(__file__).parents[2] / "results"

Outcomes = dict[str, dict[str, str]]
"""Outcomes by campaign, such as `lfw, short`, and claim id, without claims that were not run.

The campaigns of a track are in descending order of their budgets.
"""


@dataclass(frozen=True)
class Reason:
    """Why verdicts changed, or why those of a new campaign differ from those of another budget.

    Attributes:
        text: the reason, in a sentence.
        claims: ids of the claims whose verdicts it explains.
        campaigns: the campaigns in which it explains them.
    """

    text: str
    claims: tuple[str, ...]
    campaigns: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """The verdicts that held from a certain date.

    Attributes:
        date: date in ISO format, such as `2026-11-28`.
        why: reason why the verdicts differ from those of the previous stage, in a sentence.
        outcomes: all verdicts.
        reasons: the reason for each change, and for the verdicts of a new campaign that differ from those of
            another budget or are the same for another reason.
        title: the reason in a few words, as a heading; may be empty.
    """

    date: str
    why: str
    outcomes: Outcomes
    reasons: tuple[Reason, ...] = ()
    title: str = ""

    def reason(self, campaign: str, claim: str) -> str:
        """Return the reason for the verdict of a campaign on a claim; empty if there is none."""
        found = (one.text for one in self.reasons if campaign in one.campaigns and claim in one.claims)
        return next(found, "")


@dataclass(frozen=True)
class Change:
    """A verdict that changed.

    Attributes:
        campaign: name of the campaign, such as `lfw, short`.
        claim: id of the claim.
        before: outcome before the change.
        after: outcome after the change.
    """

    campaign: str
    claim: str
    before: str
    after: str


@dataclass(frozen=True)
class Standing:
    """The verdict on a claim by the largest budget of a track that tests it.

    Attributes:
        campaign: name of the campaign, such as `lfw, full`.
        outcome: its outcome.
    """

    campaign: str
    outcome: str


@dataclass(frozen=True)
class ChangedVerdict:
    """A claim on which the verdict of a track today differs from the first one.

    Attributes:
        track: name of the track.
        claim: id of the claim.
        first: the first verdict.
        now: the verdict today.
        reason: why the verdict is now another; empty if the history does not say.
    """

    track: str
    claim: str
    first: Standing
    now: Standing
    reason: str


def stages() -> list[Stage]:
    """Return the stages of the history, earliest first."""
    return [_stage(**entry) for entry in json.loads(FILE.read_text(encoding="utf-8"))]


def _stage(
    date: str, why: str, outcomes: Outcomes, reasons: Sequence[Mapping[str, Any]], title: str
) -> Stage:
    found = (Reason(one["text"], tuple(one["claims"]), tuple(one["campaigns"])) for one in reasons)
    return Stage(date, why, outcomes, tuple(found), title)


def present(found: Analysis) -> Outcomes:
    """Return the current verdicts of the campaigns that can test any claim.

    If several campaigns have the same name, the first one counts.
    """
    ids = list(paper_rules())
    outcomes: Outcomes = {}
    for campaign in found.campaigns_on(ids):
        of_campaign = outcomes.setdefault(f"{campaign.track}, {campaign.size_name}", {})
        for claim in ids:
            if claim in campaign.decides(ids):
                of_campaign.setdefault(claim, str(campaign.verdicts[claim].outcome))
    return outcomes


def changes(before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]) -> list[Change]:
    """Return the verdicts that differ, for campaigns in both; a missing verdict counts as `not run`."""
    return [
        Change(campaign, claim, old, new)
        for campaign in after
        if campaign in before
        for claim in dict.fromkeys((*before[campaign], *after[campaign]))
        if (old := before[campaign].get(claim, "not run")) != (new := after[campaign].get(claim, "not run"))
    ]


def changed_since_first(found: Sequence[Stage], outcomes: Outcomes) -> list[ChangedVerdict]:
    """Return the claims whose verdict on a track today differs from the first one there.

    Args:
        found: the stages of the history, earliest first.
        outcomes: the verdicts today, which may differ from those of the last stage.
    """
    first: dict[tuple[str, str], Standing] = {}
    latest: dict[tuple[str, str], Standing] = {}
    reasons: dict[tuple[str, str], str] = {}
    newer = Reason("These runs are newer than the history.", tuple(claims_by_id()), tuple(_PARTS))
    for stage in (*found, Stage("", "", outcomes, (newer,))):
        for key, standing in _standings(stage.outcomes).items():
            first.setdefault(key, standing)
            before = latest.get(key, standing)
            reason = stage.reason(standing.campaign, key[1]) if standing != before else ""
            # A larger budget may have the same verdict for another reason.
            if reason or standing.outcome != before.outcome:
                reasons[key] = reason
            latest[key] = standing
    return [
        ChangedVerdict(*key, first[key], now, reasons[key])
        for key, now in _standings(outcomes).items()
        if now.outcome != first[key].outcome
    ]


def _standings(outcomes: Outcomes) -> dict[tuple[str, str], Standing]:
    """Return the verdict of the largest budget by track and claim."""
    found: dict[tuple[str, str], Standing] = {}
    for campaign, verdicts in outcomes.items():
        if campaign in _PARTS:
            for claim, outcome in verdicts.items():
                found.setdefault((_PARTS[campaign][0], claim), Standing(campaign, outcome))
    return found


def then_and_now(found: Analysis) -> Markdown:
    """Tabulate the claims whose verdict on a track differs from the first one there, with the reason."""
    changed = changed_since_first(stages(), present(found))
    if not changed:
        return Markdown("Every claim has the verdict that it had first.")
    rows = [
        (claim_link(t.claim), short_track(t.track), _standing(t.first), _standing(t.now), t.reason)
        for t in changed
    ]
    caption = (
        "Claims whose verdict on a track differs from the first one there. If several budgets test a claim, "
        "the largest counts. If a verdict changed several times, the reason is that of the last change."
    )
    header = ("Claim", "Track", "First verdict", "Verdict now", "Reason")
    return Markdown(captioned(caption, "verdicts-then-and-now", table(header, rows)))


def _standing(standing: Standing) -> str:
    return f"{_signed(standing.outcome)} ({_PARTS[standing.campaign][1]})"


def history(found: Sequence[Stage]) -> Markdown:
    """List the stages, latest first, with date, reason and the verdicts that changed."""
    parts = []
    for earlier, stage in zip([None, *found], found, strict=False):
        heading = f"{stage.date}: {stage.title}" if stage.title else stage.date
        parts.append(f"## {heading}\n\n{stage.why}\n\n{_what(earlier, stage)}")
    return Markdown("\n\n".join(reversed(parts)))


def _what(earlier: Stage | None, stage: Stage) -> str:
    if earlier is None:
        number = sum(map(len, stage.outcomes.values()))
        return f"These are the first {counted(number, 'verdict')} of the history."
    changed = changes(earlier.outcomes, stage.outcomes)
    new = [campaign for campaign in stage.outcomes if campaign not in earlier.outcomes]
    gone = [campaign for campaign in earlier.outcomes if campaign not in stage.outcomes]
    said = [f"New runs: {', '.join(map(_name, new))}."] if new else []
    said += (
        [f"{'Replaced by them' if new else 'No longer shown'}: {', '.join(map(_name, gone))}."]
        if gone
        else []
    )
    said += [text for campaign in new for text in _differences(campaign, stage, earlier.outcomes)]
    if not changed:
        return "\n\n".join([*said, "No earlier verdict changed." if new else "No verdict changed."])
    rows = [
        (
            claims_by_id()[c.claim].statement,
            _name(c.campaign),
            _signed(c.before),
            _signed(c.after),
            stage.reason(c.campaign, c.claim),
        )
        for c in changed
    ]
    header = ("Claim", "Runs", "Before", "After", "Reason")
    dropdown = folded(f"{counted(len(changed), 'verdict')} changed", table(header, rows))
    return "\n\n".join([*said, dropdown])


def _differences(campaign: str, stage: Stage, before: Outcomes) -> Iterator[str]:
    """Tabulate which verdicts of a new campaign differ from those of other budgets on the same track."""
    for other in before:
        if _of_tables(campaign) and _of_tables(other) and _PARTS[campaign][0] == _PARTS[other][0]:
            others = stage.outcomes.get(other, before[other])
            rows = [
                (
                    claims_by_id()[claim].statement,
                    _signed(earlier),
                    _signed(outcome),
                    stage.reason(campaign, claim),
                )
                for claim, outcome in stage.outcomes[campaign].items()
                if (earlier := others.get(claim, outcome)) != outcome
            ]
            if rows:
                verb = "differs" if len(rows) == 1 else "differ"
                title = f"{counted(len(rows), 'verdict')} of the new runs {verb} from those of {_name(other)}"
                yield folded(title, table(("Claim", _name(other), _name(campaign), "Reason"), rows))


def _of_tables(campaign: str) -> bool:
    """Return whether a campaign's budget is known and not that of a separate study."""
    return campaign in _PARTS and not is_study(_PARTS[campaign][1])


def _name(campaign: str) -> str:
    """Return the name of a campaign for readers, from the one in the history."""
    if campaign not in _PARTS:
        return campaign
    track, size = _PARTS[campaign]
    return name_of_campaign(track, f"{size} budget")


def _signed(outcome: str) -> str:
    return f"{next(sign for word, sign in SIGNS.items() if word == outcome)}{NBSP}{outcome}"


def add(why: str, outcomes: Outcomes, title: str = "") -> list[Change]:
    """Add a stage dated today if the outcomes differ from the last stage, and return the changed verdicts.

    Its `why` becomes the reason for every verdict, to be replaced in `FILE` where a verdict has its own.
    """
    found = stages()
    changed = changes(found[-1].outcomes, outcomes)
    if outcomes != found[-1].outcomes:
        new = outcomes.keys() - found[-1].outcomes.keys()
        claims = {one.claim for one in changed}.union(*(outcomes[campaign] for campaign in new))
        reason = Reason(why, tuple(sorted(claims)), tuple(sorted({one.campaign for one in changed} | new)))
        found.append(Stage(f"{datetime.now(UTC):%Y-%m-%d}", why, outcomes, (reason,), title))
        write(found)
    return changed


def write(found: Sequence[Stage]) -> None:
    """Write the whole history to `FILE`."""
    text = json.dumps([asdict(stage) for stage in found], indent=1, ensure_ascii=False)
    FILE.write_text(f"{text}\n", encoding="utf-8")


def main() -> None:
    """Add the current verdicts to the history and print the changes."""
    parser = argparse.ArgumentParser(description="Add the current verdicts to the history if they changed.")
    parser.add_argument("reason", help="why they changed, in a sentence")
    parser.add_argument("--title", default="", help="the reason in a few words, for the heading")
    given = parser.parse_args()
    if not given.reason.strip():
        parser.error("Say why the verdicts changed.")
    for change in add(given.reason.strip(), present(load(RESULTS)), given.title):
        print(f"{change.campaign}, {change.claim}: {change.before}, now {change.after}")


if __name__ == "__main__":
    main()
