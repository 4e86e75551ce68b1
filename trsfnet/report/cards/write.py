"""Which pages the runs of a variant have, and their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trsfnet.report.card_links import page
from trsfnet.report.cards.card import card
from trsfnet.report.cards.files import record_copy
from trsfnet.report.cards.others import Others
from trsfnet.report.cards.readable import CardRun, read_run
from trsfnet.report.cards.study import study_page


def write_cards(paths: Sequence[str], place: str, target: str, pages: Sequence[str]) -> None:
    """Write the cards of the runs of a variant on a track. Each record is read once.

    Args:
        paths: of all its records.
        place: the folder where the pages will be, with those of the rest of the track.
        target: the folder to write them to.
        pages: names of the book's pages, which lie two folders above `place`.
    """
    runs = [read_run(Path(path)) for path in paths]
    others = Others(runs)
    texts: dict[str, str] = {}
    shared: dict[str, list[CardRun]] = {}
    for each in runs:
        if each.in_study and each.run:
            shared.setdefault(page(each.run), []).append(each)
        else:
            texts[f"{each.path.name}.md"] = card(each, others, Path(place), pages)
        if each.run:
            texts |= record_copy(each.run.record)
    for name, entries in shared.items():
        texts[name] = study_page(entries, others, Path(place), pages)
    for name, text in texts.items():
        Path(target, name).write_text(text, encoding="utf-8")
