"""Writes the cards of a group of runs."""

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
    """Write the cards of runs on a track, reading each record once.

    Args:
        paths: paths of the records, with all runs of each variant among them.
        place: the folder of the track's cards, for which links are computed.
        target: the folder to write the cards to.
        pages: names of the book's pages, which are two folders above `place`.
    """
    runs: dict[str, list[CardRun]] = {}
    for path in paths:
        each = read_run(Path(path))
        runs.setdefault(each.variant, []).append(each)
    for of_variant in runs.values():
        for name, text in _cards(of_variant, Path(place), pages).items():
            Path(target, name).write_text(text, encoding="utf-8")


def _cards(runs: Sequence[CardRun], place: Path, pages: Sequence[str]) -> dict[str, str]:
    """Return the files of the cards of a variant's runs, by name."""
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
