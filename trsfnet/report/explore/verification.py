"""Two images in, similarity and decision out: a run's network and its own threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from trsfnet.data.align import MarginCrop, Mtcnn, choose
from trsfnet.data.crops import central_crop
from trsfnet.data.decode import decode
from trsfnet.data.lfw import CROP
from trsfnet.data.synthetic import render_faces
from trsfnet.errors import DataError, choice
from trsfnet.evaluation import AllPairsScores, read_scores, score_pairs
from trsfnet.evaluation.embed import embed
from trsfnet.evaluation.names import far_name
from trsfnet.experiments.evaluate.network import TrainedNetwork
from trsfnet.experiments.record import Record
from trsfnet.experiments.run import CHECKPOINT
from trsfnet.training.checkpoint import previous

FARS = (1e-2, 1e-3)

PREPARATIONS = {
    "crop": "crops of faces",
    "lfw": "images of LFW, of which the middle is taken",
    "photograph": "photographs, in which MTCNN finds the face",
}
"""What images may be, and how they become what the network takes."""


@dataclass(frozen=True)
class Decision:
    """Whether two images show one person.

    Attributes:
        similarity: cosine of the two embeddings.
        threshold: what it must exceed.
        far: share of different-person pairs of the run's evaluation that exceed it.
    """

    similarity: float
    threshold: float
    far: float

    @property
    def same(self) -> bool:
        """Whether the pair is accepted."""
        return self.similarity > self.threshold

    def __str__(self) -> str:
        """As a sentence."""
        side, word = ("above", "the same person") if self.same else ("not above", "different people")
        return (
            f"Similarity {self.similarity:.3f}, {side} the threshold {self.threshold:.3f} of this run at FAR "
            f"{far_name(self.far)}: {word}."
        )


def has_network(record: Record) -> bool:
    """Whether the checkpoint of a run is there; committed results have none."""
    file = record.path / CHECKPOINT
    return file.is_file() or previous(file).is_file()


def threshold(record: Record, far: float) -> float:
    """The cosine that the allowed share of different-person pairs of a run's evaluation exceeds, and no more.

    A ten-fold evaluation sets one for each fold; here all folds count together.

    Args:
        record: of a run with scores.
        far: the share allowed.

    Raises:
        RecordError: the run has no scores: it has not finished.
        ConfigError: the scores were not kept down to this FAR.
    """
    details: dict[str, Any] = record.info.get("evaluation", {}).get("results", [{}])[0]
    scores = read_scores(record.scores(), impostor_pairs=details.get("impostor_pairs"))
    if isinstance(scores, AllPairsScores):
        return scores.result(far).threshold
    distances = np.sort(scores.distances[~scores.same])
    # Squared distances of unit vectors; the first pair that may not be accepted.
    return float(1 - distances[int(far * len(distances))] / 2)


def verify(network: TrainedNetwork, crops: np.ndarray, far: float) -> Decision:
    """Whether two crops show one person, by the network of a run.

    Args:
        network: of the run.
        crops: uint8 [2, size, size, 3], RGB, as large as the network's input.
        far: share of different-person pairs that may be accepted.

    Raises:
        DataError: an embedding is not finite.
        RecordError: the run has no scores.
    """
    embeddings = embed(network.model, crops, dtype=network.dtype)
    if not np.isfinite(embeddings).all():
        raise DataError("The network's output for these images is not finite: its training has diverged.")
    similarity = score_pairs(embeddings, np.array([0]), np.array([1]))[0]
    return Decision(float(similarity), threshold(network.record, far), far)


def prepare(encoded: bytes, name: str, preparation: str, size: int) -> np.ndarray:
    """An image file as a network takes it.

    Args:
        encoded: the file's bytes.
        name: the file's name, for errors.
        preparation: one of `PREPARATIONS`.
        size: side of the network's input in pixels.

    Returns:
        uint8 [size, size, 3], RGB.

    Raises:
        ConfigError: unknown preparation, or facenet-pytorch is needed and not installed.
        DataError: it is no image, or no face is found in it.
    """
    choice("preparation", preparation, tuple(PREPARATIONS))
    image = decode(encoded, name)
    if preparation == "crop":
        return central_crop(image, size)
    if preparation == "lfw":
        return central_crop(image, size, CROP)
    (faces,) = Mtcnn()(image[None])
    if not faces:
        raise DataError(f"MTCNN finds no face in {name}: give a photograph with a larger one, or a crop.")
    margin = round(size * MarginCrop.margin / MarginCrop.size)
    return MarginCrop(size, margin)(image, choose(faces, *image.shape[:2]))


def rendered(people: tuple[int, int], size: int) -> np.ndarray:
    """A rendered picture of each of two people whom no run was trained on: uint8 [2, size, size, 3].

    Args:
        people: numbers of test identities of the `synthetic` track; equal ones give two pictures of one.
        size: side of the network's input in pixels.
    """
    return render_faces(torch.tensor(people), torch.tensor([0, 1]), size=size).images.numpy()
