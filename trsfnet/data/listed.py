"""Image files one by one: those that a text file lists, or those of a folder without subfolders."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trsfnet.data.files import utf8
from trsfnet.data.folder_index import SUFFIXES
from trsfnet.data.source import Source
from trsfnet.errors import DataError
from trsfnet.paths import user_path


class ListedImages(Source):
    """Image files in a fixed order; the identity of each is the name of the folder that it lies in.

    Names that are not UTF-8 are changed by `utf8`.
    """

    def __init__(self, files: Sequence[Path], names: Sequence[str]) -> None:
        """Note the files, without reading them.

        Args:
            files: where they are.
            names: what to call them, each once.
        """
        self._files, self._names = files, [utf8(name) for name in names]
        folders = [utf8(file.parent.name) for file in files]
        self.identities, self.labels = np.unique(folders, return_inverse=True)
        self.identities = tuple(self.identities.tolist())

    @property
    def version(self) -> str:
        """A hash of names and sizes."""
        sizes = (file.stat().st_size if file.is_file() else -1 for file in self._files)
        listing = "".join(f"{size} {name}\n" for size, name in zip(sizes, self._names, strict=True))
        return f"list-{hashlib.sha256(listing.encode()).hexdigest()[:16]}"

    def name(self, index: int) -> str:
        """The line of the list, or the file's name."""
        return self._names[index]

    def encoded(self, index: int) -> bytes:
        """The bytes of one file."""
        try:
            return self._files[index].read_bytes()
        except OSError as error:
            raise DataError(f"Cannot read {utf8(str(self._files[index]))}: {error.strerror}.") from error


def read_list(path: Path) -> ListedImages:
    """The images that a text file lists: a path a line, absolute or from the folder of the list.

    Raises:
        DataError: the list is empty, names an image twice, or is no text; the sentence names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: expected the path of an image on each line.") from error
    places: dict[str, int] = {}
    for number, name in enumerate(map(str.strip, lines), start=1):
        if "\0" in name:
            raise DataError(f"{path}, line {number}: expected the path of an image, got {name!r}.")
        if name in places:
            raise DataError(f"{path}, line {number}: {name} is already on line {places[name]}.")
        if name:
            places[name] = number
    if not places:
        raise DataError(f"{path} lists nothing: expected the path of an image on each line.")
    return ListedImages(
        [user_path(name, folder=path.parent) for name in places],
        list(places),
    )


def images_in(folder: Path) -> ListedImages | None:
    """The images in a folder that has no visible subfolder; None if it has one, or holds no image."""
    try:
        visible = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"Cannot read {folder}: {error.strerror}.") from error
    images = [entry for entry in visible if entry.suffix.lower() in SUFFIXES]
    if not images or any(entry.is_dir() for entry in visible):
        return None
    return ListedImages(images, [image.name for image in images])
