"""The values that all runs on a page share, and those in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from trsfnet.report.cards.entry import Entry
from trsfnet.text import counted

# Up to this many runs are named; larger numbers are only counted.
_NAMED = 5


@dataclass(frozen=True)
class Shared:
    """Values by name, divided into shared and differing ones.

    Attributes:
        alike: pairs of name and value that hold for all runs.
        differing: for each other name, the runs with each value, in words, by value.
    """

    alike: list[tuple[str, str]]
    differing: dict[str, dict[str, str]]


def shared(
    entries: Sequence[Entry],
    of: Callable[[Entry], Mapping[str, str]],
    *,
    without: Collection[str] = (),
    more: Sequence[tuple[str, str]] = (),
) -> Shared:
    """Divide the values of entries into those that all share and those that differ.

    Args:
        entries: the entries of the page.
        of: returns the names and values of an entry.
        without: names to leave out.
        more: additional names and values that hold for all entries.
    """
    names = dict.fromkeys(name for entry in entries for name in of(entry) if name not in without)
    alike: list[tuple[str, str]] = []
    differing: dict[str, dict[str, str]] = {}
    for name in names:
        runs: dict[str, list[Entry]] = {}
        for entry in entries:
            runs.setdefault(of(entry).get(name, "unknown"), []).append(entry)
        if len(runs) == 1:
            alike.append((name, next(iter(runs))))
        else:
            differing[name] = {value: which(own) for value, own in runs.items()}
    return Shared([*alike, *more], differing)


def which(entries: Sequence[Entry]) -> str:
    """Name some runs of the page, or count them if there are many."""
    if len(entries) > _NAMED:
        return counted(len(entries), "run")
    return "; ".join(entry.name for entry in entries)
