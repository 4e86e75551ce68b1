"""Labeled Faces in the Wild: the official archive or an extracted folder, `people.txt`, `pairs.txt`.

LFW's View 2 cuts its 5,749 people into ten disjoint sets (`people.txt`) and draws 6,000 pairs within them
(`pairs.txt`). The archive exists in three versions: `lfw` (original), `lfw-funneled`, `lfw-deepfunneled`;
all hold 250 x 250 JPEGs named `Person_Name/Person_Name_0001.jpg`.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from trsfnet.data.faces import FaceSet
from trsfnet.errors import DataError

# Folder names as the archives and scikit-learn's fetcher make them, best aligned first.
_VERSIONS = {
    "deepfunneled": ("lfw-deepfunneled", "lfw_deepfunneled"),
    "funneled": ("lfw-funneled", "lfw_funneled"),
    "original": ("lfw",),
}
_ARCHIVE_SUFFIXES = (".tar", ".tgz", ".tar.gz")

# Side in pixels of the central square that is kept of each 250 x 250 image: the face with a margin like
# that of facenet's MTCNN crops. The funneled versions centre the face; the original nearly does.
CROP = 128


@dataclass(frozen=True)
class Person:
    """A line of `people.txt`: a person and how many images there are, numbered from 1."""

    name: str
    images: int


@dataclass(frozen=True)
class NamedPair:
    """A line of `pairs.txt`: two images by person and number, and the fold (0 to 9)."""

    left: tuple[str, int]
    right: tuple[str, int]
    fold: int

    @property
    def same(self) -> bool:
        """Whether both images show one person."""
        return self.left[0] == self.right[0]


@dataclass(frozen=True)
class LfwImages:
    """Where the images are: an archive or a folder of people, and which version of LFW it is."""

    path: Path
    version: str

    def read(self, wanted: Iterable[tuple[str, int]]) -> Iterator[tuple[tuple[str, int], bytes]]:
        """The encoded bytes of the `wanted` (person, number) images, in the order of storage.

        Raises:
            DataError: an image is missing, or the archive is damaged.
        """
        names = {f"{person}/{person}_{number:04d}.jpg": (person, number) for person, number in wanted}
        if self.path.is_dir():
            for name, key in names.items():
                file = self.path / name
                if not file.is_file():
                    raise DataError(f"LFW image {name} is missing in {self.path}.")
                yield key, file.read_bytes()
            return
        try:
            with tarfile.open(self.path) as archive:
                for member in archive:
                    key = names.pop("/".join(member.name.split("/")[-2:]), None)
                    file = archive.extractfile(member) if key else None
                    if key and file:
                        yield key, file.read()
        except (tarfile.TarError, EOFError, OSError) as error:
            raise DataError(f"The LFW archive {self.path} is damaged: {error}.") from error
        if names:
            raise DataError(
                f"LFW image {next(iter(names))} and {len(names) - 1} others are missing in {self.path}."
            )


def find_lfw(root: Path) -> LfwImages:
    """LFW under `root`: an extracted folder or an archive, in `root`, `root/lfw` or `root/lfw_home`.

    Raises:
        DataError: there is none; the sentence lists the names looked for.
    """
    for folder in (root, root / "lfw", root / "lfw_home"):
        for version, names in _VERSIONS.items():
            for name in names:
                if _holds_people(folder / name):
                    return LfwImages(folder / name, version)
                for suffix in _ARCHIVE_SUFFIXES:
                    if (folder / f"{name}{suffix}").is_file():
                        return LfwImages(folder / f"{name}{suffix}", version)
    names = ", ".join(name for group in _VERSIONS.values() for name in group)
    raise DataError(
        f"No LFW images in {root}: expected a folder or .tar/.tgz archive named one of {names}, there or in "
        "its lfw folder."
    )


def _holds_people(folder: Path) -> bool:
    """Whether `folder` has subfolders of images: `root/lfw` may be the images or just hold an archive."""
    return folder.is_dir() and next(folder.glob("*/*_0001.jpg"), None) is not None


def fetch_lfw(data_home: Path | None = None) -> LfwImages:
    """LFW through scikit-learn's fetcher, which downloads the funneled version (about 230 MB) once.

    Args:
        data_home: scikit-learn's data folder, by default its own choice (`~/scikit_learn_data`).

    Raises:
        DataError: the download failed.
    """
    from sklearn.datasets import fetch_lfw_people, get_data_home

    try:
        # Only the person with the most images is decoded: what matters here is the download.
        fetch_lfw_people(data_home=data_home, min_faces_per_person=500)
    except OSError as error:
        raise DataError(
            f"LFW is not on this machine and its download failed ({error}): "
            "set TRSFNET_DATA, or data_root, to a folder that holds lfw-deepfunneled.tgz."
        ) from error
    except ValueError:
        # No person has that many images, as in a subset of LFW; the files are there nonetheless.
        pass
    return find_lfw(Path(get_data_home(data_home)))


def read_people(path: Path | None = None) -> list[list[Person]]:
    """The ten sets of people of View 2.

    Args:
        path: LFW's `people.txt`, by default the copy in the package.

    Raises:
        DataError: a line is malformed; the sentence names file and line.
    """
    source = Path(str(resources.files("trsfnet.data"))) / "lfw_people.txt" if path is None else path
    lines = _Lines(source)
    sets = []
    for _ in range(lines.integers(1)[0]):
        people = []
        for _ in range(lines.integers(1)[0]):
            name, images = lines.fields(2)
            people.append(Person(name, lines.integer(images)))
        sets.append(people)
    return sets


def read_pairs(path: Path) -> list[NamedPair]:
    """The 6,000 pairs of View 2, fold by fold, 300 of one person and then 300 of two.

    Args:
        path: LFW's `pairs.txt`.

    Raises:
        DataError: a line is malformed; the sentence names file and line.
    """
    lines = _Lines(path)
    folds, per_fold = lines.integers(2)
    pairs = []
    for fold in range(folds):
        for _ in range(per_fold):
            name, a, b = lines.fields(3)
            pairs.append(NamedPair((name, lines.integer(a)), (name, lines.integer(b)), fold))
        for _ in range(per_fold):
            left, a, right, b = lines.fields(4)
            if left == right:
                raise DataError(f"{path}, line {lines.number}: a pair of two people names {left} twice.")
            pairs.append(NamedPair((left, lines.integer(a)), (right, lines.integer(b)), fold))
    return pairs


class _Lines:
    """The tab-separated lines of one of LFW's text files, with errors that name the line."""

    def __init__(self, path: Path) -> None:
        try:
            self._lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise DataError(f"Cannot read {path}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not a text file: {error.reason} at byte {error.start}.") from error
        self.path = path
        self.number = 0

    def fields(self, count: int) -> list[str]:
        """The fields of the next line, which must be `count`."""
        self.number += 1
        if self.number > len(self._lines):
            raise DataError(f"{self.path} ends at line {len(self._lines)}, where more lines were announced.")
        fields = self._lines[self.number - 1].split("\t")
        if len(fields) != count:
            raise DataError(
                f"{self.path}, line {self.number}: expected {count} tab-separated fields, got {len(fields)}."
            )
        return fields

    def integer(self, text: str) -> int:
        """`text` as a positive number."""
        if not text.isascii() or not text.isdigit() or int(text) == 0:
            raise DataError(f"{self.path}, line {self.number}: expected a positive number, got {text!r}.")
        return int(text)

    def integers(self, count: int) -> list[int]:
        """The next line as `count` positive numbers."""
        return [self.integer(text) for text in self.fields(count)]


def load_people(source: LfwImages, people: list[Person], size: int) -> FaceSet:
    """All images of `people` as central crops of `size` pixels, sorted by person and number.

    Raises:
        DataError: an image is missing or cannot be decoded.
    """
    people = sorted(people, key=lambda person: person.name)
    order = {
        key: i for i, key in enumerate((p.name, number) for p in people for number in range(1, p.images + 1))
    }
    images = np.empty((len(order), size, size, 3), dtype=np.uint8)
    progress = tqdm(source.read(order), "decoding LFW", total=len(order), unit="image", disable=None)
    for key, encoded in progress:
        images[order[key]] = _crop(encoded, size, f"{key[0]}_{key[1]:04d}.jpg")
    label_of = {person.name: label for label, person in enumerate(people)}
    labels = np.array([label_of[name] for name, _ in order], dtype=np.int64)
    return FaceSet(images, labels, tuple(label_of))


def _crop(encoded: bytes, size: int, name: str) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            left, top = (image.width - CROP) / 2, (image.height - CROP) / 2
            box = (left, top, left + CROP, top + CROP)
            face = image.convert("RGB").resize(
                (size, size), Image.Resampling.BICUBIC, box=box, reducing_gap=3
            )
    except UnidentifiedImageError as error:
        raise DataError(f"LFW image {name} cannot be decoded: it is not an image.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"LFW image {name} cannot be decoded: {error}.") from error
    return np.asarray(face)
