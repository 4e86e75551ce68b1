"""Tabs that switch between tracks; a page shows one track at a time because they are never compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trsfnet.report.display import Markdown, Picture
from trsfnet.report.names import TRACKS
from trsfnet.text import capitalised

Shown = Picture | Markdown


def by_track(parts: Mapping[str, Iterable[Shown]]) -> Markdown:
    """Return the content of each track in a tab, or without tabs if there is only one track.

    Args:
        parts: what to show for each track, by the track's name.
    """
    bodies = [(capitalised(TRACKS[track]), track, "\n\n".join(map(_text, s))) for track, s in parts.items()]
    return Markdown(tabs(bodies))


def tabs(parts: Sequence[tuple[str, str, str]]) -> str:
    """Return Markdown with a tab for each part, or the body alone if there is only one.

    Args:
        parts: title, key and body of each tab. All tab sets of the book switch together to a tab with the
            same key, such as the track; within a set, each tab has its own.
    """
    assert len({key for _, key, _ in parts}) == len(parts), "tabs with one key cannot be told apart"
    if len(parts) == 1:
        return parts[0][2]
    # A fence needs more colons than any fence within it.
    items = "\n".join(
        f":::::::{{tab-item}} {title}\n:sync: {key}\n\n{body}\n:::::::" for title, key, body in parts
    )
    return f"::::::::{{tab-set}}\n:sync-group: track\n\n{items}\n::::::::\n"


def _text(shown: Shown) -> str:
    return shown.text if isinstance(shown, Markdown) else shown.markdown()
