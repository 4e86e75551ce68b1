"""Which pages the runs of a setting have, and their files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from trsfnet.analysis.run import Run as Record
from trsfnet.errors import RecordError
from trsfnet.experiments.record import read_record
from trsfnet.report.cards.card import card
from trsfnet.report.cards.files import record_copy
from trsfnet.report.cards.study import study_page
from trsfnet.report.places import in_study, page

# In no table of contents, which hundreds of cards would bury, nor among what the search finds.
_FRONT = "---\norphan: true\nnosearch: true\n---\n\n"


def write_cards(folders: Sequence[str], place: str, target: str, pages: Sequence[str]) -> None:
    """Write the cards of the runs of a setting on a track.

    Args:
        folders: of all its records.
        place: the folder where the pages will be, with those of the rest of the track.
        target: the folder to write them to.
        pages: names of the book's pages, which lie two folders above `place`.
    """
    paths = [Path(folder) for folder in folders]
    study = [record for path in paths if (record := _of_study(path))]
    alone = [path for path in paths if path not in [record.path for record in study]]
    texts = {
        f"{path.name}.md": card(path, [other for other in paths if other != path], Path(place), pages)
        for path in alone
    }
    for name in {page(record) for record in study}:
        runs = [record for record in study if page(record) == name]
        texts[name] = study_page(runs, alone, Path(place), pages)
    for name, text in texts.items():
        Path(target, name).write_text(f"{_FRONT}{text}\n", encoding="utf-8")
    for path in paths:
        with suppress(RecordError):
            for name, text in record_copy(read_record(path)).items():
                Path(target, name).write_text(text, encoding="utf-8")


def _of_study(path: Path) -> Record | None:
    """The record in `path` if it is of the study; a damaged one that cannot tell has a card of its own."""
    try:
        record = Record(read_record(path))
        return record if in_study(record) else None
    except (RecordError, KeyError, ValueError, TypeError, AttributeError):
        return None
