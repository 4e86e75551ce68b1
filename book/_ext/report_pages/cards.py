"""A card for every run record: pages of the runs of a setting, made by `trsfnet.report.cards`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from report_pages.files import (
    GENERATED,
    digest,
    is_current,
    package_files,
    record_files,
    record_folders,
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
    """The cards of a setting on a track, which are due: they link to each other, or share a page.

    Attributes:
        folders: of the records.
        listing: the file that names the pages last made of them; the pages lie beside it.
        made_from: digest of all that they depend on.
        pages: names of the book's pages.
    """

    folders: tuple[Path, ...]
    listing: Path
    made_from: str
    pages: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the setting."""
        return self.listing.stem

    def run(self, kernel: Kernel) -> None:
        """Make and write them, and remove those that are no longer."""
        place = self.listing.parent
        with TemporaryDirectory() as drafts:
            folders = [str(folder) for folder in self.folders]
            arguments = f"{folders!r}, {str(place)!r}, {drafts!r}, {self.pages!r}"
            kernel.run(f"from trsfnet.report.cards import write_cards\nwrite_cards({arguments})")
            texts = {draft.name: draft.read_text(encoding="utf-8") for draft in Path(drafts).iterdir()}
        for name, text in texts.items():
            replace(place / name, text)
        for name in set(_listed(self.listing)) - set(texts):
            (place / name).unlink(missing_ok=True)
        write(self.listing, "\n".join(sorted(texts)), self.made_from)


def due_cards(root: Path, pages: list[str]) -> list[Cards]:
    """The cards of the settings of which a record has changed. Pages of no record are removed."""
    groups: dict[Path, list[Path]] = {}
    for (track, run), folder in record_folders(root).items():
        # A run's name is the setting, `-seed` and what tells it from others.
        setting = run.rpartition("-seed")[0]
        groups.setdefault(root / GENERATED / "runs" / track / f"{setting}{_LIST}", []).append(folder)
    _sweep(root / GENERATED / "runs", groups)
    code = digest(package_files(), *pages)
    due = []
    for listing, folders in groups.items():
        made_from = digest([], code, *(digest(record_files(folder)) for folder in folders))
        made = all((listing.parent / name).exists() for name in _listed(listing))
        if not (made and is_current(listing, made_from)):
            listing.parent.mkdir(parents=True, exist_ok=True)
            due.append(Cards(tuple(folders), listing, made_from, tuple(pages)))
    return due


def _sweep(place: Path, groups: dict[Path, list[Path]]) -> None:
    """Remove the listings of no setting, and the pages that none of the others names."""
    for listing in place.glob(f"*/*{_LIST}"):
        if listing not in groups:
            remove(listing)
    named = {listing.parent / name for listing in groups for name in _listed(listing)}
    for page in place.glob("*/*.md"):
        if page not in named:
            page.unlink()


def _listed(listing: Path) -> list[str]:
    """Names of the pages that `listing` names; none if it does not exist."""
    return listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
