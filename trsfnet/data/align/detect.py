"""Face detection in photographs with MTCNN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from trsfnet.errors import ConfigError, DataError

# facenet's settings for MTCNN: the smallest face in pixels, and the thresholds of the three networks.
SMALLEST_FACE = 20
THRESHOLDS = (0.6, 0.7, 0.7)


@dataclass(frozen=True)
class Face:
    """A face in an image, with coordinates in pixels from the image's upper left corner.

    Attributes:
        box: float [4]: left, top, right, bottom.
        points: float [5, 2], x and y of the left eye, right eye, nose tip, left and right mouth corner (left
            as seen in the image).
        probability: the detector's confidence, 0 to 1.
    """

    box: np.ndarray
    points: np.ndarray
    probability: float


class Detector(Protocol):
    """A face detector."""

    def __call__(self, images: np.ndarray) -> list[list[Face]]:
        """Detect the faces in a batch of images of the same size.

        Args:
            images: uint8 [B, H, W, 3], RGB.

        Returns:
            The faces in each image.

        Raises:
            DataError: if the detector fails on one of the images.
        """


def choose(faces: Sequence[Face], height: int, width: int) -> Face:
    """Choose the subject of an image by facenet's rule: a large face near the centre.

    The chosen face has the largest value of its area minus twice the squared distance of its centre from the
    image centre (`align_dataset_mtcnn.py` of davidsandberg/facenet).

    Args:
        faces: at least one face.
        height: height of the image in pixels.
        width: width of the image in pixels.
    """

    def merit(face: Face) -> float:
        left, top, right, bottom = face.box
        area = (right - left) * (bottom - top)
        offset = ((left + right - width) / 2) ** 2 + ((top + bottom - height) / 2) ** 2
        return area - 2 * offset

    return max(faces, key=merit)


class Mtcnn:
    """facenet-pytorch's MTCNN, with the weights included in that package."""

    def __init__(self, device: str = "cpu") -> None:
        """Load the networks.

        Args:
            device: device of the computation, such as `cuda`.

        Raises:
            ConfigError: if facenet-pytorch is not installed.
        """
        try:
            from facenet_pytorch import MTCNN  # optional: in the extra `faces`
        except ImportError as error:
            raise ConfigError(
                f"Alignment needs facenet-pytorch ({error}): pip install 'trsfnet[faces]'."
            ) from error
        self._mtcnn = MTCNN(min_face_size=SMALLEST_FACE, thresholds=list(THRESHOLDS), device=device)

    def __call__(self, images: np.ndarray) -> list[list[Face]]:
        """Detect the faces in `images`, see `Detector`."""
        # facenet-pytorch fails on smaller images, whose image pyramid is empty.
        if min(images.shape[1:3]) < SMALLEST_FACE:
            return [[] for _ in images]
        try:
            found = self._mtcnn.detect(images, landmarks=True)
        except (IndexError, RuntimeError) as error:
            # A candidate box entirely outside its image makes facenet-pytorch raise IndexError, or, if it is
            # the only candidate, RuntimeError.
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
