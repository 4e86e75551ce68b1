"""What all runs of a page share, said once, and in what some of them differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from trsfnet.report.cards.entry import Entry
from trsfnet.text import counted

# So few runs are named, more are counted.
_NAMED = 5


@dataclass(frozen=True)
class Shared:
    """Values by name.

    Attributes:
        alike: of all runs.
        differing: each of a name's values, with the runs that have it.
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
    """What entries share and in what they differ.

    Args:
        entries: of the page.
        of: the names and values of one.
        without: names to leave out.
        more: names and values of all of them.
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
    """Some runs of the page, by name if they are few."""
    if len(entries) > _NAMED:
        return counted(len(entries), "run")
    return "; ".join(entry.name for entry in entries)
