"""A card for every run record: pages of the runs of like networks, made by `trsfnet.report.cards`."""

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

# As Sphinx names it, from the book's folder.
CARDS = "generated/runs/"

_LIST = ".cards"


@dataclass(frozen=True)
class Cards:
    """The cards of like networks on a track, which are due: they link to each other, or share a page.

    Attributes:
        paths: of the records.
        listing: the file that names the pages last made of them; the pages lie next to it.
        made_from: digest of all that they depend on.
        pages: names of the book's pages.
    """

    paths: tuple[Path, ...]
    listing: Path
    made_from: str
    pages: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the file, which no other group has."""
        return self.listing.stem

    def run(self, kernel: Kernel) -> None:
        """Make and write them, and remove those that are no longer."""
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
    """The cards of the groups of runs in which a record has changed. Pages of no record are removed."""
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
    """Remove the listings of no group, and the pages that none of the others names."""
    for listing in place.glob(f"*/*{_LIST}"):
        if listing not in groups:
            remove(listing)
    named = {listing.parent / name for listing in groups for name in _pages_of(listing)}
    for page in place.glob("*/*"):
        if page.suffix in (".md", ".json") and page not in named:
            page.unlink()


def _pages_of(listing: Path) -> list[str]:
    """Names of the pages that `listing` names; none if it does not exist."""
    return listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
