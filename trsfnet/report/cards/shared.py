"""What all runs of a page share, said once, and in what some of them differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from trsfnet.report.cards.entry import Entry
from trsfnet.report.cards.html import facts
from trsfnet.report.display import plain
from trsfnet.text import counted

# So few runs are named, more are counted.
_NAMED = 5


def shared(
    entries: Sequence[Entry],
    of: Callable[[Entry], Mapping[str, str]],
    *,
    without: Collection[str] = (),
    more: Sequence[tuple[str, str]] = (),
) -> str:
    """Names and values that all entries share as facts, then the others, each value with its runs.

    Args:
        entries: of the page.
        of: the names and values of one.
        without: names to leave out.
        more: facts about all of them.
    """
    names = dict.fromkeys(name for entry in entries for name in of(entry) if name not in without)
    alike, differing = [], []
    for name in names:
        values = [(entry, of(entry).get(name, "unknown")) for entry in entries]
        runs = {value: [entry for entry, own in values if own == value] for _, value in values}
        if len(runs) == 1:
            alike.append((name, values[0][1]))
        else:
            parts = "; ".join(f"{plain(value)} ({which(own)})" for value, own in runs.items())
            differing.append(f"- {plain(name)}: {parts}")
    lines = "\n".join(differing)
    return facts([*alike, *more]) + (f"\n\nNot the same in all runs:\n\n{lines}" if differing else "")


def which(entries: Sequence[Entry]) -> str:
    """Some runs of the page, by name if they are few."""
    if len(entries) > _NAMED:
        return counted(len(entries), "run")
    return "; ".join(entry.name for entry in entries)
