"""How facenet and insightface turn a network's outputs into LFW accuracy and TAR.

These choices alone change the results by percentage points: facenet's published model reaches an accuracy of
0.984 under facenet's own convention, 0.982 without mirror images, 0.980 without mean subtraction and 0.978
with Euclidean distance (facenet's wiki). Everything else is the same in both projects: ten folds in the order
of `pairs.txt`, the threshold grids, and linear interpolation of the threshold at a given FAR.
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
    """A convention for verifying pairs.

    Attributes:
        name: name of the convention.
        flip: how the mirror image is used: not at all (`none`), by appending its unit-length embedding
            (`concatenate`), or by adding its embedding before normalisation (`sum`).
        distance: `euclidean` (squared) or `cosine` (angle divided by pi).
        subtract_mean: subtract the mean embedding of the training folds before measuring distances.
    """

    name: str
    flip: str
    distance: str
    subtract_mean: bool

    def __post_init__(self) -> None:
        """Reject unknown values of `flip` and `distance`."""
        choice("flip", self.flip, FLIPS)
        choice("distance", self.distance, DISTANCES)

    def combine(self, plain: np.ndarray, mirrored: np.ndarray | None = None) -> np.ndarray:
        """Combine the outputs into one embedding per image.

        Args:
            plain: [N, D], network outputs for the images, not normalised.
            mirrored: [N, D], network outputs for the mirror images; required unless `flip` is `none`.

        Returns:
            [N, D], rows of unit length; for `concatenate`, [N, 2D] with two unit vectors side by side. The
            squared distances of the latter reach 8, whereas facenet's thresholds end at 4.

        Raises:
            ConfigError: if the outputs for the mirror images are missing or have a different shape.
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
        """Compute the scores of `pairs` under this convention, from which View 2's results follow.

        Args:
            pairs: pairs of images, divided into folds.
            labels: int [N], person of each image.
            plain: [N, D], network outputs for the images, not normalised.
            mirrored: [N, D], network outputs for the mirror images; required unless `flip` is `none`.
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


# facenet's convention during training (the defaults of its options), also used by this project's tracks.
FACENET_TRAINING = Convention("facenet-training", "none", "euclidean", subtract_mean=False)
# facenet's `validate_on_lfw.py` with the options used for the published results of its models.
FACENET = Convention("facenet", "concatenate", "cosine", subtract_mean=True)
# insightface's `verification.py`.
INSIGHTFACE = Convention("insightface", "sum", "euclidean", subtract_mean=False)

CONVENTIONS = {convention.name: convention for convention in (FACENET_TRAINING, FACENET, INSIGHTFACE)}
