"""Images of Labeled Faces in the Wild, from an official archive or an extracted folder.

There are three versions: `lfw` (original), `lfw-funneled` and `lfw-deepfunneled`. All contain 250 x 250 JPEGs
named `Person_Name/Person_Name_0001.jpg`. `trsfnet.data.lfw_files` reads the lists of people and pairs.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from trsfnet.data.crops import central_crop
from trsfnet.data.decode import decode
from trsfnet.data.faces import FaceSet, Pairs
from trsfnet.data.folder_index import is_picture, kind_of, wrong_link
from trsfnet.data.lfw_files import Person, read_pairs, read_people
from trsfnet.data.source import Source
from trsfnet.errors import DataError
from trsfnet.paths import home_path, variable_path

# Folder names as used by the archives and by scikit-learn's fetcher, best aligned version first.
_VERSIONS = {
    "deepfunneled": ("lfw-deepfunneled", "lfw_deepfunneled"),
    "funneled": ("lfw-funneled", "lfw_funneled"),
    "original": ("lfw",),
}
_ARCHIVE_SUFFIXES = (".tar", ".tgz", ".tar.gz")

_NAME = re.compile(r"([^/]+)/\1_[0-9]{4}\.jpg")

# Side in pixels of LFW's images, and of the central square kept of each: the face with a margin like that of
# facenet's MTCNN crops. The face is centred in the funneled versions and nearly so in the original.
_SIDE = 250
CROP = 128


@dataclass(frozen=True)
class LfwImages:
    """Location of the images, an archive or a folder of people, and their version of LFW."""

    path: Path
    version: str


def find_lfw(root: Path) -> LfwImages:
    """Find LFW under `root`: an extracted folder or an archive, in `root`, `root/lfw` or `root/lfw_home`.

    Raises:
        DataError: if there is none; the message lists the names that were tried.
    """
    for folder in (root, root / "lfw", root / "lfw_home"):
        found = lfw_in(folder)
        if found:
            return found
    names = ", ".join(name for group in _VERSIONS.values() for name in group)
    raise DataError(
        f"No LFW images in {root}: expected a folder or .tar/.tgz archive named one of {names}, there or in "
        "its lfw folder."
    )


def lfw_in(folder: Path) -> LfwImages | None:
    """Return the best aligned version of LFW directly in `folder`, or None."""
    names = (name for group in _VERSIONS.values() for name in group)
    paths = (folder / f"{name}{suffix}" for name in names for suffix in ("", *_ARCHIVE_SUFFIXES))
    return next(filter(None, map(lfw_at, paths)), None)


def lfw_at(path: Path) -> LfwImages | None:
    """Return LFW if `path` itself is its archive or its folder of people, with an official name, or None."""
    suffix = next((s for s in _ARCHIVE_SUFFIXES if path.name.endswith(s)), "")
    name = path.name.removesuffix(suffix)
    version = next((v for v, names in _VERSIONS.items() if name in names), None)
    if version and (path.is_file() if suffix else _holds_people(path)):
        return LfwImages(path, version)
    return None


def _holds_people(folder: Path) -> bool:
    """Return whether `folder` has subfolders of images; `root/lfw` may instead contain an archive."""
    return folder.is_dir() and next(folder.glob("*/*_0001.jpg"), None) is not None


def fetched_lfw() -> LfwImages | None:
    """Return LFW in scikit-learn's data folder, or None if it has not been fetched yet."""
    home = _data_home()
    return next(filter(None, map(lfw_in, (home / "lfw_home", home))), None)


def _data_home() -> Path:
    return variable_path("SCIKIT_LEARN_DATA") or home_path("scikit_learn_data", "LFW", "SCIKIT_LEARN_DATA")


def fetch_lfw(data_home: Path | None = None) -> LfwImages:
    """Fetch LFW with scikit-learn, which downloads the funneled version (about 230 MB) once.

    Args:
        data_home: scikit-learn's data folder; by default `SCIKIT_LEARN_DATA` or `~/scikit_learn_data`.

    Raises:
        DataError: if the download failed.
    """
    from sklearn.datasets import fetch_lfw_people  # slow to import, and needed only for the download

    data_home = data_home or _data_home()
    try:
        # Only the person with the most images is decoded: all that matters here is the download.
        fetch_lfw_people(data_home=data_home, min_faces_per_person=500)
    except OSError as error:
        raise DataError(
            f"LFW is not on this machine and its download failed ({error}): "
            "set TRSFNET_DATA, or data_root, to a folder that holds lfw-deepfunneled.tgz."
        ) from error
    except ValueError:
        # No person has that many images, for example in a subset of LFW; the files exist nonetheless.
        pass
    return find_lfw(data_home)


class LfwSource(Source):
    """Images of LFW by person and number, encoded as published: 250 x 250 JPEGs.

    A `.tar` is read in place, image by image; a compressed archive is unpacked into memory once (131 MB for
    the deep-funneled version).
    """

    def __init__(self, images: LfwImages, people: Sequence[Person] | None = None) -> None:
        """Find every image, without decoding; images are ordered by person's name, then number.

        Args:
            images: location of the images, as returned by `find_lfw`.
            people: people to include, with their numbers of images; by default all 5,749 of `people.txt`.

        Raises:
            DataError: if an image is missing, the archive is damaged, or a person is listed twice.
        """
        all_people = people is None
        if people is None:
            people = [person for members in read_people() for person in members]
        people = sorted(people, key=lambda person: person.name)
        self.identities = tuple(person.name for person in people)
        for name, following in pairwise(self.identities):
            if name == following:
                raise DataError(f"The list of LFW's people to read contains {name} twice.")
        self.labels = np.repeat(np.arange(len(people)), [person.images for person in people])
        self._indices = {
            key: i for i, key in enumerate((p.name, n) for p in people for n in range(1, p.images + 1))
        }
        self._names = [f"{person}/{person}_{number:04d}.jpg" for person, number in self._indices]
        self._path = images.path
        self._unpacked: bytes | None = None
        if images.path.is_dir():
            self._places = _in_folder(images.path, self._names)
            if all_people:
                self.passed_over = _others(images.path, set(self._names))
        else:
            self._unpacked, self._places = _in_archive(images.path, self._names)
        listing = zip(self._names, (place.size for place in self._places), strict=True)
        digest = hashlib.sha256("".join(f"{size} {name}\n" for name, size in listing).encode())
        self._version = f"lfw-{images.version}-{digest.hexdigest()[:16]}"

    @property
    def version(self) -> str:
        """LFW's version and a hash of the images' names and sizes: the same for archive and folder."""
        return self._version

    def name(self, index: int) -> str:
        """Return the image's name, such as `Person_Name/Person_Name_0001.jpg`."""
        return self._names[index]

    def index(self, person: str, number: int) -> int | None:
        """Return the index of image `number` (from 1) of `person` in this source, or None if it is absent."""
        return self._indices.get((person, number))

    def file(self, index: int) -> Path:
        """Return the path of the image's file, or of the archive."""
        return self._places[index].file

    def encoded(self, index: int) -> bytes:
        """Return the content of one JPEG."""
        file, start, size = self._places[index]
        if self._unpacked is not None:
            return self._unpacked[start : start + size]
        try:
            # Reopened each time: an open file would share its position with other threads and forks.
            with file.open("rb") as stream:
                stream.seek(start)
                encoded = stream.read(size)
        except OSError as error:
            raise DataError(f"LFW image {self.name(index)} is no longer in {self._path}: {error}.") from error
        if len(encoded) < size:
            raise DataError(f"LFW image {self.name(index)} is cut short in {self._path}.")
        return encoded

    def central_crop(self, index: int, size: int, encoded: bytes | None = None) -> np.ndarray:
        """Return the face at the centre of one image: uint8 [size, size, 3], RGB.

        Args:
            index: number of the image.
            size: side of the result in pixels.
            encoded: content of its file, if that has been read.

        Raises:
            DataError: if the image is missing, cannot be decoded, or is not 250 x 250 as published.
        """
        name = self.name(index)
        image = decode(encoded or self.encoded(index), f"LFW image {name}")
        return central_face(
            image,
            f"LFW image {name} in {self._path}",
            size,
            f"if these are crops of faces, keep them under another name than {self._path.name}, which stands "
            "for the published images",
        )


def central_face(image: np.ndarray, name: str, size: int, advice: str) -> np.ndarray:
    """Return the face at the centre of a published image: uint8 [size, size, 3], RGB.

    Args:
        image: uint8 [H, W, 3], RGB.
        name: what it is called, for the error message.
        size: side of the result in pixels.
        advice: what to do about an image of another size, for the error message.

    Raises:
        DataError: if the image is not 250 x 250 as published.
    """
    height, width = image.shape[:2]
    if (height, width) != (_SIDE, _SIDE):
        raise DataError(
            f"{name} has {width} x {height} pixels, not {_SIDE} x {_SIDE} as LFW's images are published: "
            f"{advice}."
        )
    return central_crop(image, size, CROP)


class _Place(NamedTuple):
    """Location of an image's bytes."""

    file: Path
    start: int
    size: int


def _in_folder(folder: Path, names: list[str]) -> list[_Place]:
    places = {}
    for name in names:
        file = folder / name
        if file.is_symlink() and (problem := wrong_link(str(file), os.path.realpath(folder))):
            raise DataError(f"{problem}.")
        if file.is_file():
            places[name] = _Place(file, 0, file.stat().st_size)
    return _all_of(names, places, folder)


def present_images(images: LfwImages) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each image present with a valid LFW name, sorted by name.

    Raises:
        DataError: if the archive is damaged.
        OSError: if an image cannot be read.
    """
    if images.path.is_dir():
        files = {f"{file.parent.name}/{file.name}": file for file in images.path.glob("*/*.jpg")}
        yield from ((name, files[name].read_bytes()) for name in sorted(filter(_NAME.fullmatch, files)))
        return
    unpacked, places = _listed(images.path, lambda name: bool(_NAME.fullmatch(name)))
    with images.path.open("rb") if unpacked is None else io.BytesIO(unpacked) as stream:
        for name, place in sorted(places.items()):
            stream.seek(place.start)
            yield name, stream.read(place.size)


def _others(folder: Path, names: set[str]) -> dict[str, int]:
    """Count the files in the folders of people that are not among LFW's images, by kind."""
    kinds: Counter[str] = Counter()
    for person in folder.iterdir():
        if person.is_dir():
            others = [file.name for file in person.iterdir() if f"{person.name}/{file.name}" not in names]
            kinds.update("pictures that LFW does not list" if is_picture(n) else kind_of(n) for n in others)
    return dict(kinds)


def _in_archive(path: Path, names: list[str]) -> tuple[bytes | None, list[_Place]]:
    """Return the archive's content, if it had to be unpacked, and the locations of the images in it."""
    unpacked, places = _listed(path, set(names).__contains__)
    return unpacked, _all_of(names, places, path)


def _listed(path: Path, wanted: Callable[[str], bool]) -> tuple[bytes | None, dict[str, _Place]]:
    """Return the same as `_in_archive`, for those of the wanted images that are present, by name."""
    places: dict[str, _Place] = {}
    unpacked = None
    try:
        with path.open("rb") as start:
            compressed = start.read(2) == b"\x1f\x8b"
        if compressed:
            unpacked = gzip.decompress(path.read_bytes())
        with tarfile.open(path, "r:", None if unpacked is None else io.BytesIO(unpacked)) as archive:
            for member in archive:
                if member.size < 0:  # the next entry would be the same one, in an endless loop
                    raise tarfile.ReadError(f"{member.name} has a negative size")
                name = "/".join(member.name.split("/")[-2:])
                if wanted(name) and member.isreg():
                    if name in places:
                        raise DataError(f"The LFW archive {path} holds {name} twice.")
                    places[name] = _Place(path, member.offset_data, member.size)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, ArithmeticError) as error:
        raise DataError(f"The LFW archive {path} is damaged: {error}.") from error
    return unpacked, places


def _all_of(names: list[str], places: dict[str, _Place], path: Path) -> list[_Place]:
    missing = [name for name in names if name not in places]
    if missing:
        others = f" and {len(missing) - 1} others are" if len(missing) > 1 else " is"
        raise DataError(f"LFW image {missing[0]}{others} missing in {path}.")
    return [places[name] for name in names]


def lfw_pairs(find: Callable[[str, int], int | None], path: Path) -> Pairs:
    """Return the pairs listed in one of LFW's files, as indices of images.

    Args:
        find: returns the index of an image by person and number, or None if it is absent: `LfwSource.index`,
            or its equivalent for another source of LFW's images.
        path: `pairs.txt` for View 2's 6,000 pairs in ten folds; `pairsDevTrain.txt` or `pairsDevTest.txt` for
            View 1, in one fold.

    Raises:
        DataError: if a line is malformed or names an absent image; the message states file and line.
    """
    pairs = read_pairs(path)
    indices = np.empty((len(pairs), 2), dtype=np.int64)
    for row, pair in zip(indices, pairs, strict=True):
        for side, (person, number) in enumerate((pair.left, pair.right)):
            index = find(person, number)
            if index is None:
                raise DataError(
                    f"{path}, line {pair.line}: image {number} of {person} is not among the images."
                )
            row[side] = index
    same, folds = np.array([p.same for p in pairs]), np.array([p.fold for p in pairs])
    return Pairs(indices[:, 0], indices[:, 1], same, folds)


def load_people(source: LfwImages, people: list[Person], size: int) -> FaceSet:
    """Load all images of `people` as central crops of `size` pixels, sorted by person and number.

    Raises:
        DataError: if an image is missing or cannot be decoded, or is not 250 x 250 as published.
    """
    faces = LfwSource(source, people)
    images = np.empty((len(faces), size, size, 3), dtype=np.uint8)
    for i in tqdm(range(len(faces)), "decoding LFW", unit="image", disable=None):
        images[i] = faces.central_crop(i, size)
    return FaceSet(images, faces.labels, faces.identities)
