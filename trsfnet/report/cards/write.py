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
    """Write the cards of runs on a track, among them all of each variant. Each record is read once.

    Args:
        paths: of the records.
        place: the folder where the pages will be, with those of the rest of the track.
        target: the folder to write them to.
        pages: names of the book's pages, which lie two folders above `place`.
    """
    runs: dict[str, list[CardRun]] = {}
    for path in paths:
        each = read_run(Path(path))
        runs.setdefault(each.variant, []).append(each)
    for of_variant in runs.values():
        for name, text in _cards(of_variant, Path(place), pages).items():
            Path(target, name).write_text(text, encoding="utf-8")


def _cards(runs: Sequence[CardRun], place: Path, pages: Sequence[str]) -> dict[str, str]:
    """The files of the runs of a variant by name."""
    others = Others(runs)
    texts: dict[str, str] = {}
    for each in runs:
        if not each.in_study:
            texts[f"{each.path.name}.md"] = card(each, others, place, pages)
        if each.run:
            texts |= record_copy(each.run.record)
    in_study = [each for each in runs if each.in_study]
    if in_study and (first := in_study[0].run):
        texts[page(first)] = study_page(in_study, others, place, pages)
    return texts
