"""Tables 1 and 2 on our tracks: every setting against the original network."""

from __future__ import annotations

from dataclasses import dataclass

from trsfnet.evaluation.statistics import Interval
from trsfnet.experiments.paper import paper_table
from trsfnet.report.collection import Group
from trsfnet.report.contrasts import MIN_SEEDS, Effect, contrast, holm, pooled_spread
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import (
    MEASURE_NAMES,
    SETTINGS,
    counted,
    listed,
    points,
    short_name,
)
from trsfnet.report.verdicts.findings import ALPHA, CONTRADICTED, INCONCLUSIVE, SUPPORTED

# Too few seeds for an interval: one that was run only once, or not at all.
OPEN = "open"

_RULE = (
    "The paper says that each change raises TAR above the original network's. On one track, that is "
    f"**{SUPPORTED}** where the difference of means over seeds is above zero, **{CONTRADICTED}** where it is "
    "below, each with a p value below 0.05 after Holm's adjustment for the five comparisons of the table, "
    f"and **{INCONCLUSIVE}** otherwise. The spread over seeds is taken as the same in all settings of the "
    f"table (Student's t). With fewer than {MIN_SEEDS} finished seeds nothing is decided; with fewer than "
    f"two there is no interval either and the claim stays **{OPEN}**: one seed shows nothing that another "
    "might not undo."
)


@dataclass(frozen=True)
class Comparison:
    """One setting against the original network on one track.

    Attributes:
        setting: such as `v1-trsf-prelu`.
        seeds: finished seeds of the setting and of the original network.
        gap: difference of their means, None if either has none.
        interval: of the difference, by itself; None with fewer than two seeds on either side.
        p_holm: two-sided p value, adjusted for the comparisons of the table; None without an interval.
    """

    setting: str
    seeds: tuple[int, int]
    gap: float | None
    interval: Interval | None
    p_holm: float | None

    @property
    def verdict(self) -> str:
        """One of the four words of the rule."""
        if self.interval is None or self.p_holm is None:
            return OPEN
        if self.p_holm >= ALPHA or min(self.seeds) < MIN_SEEDS:
            return INCONCLUSIVE
        return SUPPORTED if self.interval.value > 0 else CONTRADICTED


def comparisons(group: Group) -> list[Comparison]:
    """Every setting of a group but the original network, against it, in the measure of the track."""
    values = {setting: _by_seed(group, setting) for setting in group.cells}
    original, *others = values
    spread = pooled_spread(values.values())
    effects = {
        s: contrast([values[s], values[original]], [1.0, -1.0], [spread] * 2) for s in others if spread
    }
    tested = {s: effect for s, effect in effects.items() if effect}
    adjusted = dict(zip(tested, holm([_p_value(effect) for effect in tested.values()]), strict=True))
    found = []
    for setting in others:
        mine, theirs = list(values[setting].values()), list(values[original].values())
        effect = effects.get(setting)
        gap = sum(mine) / len(mine) - sum(theirs) / len(theirs) if mine and theirs else None
        if effect:
            gap = effect.estimate
        seeds = (len(mine), len(theirs))
        interval = effect.interval if effect else None
        found.append(Comparison(setting, seeds, gap, interval, adjusted.get(setting)))
    return found


def _by_seed(group: Group, setting: str) -> dict[int, float]:
    return {r.seed: r.metrics[group.measure] for r in group.cells[setting] if r.status == "done"}


def _p_value(effect: Effect) -> float:
    return min(1.0, 2 * min(effect.p_above(0.0), effect.p_below(0.0)))


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
    return f"{name} ({points(compared.interval.value)} points, {low} to {high})"
