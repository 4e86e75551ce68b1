"""The answer so far, for the first page of the book."""

from __future__ import annotations

from trsfnet.experiments.paper import paper_table
from trsfnet.report.collection import Collection, Group
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import MEASURE_NAMES, NBSP, SETTINGS, counted, listed, percent, percent_range
from trsfnet.report.results import papers_intervals, sentence
from trsfnet.report.verdicts import CONTRADICTED, INCONCLUSIVE, NOT_RUN, SUPPORTED, comparisons


def answer(collection: Collection, number: int) -> Markdown:
    """Whether the paper's table `number` holds up: a headline, and a sentence for each track."""
    groups = collection.groups(number)
    tracks = "\n".join(
        f"- On the `{group.track}` track, {_trained(group)}{sentence(group)}" for group in groups
    )
    return Markdown(f"**{_headline(groups)}**\n\n{tracks}")


def _headline(groups: list[Group]) -> str:
    verdicts = [c.verdict for group in groups for c in comparisons(group)]
    counts = {word: verdicts.count(word) for word in (SUPPORTED, CONTRADICTED, INCONCLUSIVE, NOT_RUN)}
    decided = counts[SUPPORTED] + counts[CONTRADICTED]
    if not any(r.status == "done" for group in groups for r in group.records):
        return "Not tested yet: no run has finished."
    numbers = listed([f"{n} {word}" for word, n in counts.items() if n])
    partly = "Decided on our tracks" if decided == len(verdicts) else "Partly decided"
    start = partly if decided else "Not decided yet"
    total = counted(len(verdicts), "comparison")
    return f"{start}: of {total} with the original network, {numbers}."


def _trained(group: Group) -> str:
    """How many settings, how many seeds, and the range of TAR."""
    means = {
        setting: sum(values) / len(values)
        for setting in group.cells
        if (values := group.values(setting, group.measure))
    }
    if not means:
        return ""
    numbers = sorted({len(group.values(setting, group.measure)) for setting in means})
    seeds = counted(numbers[0], "seed") if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]} seeds"
    low, high = percent(min(means.values())), percent(max(means.values()))
    span = low if low == high else f"between {low} and {high}"
    return (
        f"{len(means)} of {counted(len(group.cells), 'setting')} were trained, {seeds} each, and reached "
        f"{span} ({MEASURE_NAMES[group.measure]}); "
    )


def settings(collection: Collection, number: int) -> Markdown:
    """The paper's settings with its TAR, and ours on each track."""
    paper, groups, intervals = paper_table(number), collection.groups(number), papers_intervals(number)
    rows = [
        (
            SETTINGS[setting].name,
            f"{value:.2f}{NBSP}%",
            percent_range(intervals[setting]),
            *(_cell(group, setting) for group in groups),
        )
        for setting, value in paper.cells.items()
    ]
    ours = [f"`{group.track}`: {MEASURE_NAMES[group.measure]}" for group in groups]
    header = ("Setting", f"Paper: {paper.quantity}", "95 % interval", *ours)
    caption = f"The settings of the paper's table {number}. Columns are not comparable with each other."
    return Markdown(captioned(caption, f"settings-{number}", table(header, rows)))


def _cell(group: Group, setting: str) -> str:
    values = group.values(setting, group.measure)
    unfinished = sorted({r.status for r in group.cells[setting] if r.status != "done"})
    if values:
        return f"{percent(sum(values) / len(values))} ({counted(len(values), 'seed')})"
    return listed(unfinished) or "not run"
