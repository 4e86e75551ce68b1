"""The face crops of IJB-B and IJB-C, `<root>/loose_crop`, with the landmarks that align them."""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from pathlib import Path

import numpy as np

from trsfnet.data.folder_index import wrong_link
from trsfnet.data.ijb_meta import read_templates
from trsfnet.data.source import Source
from trsfnet.data.warp import TEMPLATE_SIZE, warp_face
from trsfnet.errors import DataError


class IjbImages(Source):
    """Loosely cropped faces in the order of the meta files.

    The files of 1:1 verification name no people, so that a template stands for an identity.

    Attributes:
        root: the folder that holds `meta/` and `loose_crop/`.
        dataset: `ijbb` or `ijbc`.
        folder: where the images are.
        templates: names, landmarks, detector scores and templates of the images.
        labels: int64 [N], template of each image, as `templates.rows`.
        identities: the template ids.
    """

    def __init__(self, root: Path, dataset: str, *, skip: bool = False) -> None:
        """Read the meta files; images are opened when asked for.

        Args:
            root: the folder that holds `meta/` and `loose_crop/`.
            dataset: `ijbb` or `ijbc`.
            skip: let the version be of images some of which are missing, instead of refusing it.

        Raises:
            DataError: a meta file is missing or malformed.
        """
        self.root, self.dataset, self._skip = root, dataset, skip
        self.folder = root / "loose_crop"
        self.templates = read_templates(root, dataset)
        self.labels = self.templates.rows.astype(np.int64)
        self.identities = tuple(map(str, self.templates.ids))

    @cached_property
    def version(self) -> str:
        """The dataset, and a hash of the images' names and sizes and of what the meta files say of them."""
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
        """The image's own file."""
        return self.folder / self.templates.names[index]

    def encoded(self, index: int) -> bytes:
        """The bytes of one image file.

        Raises:
            DataError: it cannot be read.
        """
        file = self.file(index)
        if file.is_symlink() and (problem := wrong_link(str(file), os.path.realpath(self.folder))):
            raise DataError(f"{problem}.")
        try:
            return file.read_bytes()
        except OSError as error:
            raise self._unreadable(index, error) from error

    def name(self, index: int) -> str:
        """Its name in the meta files."""
        return self.templates.names[index]

    def warped(self, index: int, size: int = TEMPLATE_SIZE) -> np.ndarray:
        """One face moved to the 5-point template: uint8 [size, size, 3], RGB.

        Raises:
            DataError: the image cannot be read or decoded, or its landmarks are not those of a face.
        """
        image = self.image(index)
        try:
            return warp_face(image, self.templates.landmarks[index], size)
        except DataError as error:
            raise DataError(f"{self.name(index)}: {error}") from error

    def _unreadable(self, index: int, error: OSError) -> DataError:
        return DataError(f"Image {self.name(index)} of {self.folder} cannot be read: {error.strerror}.")
