"""What the runs say about the paper's claims, by a rule that was stated before they were made."""

from __future__ import annotations

from dataclasses import dataclass

from trsfnet.experiments.paper import paper_table
from trsfnet.report.collection import Group
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.intervals import Interval, difference
from trsfnet.report.names import (
    MEASURE_NAMES,
    SETTINGS,
    counted,
    listed,
    points,
    short_name,
)

SUPPORTED, CONTRADICTED, INCONCLUSIVE, OPEN = "supported", "contradicted", "inconclusive", "open"

_RULE = (
    "The paper says that each change raises TAR above the original network's. On one track, that is "
    f"**{SUPPORTED}** where the 95 % interval of the difference of means over seeds (Welch's t) lies above "
    f"zero, **{CONTRADICTED}** where it lies below zero, and **{INCONCLUSIVE}** where it holds zero. With "
    f"fewer than two finished seeds on either side there is no interval and the claim stays **{OPEN}**: "
    "one seed shows nothing that another might not undo."
)


@dataclass(frozen=True)
class Comparison:
    """One setting against the original network on one track.

    Attributes:
        setting: such as `v1-trsf-prelu`.
        seeds: finished seeds of the setting and of the original network.
        gap: difference of their means, None if either has none.
        interval: of the difference, None with fewer than two seeds on either side.
    """

    setting: str
    seeds: tuple[int, int]
    gap: float | None
    interval: Interval | None

    @property
    def verdict(self) -> str:
        """One of the four words of the rule."""
        if self.interval is None:
            return OPEN
        if self.interval.low > 0:
            return SUPPORTED
        return CONTRADICTED if self.interval.high < 0 else INCONCLUSIVE


def comparisons(group: Group) -> list[Comparison]:
    """Every setting of a group but the original network, against it, in the measure of the track."""
    original = group.values(group.baseline, group.measure)
    found = []
    for setting in list(group.cells)[1:]:
        values = group.values(setting, group.measure)
        gap = sum(values) / len(values) - sum(original) / len(original) if values and original else None
        found.append(Comparison(setting, (len(values), len(original)), gap, difference(values, original)))
    return found


def rule() -> Markdown:
    """When a claim counts as supported."""
    return Markdown(_RULE)


def differences(groups: list[Group]) -> Markdown:
    """The difference of each setting to the original network: the paper's, and ours on each track."""
    paper = paper_table(groups[0].table)
    original = paper.cells[groups[0].baseline]
    ours = [comparisons(group) for group in groups]
    rows = []
    for i, setting in enumerate(list(groups[0].cells)[1:]):
        gap = points((paper.cells[setting] - original) / 100)
        cells = [cell for compared in ours for cell in _cells(compared[i])]
        rows.append((SETTINGS[setting].name, gap, *cells))
    header = ["Setting", "Paper"]
    for group in groups:
        header += [f"`{group.track}`: {MEASURE_NAMES[group.measure]}", "Verdict"]
    caption = f"Difference to {SETTINGS[groups[0].baseline].name}, in percentage points (95 % interval)."
    return Markdown(captioned(caption, f"differences-{groups[0].table}", table(header, rows)))


def _cells(compared: Comparison) -> tuple[str, str]:
    if compared.gap is None:
        return "–", compared.verdict
    interval = compared.interval
    bounds = f"{points(interval.low)} to {points(interval.high)}" if interval else "no interval"
    return f"{points(compared.gap)} ({bounds})", compared.verdict


def verdict(groups: list[Group]) -> Markdown:
    """One sentence for each track."""
    return Markdown("\n".join(f"- `{group.track}`: {sentence(group)}" for group in groups))


def sentence(group: Group) -> str:
    """What a group of runs says about the paper's claims, in one sentence."""
    compared = comparisons(group)
    done = sum(len(group.values(setting, group.measure)) for setting in group.cells)
    if not done:
        return "no run has finished, so nothing can be said."
    if all(c.verdict == OPEN for c in compared):
        return (
            f"{counted(done, 'run')} finished, but no setting and the original network have two seeds each: "
            "nothing can be concluded."
        )
    words = []
    for verdict_word in (SUPPORTED, CONTRADICTED, INCONCLUSIVE, OPEN):
        names = [_named(c) for c in compared if c.verdict == verdict_word]
        if names:
            words.append(f"{verdict_word} for {listed(names)}")
    return f"the claim of a higher TAR is {'; '.join(words)}."


def _named(compared: Comparison) -> str:
    name = short_name(compared.setting)
    if compared.interval is None:
        return name
    low, high = points(compared.interval.low), points(compared.interval.high)
    return f"{name} ({points(compared.gap or 0.0)} points, {low} to {high})"
