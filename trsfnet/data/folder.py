"""A folder with one subfolder of images per identity: VGGFace2's `train` and `test`, or any such set.

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
from trsfnet.data.folder_index import index_of, said
from trsfnet.data.source import Source
from trsfnet.errors import ConfigError, DataError, excerpt

# VGGFace2's parts, disjoint in people.
PARTS = ("train", "test")


class FolderSource(Source):
    """The images of a folder of identities, sorted by identity and file name.

    A file's suffix says whether it is an image. Adding, removing, renaming and changing files is noticed at
    the next start; in folders of more than 200,000 images, changing one in place is not.

    Attributes:
        root: the folder that holds the identities.
        left_out: a sentence for each image and identity that was, by `identity/file` or `identity`.
        passed_over: see `Source`.
    """

    def __init__(self, root: Path, *, part: str | None = None, skip: bool = False) -> None:
        """Scan the folder, or read the index of an earlier scan.

        Args:
            root: the folder of identities, or VGGFace2's folder with `train` and `test` in it.
            part: which of these two, for VGGFace2.
            skip: leave out empty files, identities without images and links out of the folder, instead of
                refusing them.

        Raises:
            ConfigError: `part` is missing or unknown.
            DataError: there are no identities, or none is left; or, without `skip`, something in the folder
                cannot be used.
        """
        self.root = _part_of(root, part)
        index = index_of(self.root)
        self.passed_over, self.left_out = index.passed_over, index.problems
        if self.left_out and not (skip and index.counts):
            none = "" if index.counts else f"{self.root} holds no identities that can be used: "
            more = f" (the first of {len(self.left_out)} such findings)" if len(self.left_out) > 1 else ""
            raise DataError(f"{none}{next(iter(self.left_out.values()))}{more}.")
        if not index.counts:
            there = f" ({said(self.passed_over)})" if self.passed_over else ""
            raise DataError(
                f"{self.root} holds no identities{there}: expected a subfolder of images for each."
            )
        self.identities = tuple(index.counts)
        self.labels = np.repeat(np.arange(len(self.identities)), list(index.counts.values()))
        self._files = index.files
        self._version = index.version

    @property
    def version(self) -> str:
        """A hash of the names and sizes of all images, the same wherever the folder lies."""
        return self._version

    def name(self, index: int) -> str:
        """`identity/file`."""
        return f"{self.identities[self.labels[index]]}/{self._files[index].as_py()}"

    @property
    def ignored(self) -> int:
        """How many entries were passed over."""
        return sum(self.passed_over.values())

    def file(self, index: int) -> Path:
        """The image's own file."""
        return self.root / native(self.name(index))

    def encoded(self, index: int) -> bytes:
        """The bytes of one file."""
        path = self.file(index)
        try:
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"Cannot read {utf8(str(path))}: {error.strerror}.") from error

    @cached_property
    def people(self) -> dict[str, PersonMeta]:
        """What `identity_meta.csv` says of each identity; empty without this file in or next to the folder.

        Raises:
            DataError: the file is malformed.
        """
        beside = self.root.parent
        for folder in (self.root, beside, beside / "meta", beside.parent / "meta"):
            if (folder / "identity_meta.csv").is_file():
                return read_identity_meta(folder / "identity_meta.csv")
        return {}


def left_out(source: Source) -> dict[str, str]:
    """Why images and identities are no part of a source: printable sentences by printable name."""
    return {utf8(name): f"{sentence}." for name, sentence in source.left_out.items()}


def is_vggface2(root: Path) -> bool:
    """Whether `root` holds a part of VGGFace2, or both, instead of identities."""
    return bool(_parts_in(root))


def _parts_in(root: Path) -> list[Path]:
    """The parts of VGGFace2 in `root`, known by their subfolders: people's folders may be called so."""
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
        name: the person's, words joined by underscores.
        images: how many there are as published.
        part: `train` or `test`.
        gender: `m` or `f`.
    """

    name: str
    images: int
    part: str
    gender: str


def read_identity_meta(path: Path) -> dict[str, PersonMeta]:
    """VGGFace2's `identity_meta.csv` by identity, such as `n000002`.

    The published file has spaces after its commas, quotes around names, and here and there a comma at the end
    of a row.

    Raises:
        DataError: a column is missing or a row is malformed; the sentence names file and line.
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
