"""The history of the verdicts on the committed results: what changed, when and why.

`python -m trsfnet.report.verdict_history "why they changed"` adds the current verdicts to the history if
they differ from the last ones.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from trsfnet.analysis import Analysis, load
from trsfnet.analysis.rules import paper_rules
from trsfnet.experiments.budgets import BUDGETS, is_study
from trsfnet.paper.claims import claims_by_id
from trsfnet.report.claims.tables import SIGNS
from trsfnet.report.display import Markdown, folded, table
from trsfnet.report.names import TRACKS, name_of_campaign
from trsfnet.text import NBSP, counted

FILE = Path(__file__).with_suffix(".json")
# Track and budget of each campaign of the history.
_PARTS = {f"{track}, {size}": (track, size) for track in TRACKS for size in BUDGETS}
RESULTS = Path(__file__).parents[2] / "results"

Outcomes = dict[str, dict[str, str]]
"""Outcomes by campaign, such as `lfw, short`, and claim id, without claims that were not run."""


@dataclass(frozen=True)
class Stage:
    """The verdicts that held from a certain date.

    Attributes:
        date: date in ISO format, such as `2026-11-28`.
        why: reason why the verdicts differ from those of the previous stage, in a sentence.
        outcomes: all verdicts.
        reasons: reasons for individual changes, by claim id, where `why` does not explain them.
    """

    date: str
    why: str
    outcomes: Outcomes
    reasons: dict[str, str] = field(default_factory=dict)


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


def stages() -> list[Stage]:
    """Return the stages of the history, earliest first."""
    return [Stage(**stage) for stage in json.loads(FILE.read_text(encoding="utf-8"))]


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


def history(found: Sequence[Stage]) -> Markdown:
    """List the stages, latest first, with date, reason and the verdicts that changed."""
    parts = []
    for earlier, stage in zip([None, *found], found, strict=False):
        parts.append(f"## {stage.date}\n\n{stage.why}\n\n{_what(earlier, stage)}")
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
    said += [text for campaign in new for text in _differences(campaign, stage.outcomes, earlier.outcomes)]
    if not changed:
        return "\n\n".join([*said, "No earlier verdict changed." if new else "No verdict changed."])
    rows = [
        (
            claims_by_id()[c.claim].statement,
            _name(c.campaign),
            _signed(c.before),
            _signed(c.after),
            stage.reasons.get(c.claim, ""),
        )
        for c in changed
    ]
    # Omit the column of reasons if it is empty.
    columns = 5 if any(row[4] for row in rows) else 4
    header = ("Claim", "Runs", "Before", "After", "Reason")[:columns]
    dropdown = folded(
        f"{counted(len(changed), 'verdict')} changed", table(header, [row[:columns] for row in rows])
    )
    return "\n\n".join([*said, dropdown])


def _differences(campaign: str, after: Outcomes, before: Outcomes) -> Iterator[str]:
    """Tabulate which verdicts of a new campaign differ from those of other budgets on the same track."""
    for other in before:
        if _of_tables(campaign) and _of_tables(other) and _PARTS[campaign][0] == _PARTS[other][0]:
            others = after.get(other, before[other])
            rows = [
                (claims_by_id()[claim].statement, _signed(earlier), _signed(outcome))
                for claim, outcome in after[campaign].items()
                if (earlier := others.get(claim, outcome)) != outcome
            ]
            if rows:
                verb = "differs" if len(rows) == 1 else "differ"
                title = f"{counted(len(rows), 'verdict')} of the new runs {verb} from those of {_name(other)}"
                yield folded(title, table(("Claim", _name(other), _name(campaign)), rows))


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


def add(why: str, outcomes: Outcomes) -> list[Change]:
    """Add a stage dated today if the outcomes differ from the last stage, and return the changed verdicts."""
    found = stages()
    changed = changes(found[-1].outcomes, outcomes)
    if outcomes != found[-1].outcomes:
        found.append(Stage(f"{datetime.now(UTC):%Y-%m-%d}", why, outcomes))
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
    reason = parser.parse_args().reason.strip()
    if not reason:
        parser.error("Say why the verdicts changed.")
    for change in add(reason, present(load(RESULTS))):
        print(f"{change.campaign}, {change.claim}: {change.before}, now {change.after}")


if __name__ == "__main__":
    main()
