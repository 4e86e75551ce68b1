"""Builds the cards of all run records with `trsfnet.report.cards`, in groups by kind of network."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from report_pages.files import (
    GENERATED,
    Recorded,
    digest,
    is_current,
    package_files,
    recorded,
    remove,
    replace,
    write,
)
from report_pages.kernel import Kernel

# Path relative to the book's folder, in Sphinx's form.
CARDS = "generated/runs/"

_LIST = ".cards"


@dataclass(frozen=True)
class Cards:
    """Cards to be rebuilt, for runs with the same kind of network on a track.

    The cards of a group link to each other or share a page.

    Attributes:
        paths: paths of the records.
        listing: file next to the cards that lists those written last.
        made_from: digest of everything that the cards depend on.
        pages: names of the book's pages.
    """

    paths: tuple[Path, ...]
    listing: Path
    made_from: str
    pages: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the group, which is unique on its track."""
        return self.listing.stem

    def run(self, kernel: Kernel) -> None:
        """Write the cards and remove obsolete ones."""
        place = self.listing.parent
        with TemporaryDirectory() as drafts:
            paths = [str(path) for path in self.paths]
            arguments = f"{paths!r}, {str(place)!r}, {drafts!r}, {self.pages!r}"
            kernel.run(f"from trsfnet.report.cards import write_cards\nwrite_cards({arguments})")
            texts = {draft.name: draft.read_text(encoding="utf-8") for draft in Path(drafts).iterdir()}
        for name, text in texts.items():
            replace(place / name, text)
        for name in set(_pages_of(self.listing)) - set(texts):
            (place / name).unlink(missing_ok=True)
        write(self.listing, "\n".join(sorted(texts)), self.made_from)


def due_cards(root: Path, pages: list[str]) -> list[Cards]:
    """Return the groups of cards whose inputs have changed, after removing pages without a record."""
    groups: dict[Path, list[Recorded]] = {}
    for (track, _), record in recorded(root).items():
        name = digest([], record.network)[:16]
        groups.setdefault(root / GENERATED / "runs" / track / f"{name}{_LIST}", []).append(record)
    _sweep(root / GENERATED / "runs", groups)
    code = digest(package_files(), *pages)
    due = []
    for listing, records in groups.items():
        made_from = digest([], code, *(f"{record.path} {record.content}" for record in records))
        made = all((listing.parent / name).exists() for name in _pages_of(listing))
        if not (made and is_current(listing, made_from)):
            listing.parent.mkdir(parents=True, exist_ok=True)
            due.append(Cards(tuple(record.path for record in records), listing, made_from, tuple(pages)))
    return due


def _sweep(place: Path, groups: Collection[Path]) -> None:
    """Remove the listings of groups that no longer exist, and the pages that no listing names."""
    for listing in place.glob(f"*/*{_LIST}"):
        if listing not in groups:
            remove(listing)
    named = {listing.parent / name for listing in groups for name in _pages_of(listing)}
    for page in place.glob("*/*"):
        if page.suffix in (".md", ".json") and page not in named:
            page.unlink()


def _pages_of(listing: Path) -> list[str]:
    """Return the names of the pages in `listing`; empty if the file does not exist."""
    return listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
