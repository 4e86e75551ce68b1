"""Align any source of photographs into a folder of face crops with a subfolder per identity."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
from PIL import Image
from tqdm import tqdm

from trsfnet.data.align.detect import Detector, Face, choose
from trsfnet.data.align.report import PASSED_OVER, Report, face_columns
from trsfnet.data.align.state import ImageState, ImageStates
from trsfnet.data.crops import central_crop, check_size, facenet_crop, margin_crop
from trsfnet.data.decode import decode
from trsfnet.data.files import native, writing
from trsfnet.data.folder import left_out
from trsfnet.data.locking import locked_folder
from trsfnet.data.source import Source
from trsfnet.data.verification_bin import VerificationBin
from trsfnet.data.warp import warp_face
from trsfnet.errors import ConfigError, DataError, choice
from trsfnet.paths import user_path

MISSING = ("crop", "skip")

# A single visible file or folder name: no path separators, not hidden, no control characters, valid UTF-8.
_FILE_NAME = re.compile(r"(?!\.)[^\x00-\x1f/\\\ud800-\udfff]+")

# Share of the image that insightface keeps if no face is detected (`face_preprocess.py`).
_CENTRAL_SHARE = 7 / 8

# The detector receives up to `_BATCH` images of one size at once, with at most `_BATCH_PIXELS` pixels in
# total. Up to `_WAITING_PIXELS` pixels of images wait for others of the same size.
_BATCH = 32
_BATCH_PIXELS = 2**22
_WAITING_PIXELS = 2**25


@dataclass(frozen=True)
class MarginCrop:
    """facenet-pytorch's crop: the box and a margin proportional to it, see `margin_crop`."""

    kind: ClassVar[str] = "margin"
    whose: ClassVar[str] = "facenet-pytorch's: the margin is a share of the face, the same for all"
    size: int = 160
    margin: int = 32

    def __post_init__(self) -> None:
        check_size(self.size)
        if not 0 <= self.margin < self.size:
            raise ConfigError(f"margin must be from 0 to {self.size - 1} pixels, got {self.margin}.")

    def __call__(self, image: np.ndarray, face: Face) -> np.ndarray:
        """Crop `face` from `image`: uint8 [size, size, 3]."""
        return margin_crop(image, face.box, self.size, self.margin)


@dataclass(frozen=True)
class FacenetCrop:
    """facenet's own crop: the box and a margin in pixels of the photograph, see `facenet_crop`."""

    kind: ClassVar[str] = "facenet"
    whose: ClassVar[str] = "facenet's: the margin is in pixels of the photograph, more for small faces"
    size: int = 160
    margin: int = 32

    def __post_init__(self) -> None:
        check_size(self.size)
        if self.margin < 0:
            raise ConfigError(f"margin must be 0 pixels or more, got {self.margin}.")

    def __call__(self, image: np.ndarray, face: Face) -> np.ndarray:
        """Crop `face` from `image`: uint8 [size, size, 3]."""
        return facenet_crop(image, face.box, self.size, self.margin)


@dataclass(frozen=True)
class WarpCrop:
    """ArcFace's crop: the five landmarks are moved to fixed positions, see `warp_face`."""

    kind: ClassVar[str] = "warp"
    whose: ClassVar[str] = "ArcFace's: five points of the face lie at fixed places"
    size: int = 112

    def __post_init__(self) -> None:
        check_size(self.size)

    def __call__(self, image: np.ndarray, face: Face) -> np.ndarray:
        """Crop `face` from `image`: uint8 [size, size, 3]."""
        return warp_face(image, face.points, self.size)


Crop = MarginCrop | FacenetCrop | WarpCrop


def align_faces(
    source: Source,
    target: Path,
    detector: Detector,
    crop: Crop,
    *,
    missing: str = "crop",
) -> dict[str, int]:
    """Write a crop of each image's face to `<target>/<identity>/<image>.png`, and `<target>/report.csv`.

    Images of one identity whose names differ only in their suffixes keep them: `1.jpg` and `1.png` become
    `1.jpg.png` and `1.png.png`. The names therefore depend on the source alone, not on the order in which
    images were added to it, and the report gives the crop of every image.

    If the process is killed at any time, the same call resumes; an existing crop is always complete. Images
    that cannot be decoded, whose crop's name is too long, or that the source leaves out are listed in the
    report without stopping the alignment. If called again after images were added, repaired or replaced, it
    processes these, and it retries images that failed.

    Args:
        source: photographs, each with one person's face near the centre.
        target: folder to write to: a new one, or one that the same call began.
        detector: face detector.
        crop: method of cropping the faces.
        missing: treatment of images without a detected face: `crop` the centre, or `skip` the image.

    Returns:
        Number of images with each status, by the names in `STATUSES`.

    Raises:
        ConfigError: if the value of `missing` is unknown.
        DataError: if `target` holds something else or crops of images that `source` does not have, or cannot
            be written to; names of images in `source` would lead out of the target or are equal; or
            `source` is a verification set, which has no identities.
    """
    choice("missing", missing, MISSING)
    target = user_path(target)
    files = _files(source)
    settings = {"crop": crop.kind, **asdict(crop), "missing": missing}
    with writing(target), locked_folder(target):
        _claim(target, settings, source.version)
        images = ImageStates(source, target, files)
        report = Report(target / "report.csv", images.keep)
        images.begin()
        report.add(_row(kind, PASSED_OVER, note=f"{n:,} of them") for kind, n in source.passed_over.items())
        report.add(_row(name, "left out", note=sentence) for name, sentence in left_out(source).items())
        todo = images.todo()
        done = len(source) - len(todo)
        with tqdm(total=len(source), initial=done, desc="aligning", unit="image", disable=None) as progress:
            for photographs in _batches(source, todo, report, images, progress):
                found = _detect(detector, [photograph.pixels for photograph in photographs])
                rows = [
                    _write(photograph, faces, target, files[photograph.index], crop, missing)
                    for photograph, faces in zip(photographs, found, strict=True)
                ]
                images.note((photograph.name, photograph.state) for photograph in photographs)
                report.add(rows)
                progress.update(len(rows))
    return dict(report.counts)


def _files(source: Source) -> list[str]:
    """Return a distinct relative path for each image's crop: `<identity>/<image>.png`."""
    if isinstance(source, VerificationBin):
        raise DataError(
            f"{PurePosixPath(source.name(0)).parent} is a verification set, which names no people for the "
            "target's folders and whose faces are aligned already: use it as it is."
        )
    known = set(Image.registered_extensions())
    short, full = [], []
    for index, label in enumerate(source.labels):
        identity, name = source.identities[label], source.name(index)
        last = PurePosixPath(name).name
        stem, suffix = os.path.splitext(last)
        stem = stem if suffix.lower() in known else last
        for part in (identity, stem):
            if not _FILE_NAME.fullmatch(part):
                raise DataError(
                    f"{part!r} cannot name a file or folder in the target: rename the image {name!r} or its "
                    "identity."
                )
        short.append(f"{identity}/{stem}.png")
        full.append(f"{identity}/{last}.png")
    files = _distinct(short, full)
    taken: dict[str, int] = {}
    for index, file in enumerate(files):
        other = taken.setdefault(file, index)
        if other != index:
            raise DataError(
                f"The images {source.name(other)!r} and {source.name(index)!r} would both become {file}: "
                "rename one."
            )
    return files


def _distinct(short: list[str], full: list[str]) -> list[str]:
    """Return the short name of each item, or the full one where several items would have the same name."""
    while True:
        uses = Counter(short)
        names = [long if uses[name] > 1 else name for name, long in zip(short, full, strict=True)]
        if names == short:
            return names
        short = names  # a full name may equal the short one of another item


def _claim(target: Path, settings: dict[str, object], version: str) -> None:
    """Record the settings in a new `target`; reject one that was not begun with the same settings.

    Earlier versions also recorded the version of the source, because they could not detect changed images.
    """
    path = target / "align.json"
    if not path.exists():
        if any(not file.name.startswith(".") for file in target.iterdir()):
            raise DataError(f"{target} is not empty and was not made by align: choose another target.")
        _note(path, settings)
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    same_source = isinstance(found, dict) and found.pop("source", version) == version
    if not same_source or found != settings:
        raise DataError(
            f"{target} holds crops made with other settings or of other images ({found}, now {settings}): "
            "choose another target."
        )
    _note(path, settings)


def _note(path: Path, settings: dict[str, object]) -> None:
    aside = path.with_name(".align.json.partial")
    aside.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    os.replace(aside, path)


@dataclass(frozen=True)
class _Photograph:
    """An image of the source in memory, with the state by which later changes are detected."""

    index: int
    name: str
    pixels: np.ndarray
    state: ImageState


def _batches(
    source: Source, todo: list[int], report: Report, images: ImageStates, progress: tqdm
) -> Iterator[list[_Photograph]]:
    """Yield batches of images of one size for the detector."""
    waiting: dict[tuple[int, ...], list[_Photograph]] = {}
    pixels = 0
    for index in todo:
        name, state = source.name(index), None
        try:
            encoded, state = images.read(index)
            image = decode(encoded, name)
        except DataError as error:
            images.note([(name, state)] if state else [])
            report.add([_row(name, "failed", note=str(error))])
            progress.update()
            continue
        group = waiting.setdefault(image.shape, [])
        group.append(_Photograph(index, name, image, state))
        height, width, _ = image.shape
        pixels += height * width
        full = image.shape if len(group) >= min(_BATCH, max(1, _BATCH_PIXELS // (height * width))) else None
        if full is None and pixels >= _WAITING_PIXELS:
            full = max(waiting, key=lambda shape: len(waiting[shape]))
        if full is not None:
            ready = waiting.pop(full)
            pixels -= len(ready) * full[0] * full[1]
            yield ready
    yield from waiting.values()


def _detect(detector: Detector, images: list[np.ndarray]) -> list[list[Face] | DataError]:
    """Return the faces in each image, or the error if the detector failed on it."""
    try:
        return list(detector(np.stack(images)))
    except DataError as error:
        if len(images) == 1:
            return [error]
        return [_detect(detector, [image])[0] for image in images]


def _write(
    photograph: _Photograph,
    faces: list[Face] | DataError,
    target: Path,
    file: str,
    crop: Crop,
    missing: str,
) -> dict[str, object]:
    """Write the crop of one image and return its row of the report."""
    name, image = photograph.name, photograph.pixels
    if isinstance(faces, DataError):
        return _row(name, "failed", note=str(faces))
    if not faces and missing == "skip":
        return _row(name, "none")
    face = choose(faces, *image.shape[:2]) if faces else None
    found: dict[str, object] = {"faces": len(faces), **face_columns(face)} if face else {}
    try:
        _save(crop(image, face) if face else _middle(image, crop.size), target / native(file))
    except DataError as error:
        return _row(name, "failed") | {"note": str(error)} | found
    status = ("none", "found", "chosen")[min(len(faces), 2)]
    return _row(name, status) | {"done": "face" if face else "centre", "file": file} | found


def _middle(image: np.ndarray, size: int) -> np.ndarray:
    return central_crop(image, size, _CENTRAL_SHARE * min(image.shape[:2]))


def _row(name: str, status: str, *, done: str = "skipped", **more: object) -> dict[str, object]:
    return {"name": name, "status": status, "done": done, "faces": 0, **more}


def _save(pixels: np.ndarray, path: Path) -> None:
    """Write to a temporary file, then rename it, so that an existing file is always complete.

    Raises:
        DataError: if the name is too long for the file system.
    """
    # A short name, however long the crop's is; only one process writes to the target, one crop at a time.
    aside = path.with_name(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(aside, "PNG")
        os.replace(aside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        if error.errno == errno.ENAMETOOLONG:
            raise DataError(f"Cannot write {path}: {error.strerror}.") from error
        raise
