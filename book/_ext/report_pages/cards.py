"""A card for every run record: a page of its own, made by `trsfnet.report.cards`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from report_pages.files import (
    GENERATED,
    digest,
    is_current,
    package_files,
    record_files,
    record_folders,
    remove,
    write,
)
from report_pages.kernel import Kernel

# As Sphinx names it, from the book's folder.
CARDS = "generated/runs/"


@dataclass(frozen=True)
class Card:
    """A card that is due.

    Attributes:
        folder: of the record.
        others: folders of the records that the card may link to.
        target: the card.
        made_from: digest of all that the card depends on.
        pages: names of the book's pages.
    """

    folder: Path
    others: tuple[Path, ...]
    target: Path
    made_from: str
    pages: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.folder.name

    def run(self, kernel: Kernel) -> None:
        """Make and write it."""
        draft = self.target.with_suffix(".partial")
        others = [str(other) for other in self.others]
        arguments = f"{str(self.folder)!r}, {others!r}, {str(draft)!r}, {self.pages!r}"
        kernel.run(f"from trsfnet.report.cards import write_card\nwrite_card({arguments})")
        write(self.target, draft.read_text(encoding="utf-8"), self.made_from)
        draft.unlink()


def due_cards(root: Path, pages: list[str]) -> list[Card]:
    """The cards whose record has changed, or a record that they link to. Those of no record are removed."""
    folders = record_folders(root)
    code = digest(package_files(), *pages)
    records = {run: digest(record_files(folder)) for run, folder in folders.items()}
    targets = {run: root / GENERATED / "runs" / run[0] / f"{run[1]}.md" for run in folders}
    for file in (root / GENERATED / "runs").glob("*/*.md"):
        if file not in targets.values():
            remove(file)
    due = []
    for run, folder in folders.items():
        others = [other for other in folders if _setting(other) == _setting(run) and other != run]
        made_from = digest([], code, records[run], *(records[other] for other in others))
        if not is_current(targets[run], made_from):
            targets[run].parent.mkdir(parents=True, exist_ok=True)
            linked = tuple(folders[other] for other in others)
            due.append(Card(folder, linked, targets[run], made_from, tuple(pages)))
    return due


def _setting(run: tuple[str, str]) -> tuple[str, str]:
    """Track and setting of a run, whose name is the setting, `-seed` and what tells it from others."""
    return run[0], run[1].rpartition("-seed")[0]
