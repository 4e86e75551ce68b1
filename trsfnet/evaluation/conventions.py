"""How facenet and insightface get from a network's outputs to LFW's numbers.

The choices alone move them by points: facenet's published model has an accuracy of 0.984 by facenet's own
convention, 0.982 without mirror images, 0.980 without mean subtraction and 0.978 by Euclidean distance
(facenet's wiki). Both projects share the rest: ten folds in the order of `pairs.txt`, the grids of
thresholds, and the linear interpolation of the threshold at a FAR.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trsfnet.data.faces import Pairs
from trsfnet.errors import ConfigError, choice
from trsfnet.evaluation.distances import DISTANCES, fold_distances, unit_rows
from trsfnet.evaluation.lfw_protocol import TenFoldScores

FLIPS = ("none", "concatenate", "sum")


@dataclass(frozen=True)
class Convention:
    """One way of verifying pairs.

    Attributes:
        name: whose it is.
        pixel_divisor: a pixel x enters the network as (x - 127.5) / pixel_divisor.
        flip: what the mirror image adds: nothing (`none`), the unit embedding of it, appended
            (`concatenate`), or its embedding, added before normalisation (`sum`).
        distance: `euclidean` (squared) or `cosine` (angle over pi).
        subtract_mean: subtract the mean embedding of the training folds before measuring.
    """

    name: str
    pixel_divisor: float
    flip: str
    distance: str
    subtract_mean: bool

    def __post_init__(self) -> None:
        """Reject what no code would understand."""
        choice("flip", self.flip, FLIPS)
        choice("distance", self.distance, DISTANCES)

    def combine(self, plain: np.ndarray, mirrored: np.ndarray | None = None) -> np.ndarray:
        """One embedding for each image.

        Args:
            plain: [N, D], the network's outputs for the images, not normalised.
            mirrored: [N, D], those for their mirror images; needed unless `flip` is `none`.

        Returns:
            [N, D], rows of unit length; or [N, 2D], two unit vectors side by side, for `concatenate`, whose
            squared distances therefore reach 8 while facenet's thresholds end at 4.

        Raises:
            ConfigError: the mirror images' outputs are missing or of another shape.
        """
        if self.flip == "none":
            return unit_rows(plain)
        if mirrored is None or mirrored.shape != plain.shape:
            shape = "none" if mirrored is None else mirrored.shape
            raise ConfigError(
                f"The convention {self.name!r} needs outputs {plain.shape} for the mirror images as well, "
                f"got {shape}."
            )
        if self.flip == "sum":
            return unit_rows(plain + mirrored)
        return np.concatenate([unit_rows(plain), unit_rows(mirrored)], axis=1)

    def score(
        self, pairs: Pairs, labels: np.ndarray, plain: np.ndarray, mirrored: np.ndarray | None = None
    ) -> TenFoldScores:
        """What View 2 by this convention is computed from.

        Args:
            pairs: pairs of images in folds.
            labels: int [N], person of each image.
            plain: [N, D], the network's outputs for the images, not normalised.
            mirrored: [N, D], those for their mirror images; needed unless `flip` is `none`.
        """
        embeddings = self.combine(plain, mirrored)
        distances = fold_distances(
            embeddings[pairs.left],
            embeddings[pairs.right],
            pairs.folds,
            distance=self.distance,
            subtract_mean=self.subtract_mean,
        )
        people = np.stack([labels[pairs.left], labels[pairs.right]], axis=1)
        return TenFoldScores(distances, pairs.same, pairs.folds, people)


# facenet while it trains: its options' defaults, and the measure of this project's tracks.
FACENET_TRAINING = Convention("facenet-training", 128.0, "none", "euclidean", subtract_mean=False)
# facenet's `validate_on_lfw.py` with the options by which its models' published numbers were made.
FACENET = Convention("facenet", 128.0, "concatenate", "cosine", subtract_mean=True)
# insightface's `verification.py`: (x / 255 - 0.5) / 0.5, and no use of the mean.
INSIGHTFACE = Convention("insightface", 127.5, "sum", "euclidean", subtract_mean=False)

CONVENTIONS = {convention.name: convention for convention in (FACENET_TRAINING, FACENET, INSIGHTFACE)}
