"""Individual image files: those listed in a text file, or those that lie in one folder."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from trsfnet.data.files import native, portable, utf8
from trsfnet.data.folder_index import is_picture, kind_of, wrong_link
from trsfnet.data.source import Source
from trsfnet.errors import DataError, excerpt
from trsfnet.paths import user_path


class ImageList(Source):
    """Image files in a fixed order; the identity of each is the name of its folder.

    Names that are not UTF-8 are changed by `utf8`.
    """

    def __init__(
        self,
        files: Sequence[Path],
        names: Sequence[str],
        *,
        left_out: Mapping[str, str] = MappingProxyType({}),
        passed_over: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Store the list of files without reading them.

        Args:
            files: paths of the files.
            names: a unique name for each file.
            left_out: see `Source`.
            passed_over: see `Source`.
        """
        self.left_out, self.passed_over = left_out, passed_over
        self._files, self._names = files, [utf8(portable(name)) for name in names]
        folders = [utf8(portable(file.parent.name)) for file in files]
        identities, self.labels = np.unique(folders, return_inverse=True)
        self.identities = tuple(identities.tolist())

    @property
    def version(self) -> str:
        """Hash of names and sizes."""
        sizes = (os.path.getsize(file) if os.path.isfile(file) else -1 for file in self._files)
        listing = "".join(f"{size} {name}\n" for size, name in zip(sizes, self._names, strict=True))
        return f"list-{hashlib.sha256(listing.encode()).hexdigest()[:16]}"

    def name(self, index: int) -> str:
        """Return the image's name: the line of the list, or the file's name."""
        return self._names[index]

    def file(self, index: int) -> Path:
        """Return the path of the image's file."""
        return self._files[index]

    def encoded(self, index: int) -> bytes:
        """Return the content of the image's file."""
        try:
            return self._files[index].read_bytes()
        except OSError as error:
            raise DataError(f"Cannot read {utf8(str(self._files[index]))}: {error.strerror}.") from error


def read_list(path: Path) -> ImageList:
    """Read a text file that lists one image path per line, absolute or relative to the list's folder.

    Raises:
        ConfigError: if a path starts with a `~` for which no home directory is known.
        DataError: if the list is empty, names an image twice, or is not text.

    Messages state the file and, where there is one, the line.
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
            raise DataError(f"{path}, line {number}: expected the path of an image, got {excerpt(name)}.")
        if name in places:
            raise DataError(f"{path}, line {number}: {excerpt(name)} is already on line {places[name]}.")
        if name:
            places[name] = number
    if not places:
        raise DataError(f"{path} lists nothing: expected the path of an image on each line.")
    files = [
        user_path(native(name), f"{path}, line {number}", folder=path.parent)
        for name, number in places.items()
    ]
    return ImageList(files, list(places))


def images_in(folder: Path, *, skip: bool = False, subfolders: bool = False) -> ImageList | None:
    """Return the images that lie in a folder itself; None if there is none.

    Args:
        folder: the folder.
        skip: leave out broken links and links out of the folder, instead of raising an error.
        subfolders: ignore visible subfolders; otherwise, None is returned if there is one.

    Raises:
        DataError: if the folder cannot be read; or, without `skip`, an image in it cannot be used.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"Cannot read {folder}: {error.strerror}.") from error
    visible = [entry for entry in entries if not entry.name.startswith(".")]
    folders = [entry for entry in visible if entry.is_dir()]
    images = [entry for entry in visible if is_picture(entry.name) and entry not in folders]
    if not images or (folders and not subfolders):
        return None
    real = os.path.realpath(folder)
    findings = {entry.name: wrong_link(str(entry), real) for entry in images if entry.is_symlink()}
    left_out = {name: finding for name, finding in findings.items() if finding}
    if left_out and not (skip and len(left_out) < len(images)):
        raise DataError(f"{next(iter(left_out.values()))}.")
    images = [entry for entry in images if entry.name not in left_out]
    hidden = [entry for entry in entries if entry.name.startswith(".")]
    others = [entry for entry in visible if not is_picture(entry.name) and entry not in folders]
    passed_over = Counter(kind_of(entry.name) for entry in (*hidden, *others))
    return ImageList(
        images, [image.name for image in images], left_out=left_out, passed_over=dict(passed_over)
    )
