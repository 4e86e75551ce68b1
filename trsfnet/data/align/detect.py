"""Faces in photographs, found by MTCNN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from trsfnet.errors import ConfigError, DataError

# facenet's settings of MTCNN: the smallest face in pixels, and the thresholds of the three networks.
SMALLEST_FACE = 20
THRESHOLDS = (0.6, 0.7, 0.7)


@dataclass(frozen=True)
class Face:
    """A face in an image, in pixels from its upper left corner.

    Attributes:
        box: float [4], left, top, right, bottom.
        points: float [5, 2], x and y of the left eye, right eye, nose tip, left and right mouth corner (left
            as seen).
        probability: how sure the detector is, 0 to 1.
    """

    box: np.ndarray
    points: np.ndarray
    probability: float


class Detector(Protocol):
    """What finds faces."""

    def __call__(self, images: np.ndarray) -> list[list[Face]]:
        """The faces in each of some images of one size.

        Args:
            images: uint8 [B, H, W, 3], RGB.

        Raises:
            DataError: the detector cannot cope with one of the images.
        """


def choose(faces: Sequence[Face], height: int, width: int) -> Face:
    """The face that an image is of, by facenet's rule: large and near the middle.

    It is the one with the largest area minus twice the squared distance of its centre from the image's
    (`align_dataset_mtcnn.py` of davidsandberg/facenet).

    Args:
        faces: one or more.
        height: of the image.
        width: of the image.
    """

    def merit(face: Face) -> float:
        left, top, right, bottom = face.box
        area = (right - left) * (bottom - top)
        offset = ((left + right - width) / 2) ** 2 + ((top + bottom - height) / 2) ** 2
        return area - 2 * offset

    return max(faces, key=merit)


class Mtcnn:
    """facenet-pytorch's MTCNN, whose weights come with it."""

    def __init__(self, device: str = "cpu") -> None:
        """Load the networks.

        Args:
            device: where to compute, such as `cuda`.

        Raises:
            ConfigError: facenet-pytorch is not installed.
        """
        try:
            from facenet_pytorch import MTCNN
        except ImportError as error:
            raise ConfigError(
                f"Alignment needs facenet-pytorch ({error}): pip install 'trsfnet[faces]'."
            ) from error
        self._mtcnn = MTCNN(min_face_size=SMALLEST_FACE, thresholds=list(THRESHOLDS), device=device)

    def __call__(self, images: np.ndarray) -> list[list[Face]]:
        """The faces in `images`, see `Detector`."""
        # Smaller images make an empty pyramid, at which facenet-pytorch stumbles.
        if min(images.shape[1:3]) < SMALLEST_FACE:
            return [[] for _ in images]
        try:
            found = self._mtcnn.detect(images, landmarks=True)
        except (IndexError, RuntimeError) as error:
            # A candidate wholly outside its image makes facenet-pytorch lose count (IndexError) or, if it is
            # the only one, find nothing to look at.
            if isinstance(error, RuntimeError) and "non-empty list" not in str(error):
                raise
            raise DataError(f"MTCNN failed on it: {str(error).rstrip('.')}.") from error
        return [
            [
                Face(np.asarray(box, np.float64), np.asarray(points, np.float64), float(probability))
                for box, probability, points in zip(*image, strict=True)
            ]
            if image[0] is not None
            else []
            for image in zip(*found, strict=True)
        ]
