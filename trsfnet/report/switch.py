"""A switch between tracks: they are never compared, so that a page shows one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trsfnet.report.display import Markdown, Picture
from trsfnet.report.names import TRACKS
from trsfnet.text import capitalised

Shown = Picture | Markdown


def by_track(parts: Mapping[str, Iterable[Shown]]) -> Markdown:
    """What a page shows of each track, by the track's name; a single one needs no switch."""
    bodies = [(capitalised(TRACKS[track]), track, "\n\n".join(map(_text, s))) for track, s in parts.items()]
    return Markdown(tabs(bodies))


def tabs(parts: Sequence[tuple[str, str, str]]) -> str:
    """Markdown with a tab for each part.

    Args:
        parts: title, track and body of each. All of the book's switches move together, by track.
    """
    if len(parts) == 1:
        return parts[0][2]
    # More colons than anything within has.
    items = "\n".join(
        f":::::::{{tab-item}} {title}\n:sync: {track}\n\n{body}\n:::::::" for title, track, body in parts
    )
    return f"::::::::{{tab-set}}\n:sync-group: track\n\n{items}\n::::::::\n"


def _text(shown: Shown) -> str:
    return shown.text if isinstance(shown, Markdown) else shown.markdown()
