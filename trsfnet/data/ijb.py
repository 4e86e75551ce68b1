"""The face crops of IJB-B and IJB-C, `<root>/loose_crop`, with the landmarks for aligning them."""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from pathlib import Path

import numpy as np

from trsfnet.data.decode import decode
from trsfnet.data.folder_index import wrong_link
from trsfnet.data.ijb_meta import read_templates
from trsfnet.data.source import Source
from trsfnet.data.warp import TEMPLATE_SIZE, warp_face
from trsfnet.errors import DataError


class IjbImages(Source):
    """Loosely cropped faces in the order of the metadata files.

    The files of 1:1 verification do not name people, so each template counts as an identity.

    Attributes:
        root: the folder that contains `meta/` and `loose_crop/`.
        dataset: `ijbb` or `ijbc`.
        folder: the folder of the images.
        templates: names, landmarks, detector scores and templates of the images.
        labels: int64 [N], template of each image, as `templates.rows`.
        identities: the template ids.
    """

    def __init__(self, root: Path, dataset: str, *, skip: bool = False) -> None:
        """Read the metadata files; images are opened on demand.

        Args:
            root: the folder that contains `meta/` and `loose_crop/`.
            dataset: `ijbb` or `ijbc`.
            skip: compute the version even if some images are missing, instead of raising an error.

        Raises:
            DataError: if a metadata file is missing or malformed.
        """
        self.root, self.dataset, self._skip = root, dataset, skip
        self.folder = root / "loose_crop"
        self.templates = read_templates(root, dataset)
        self.labels = self.templates.rows.astype(np.int64)
        self.identities = tuple(map(str, self.templates.ids))

    @cached_property
    def version(self) -> str:
        """The dataset with a hash of the images' names, sizes and metadata."""
        digest = hashlib.sha256()
        for index, name in enumerate(self.templates.names):
            try:
                size = (self.folder / name).stat().st_size
            except OSError as error:
                if not self._skip:
                    raise self._unreadable(index, error) from error
                size = -1
            digest.update(f"{name}\0{size}\0".encode())
        t = self.templates
        for column in (t.landmarks, t.detector_scores, t.ids, t.rows, t.media):
            digest.update(column)
        return f"{self.dataset}-{digest.hexdigest()[:16]}"

    def file(self, index: int) -> Path:
        """Return the path of the image's file."""
        return self.folder / self.templates.names[index]

    def encoded(self, index: int) -> bytes:
        """Return the content of the image's file.

        Raises:
            DataError: if it cannot be read.
        """
        file = self.file(index)
        if file.is_symlink() and (problem := wrong_link(str(file), os.path.realpath(self.folder))):
            raise DataError(f"{problem}.")
        try:
            return file.read_bytes()
        except OSError as error:
            raise self._unreadable(index, error) from error

    def name(self, index: int) -> str:
        """Return the image's name in the metadata files."""
        return self.templates.names[index]

    def warped(self, index: int, size: int = TEMPLATE_SIZE, encoded: bytes | None = None) -> np.ndarray:
        """Warp one face to the 5-point template: uint8 [size, size, 3], RGB.

        Args:
            index: number of the image.
            size: side of the result in pixels.
            encoded: content of its file, if that has been read.

        Raises:
            DataError: if the image cannot be read or decoded, or its landmarks are not those of a face.
        """
        image = self.image(index) if encoded is None else decode(encoded, self.name(index))
        try:
            return warp_face(image, self.templates.landmarks[index], size)
        except DataError as error:
            raise DataError(f"{self.name(index)}: {error}") from error

    def _unreadable(self, index: int, error: OSError) -> DataError:
        return DataError(f"Image {self.name(index)} of {self.folder} cannot be read: {error.strerror}.")
