"""A folder with one subfolder of images per identity, such as VGGFace2's `train` and `test`.

Source: Cao et al., VGGFace2, 2018, and the README of its release.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from trsfnet.data.files import native, utf8
from trsfnet.data.folder_index import counts_by_kind, index_of
from trsfnet.data.source import Source
from trsfnet.errors import ConfigError, DataError, excerpt

# The two parts of VGGFace2, which share no people.
PARTS = ("train", "test")


class FolderSource(Source):
    """The images of a folder of identities, sorted by identity and file name.

    Files are recognised as images by their suffix. Files that were added, removed, renamed or changed are
    noticed at the next start; in folders of more than 200,000 images, changes in place are not.

    Attributes:
        root: the folder that contains the identities.
        left_out: why each excluded image or identity was left out, by `identity/file` or `identity`.
        passed_over: see `Source`.
    """

    def __init__(self, root: Path, *, part: str | None = None, skip: bool = False) -> None:
        """Scan the folder, or read the index of an earlier scan.

        Args:
            root: the folder of identities, or VGGFace2's folder with `train` and `test` in it.
            part: which of the two parts, for VGGFace2.
            skip: leave out empty files, identities without images and links out of the folder, instead of
                raising an error.

        Raises:
            ConfigError: if `part` is missing or unknown.
            DataError: if there are no identities, or none is left; or, without `skip`, something in the
                folder cannot be used.
        """
        self.root = _part_of(root, part)
        index = index_of(self.root)
        self.passed_over, self.left_out = index.passed_over, index.problems
        if self.left_out and not (skip and index.counts):
            none = "" if index.counts else f"{self.root} holds no identities that can be used: "
            more = f" (the first of {len(self.left_out)} such findings)" if len(self.left_out) > 1 else ""
            raise DataError(f"{none}{next(iter(self.left_out.values()))}{more}.")
        if not index.counts:
            there = f", only {counts_by_kind(self.passed_over)}" if self.passed_over else ""
            raise DataError(
                f"{self.root} holds no identities{there}: expected a subfolder of images for each."
            )
        self.identities = tuple(index.counts)
        self.labels = np.repeat(np.arange(len(self.identities)), list(index.counts.values()))
        self._files = index.files
        self._version = index.version

    @property
    def version(self) -> str:
        """Hash of the names and sizes of all images, independent of the folder's location."""
        return self._version

    def name(self, index: int) -> str:
        """Return the image's name, `identity/file`."""
        return f"{self.identities[self.labels[index]]}/{self._files[index].as_py()}"

    def file(self, index: int) -> Path:
        """Return the path of the image's file."""
        return self.root / native(self.name(index))

    def encoded(self, index: int) -> bytes:
        """Return the content of the image's file."""
        path = self.file(index)
        try:
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"Cannot read {utf8(str(path))}: {error.strerror}.") from error

    @cached_property
    def people(self) -> dict[str, PersonMeta]:
        """Metadata of each identity from `identity_meta.csv` in or near the folder; empty without one.

        Raises:
            DataError: if the file is malformed.
        """
        parent = self.root.parent
        for folder in (self.root, parent, parent / "meta", parent.parent / "meta"):
            if (folder / "identity_meta.csv").is_file():
                return read_identity_meta(folder / "identity_meta.csv")
        return {}


def left_out(source: Source) -> dict[str, str]:
    """Return why images and identities are excluded from a source: printable sentences by printable name."""
    return {utf8(name): f"{sentence}." for name, sentence in source.left_out.items()}


def is_vggface2(root: Path) -> bool:
    """Return whether `root` contains one or both parts of VGGFace2 instead of identities."""
    return bool(_parts_in(root))


def _parts_in(root: Path) -> list[Path]:
    """Return the parts of VGGFace2 in `root`; they have subfolders, unlike people of the same names."""
    return [root / part for part in PARTS if (root / part).is_dir() and _has_subfolder(root / part)]


def _has_subfolder(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(os.path.isdir(entry.path) for entry in entries if not entry.name.startswith("."))
    except OSError:
        return False


def _part_of(root: Path, part: str | None) -> Path:
    if part is None and (parts := _parts_in(root)):
        raise ConfigError(f"{root} holds VGGFace2's parts: give {' or '.join(map(str, parts))}.")
    if part is not None and part not in PARTS:
        raise ConfigError(f"part must be one of 'train', 'test', got {part!r}.")
    folder = root if part is None else root / part
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: expected one subfolder of images per identity.")
    return folder


@dataclass(frozen=True)
class PersonMeta:
    """A row of VGGFace2's `identity_meta.csv`.

    Attributes:
        name: name of the person, with words joined by underscores.
        images: number of images as published.
        part: `train` or `test`.
        gender: `m` or `f`.
    """

    name: str
    images: int
    part: str
    gender: str


def read_identity_meta(path: Path) -> dict[str, PersonMeta]:
    """Read VGGFace2's `identity_meta.csv`, by identity, such as `n000002`.

    The published file has spaces after commas, quotes around names, and commas at the ends of some rows.

    Raises:
        DataError: if a column is missing or a row is malformed; the message states file and line.
    """
    people: dict[str, PersonMeta] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, skipinitialspace=True, strict=True)
            header = [name.strip() for name in next(rows, [])]
            columns = ("Class_ID", "Name", "Sample_Num", "Flag", "Gender")
            missing = [name for name in columns if name not in header]
            if missing:
                raise DataError(
                    f"{path} has no column {missing[0]}: its first line is {excerpt(','.join(header))}."
                )
            for row in filter(None, rows):
                values = dict(zip(header, (value.strip() for value in row), strict=False))
                identity, name, images, flag, gender = (values.get(column, "") for column in columns)
                sound = images.isdecimal() and flag in ("0", "1") and gender in ("m", "f")
                if not sound or any(value.strip() for value in row[len(header) :]):
                    raise DataError(
                        f"{path}, line {rows.line_num}: expected identity, name, number of images, flag "
                        f"(0 or 1) and gender (m or f), got {excerpt(','.join(row))}."
                    )
                if identity in people:
                    raise DataError(
                        f"{path}, line {rows.line_num}: {excerpt(identity)} is listed a second time."
                    )
                people[identity] = PersonMeta(name, int(images), PARTS[flag == "0"], gender)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a table in UTF-8: {error}.") from error
    return people
