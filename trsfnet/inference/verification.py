"""Verification of two images: similarity, a threshold at a given FAR, and the decision."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trsfnet.errors import ConfigError, DataError
from trsfnet.evaluation.names import far_name
from trsfnet.experiments.threshold import check_far
from trsfnet.experiments.threshold import threshold as threshold_of_run
from trsfnet.inference.embedder import Embedder, checked
from trsfnet.inference.preparation import preparation_for, prepare
from trsfnet.interop.models import Model, ModelSource, read_model
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.weights import Weights
from trsfnet.paths import user_path


@dataclass(frozen=True)
class Decision:
    """Decision on whether two images show the same person.

    Attributes:
        similarity: cosine similarity of the two embeddings.
        threshold: threshold that the similarity must exceed.
        far: share of different-person pairs in the run's evaluation that exceed the threshold; None if the
            threshold was given by the caller.
    """

    similarity: float
    threshold: float
    far: float | None

    @property
    def same(self) -> bool:
        """True if the pair is accepted as the same person."""
        return self.similarity > self.threshold

    def __str__(self) -> str:
        """Return the decision as a sentence."""
        side, word = ("above", "the same person") if self.same else ("not above", "different people")
        source = "" if self.far is None else f" of this run at FAR {far_name(self.far)}"
        return f"Similarity {self.similarity:.3f}, {side} the threshold {self.threshold:.3f}{source}: {word}."

    def to_dict(self) -> dict[str, Any]:
        """Return the fields and the decision by name."""
        return {**asdict(self), "same": self.same}


def verify(
    source: ModelSource,
    a: Path | str,
    b: Path | str,
    *,
    far: float = 1e-3,
    threshold: float | None = None,
    images: str = "photograph",
    engine: str = "auto",
    preprocessing: Preprocessing | None = None,
) -> Decision:
    """Decide whether two image files show the same person.

    Args:
        source: the network; see `read_model`.
        a: first image.
        b: second image.
        far: share of different-person pairs that may be accepted. The threshold is derived from the scores of
            the run's own evaluation, so `source` must be a run folder or a file exported from a run.
        threshold: a cosine from -1 to 1 to use instead, for weights from elsewhere.
        images: kind of images; one of `PREPARATIONS`. The face in a photograph is cropped as in the network's
            training, if the network states how.
        engine: inference engine; see `make_engine`.
        preprocessing: preprocessing for an `.onnx` file that does not state its own.

    Returns:
        The decision, with the similarity and the threshold.

    Raises:
        ConfigError: if no threshold is known (see `threshold_at`) or it is out of range, the network does not
            state how to crop photographs, or facenet-pytorch, which detects faces in them, is not installed.
        DataError: if an image cannot be read or shows no face; see also `read_model`.
        RecordError: see `read_model`; or the run has no scores.
    """
    if threshold is not None:
        _check(threshold)
    model = read_model(source, preprocessing)
    # Report anything missing or wrong before the network is built.
    limit = threshold_at(model, far) if threshold is None else threshold
    preparation, size = preparation_for(model.description, images), model.description.preprocessing.size
    crops = np.stack(
        [checked(prepare(_read(path), str(path), preparation, size), str(path)) for path in (a, b)]
    )
    # For two images speed does not matter: use the exact precision.
    embedder = Embedder(model, engine=engine, precision="float32")
    return compare(embedder, crops, limit, far if threshold is None else None)


def threshold_at(model: Model, far: float) -> float:
    """Return the cosine above which a network accepts a pair, see `trsfnet.experiments.threshold`.

    Args:
        model: the model of a run, whose scores determine the threshold at any FAR, or a file exported from a
            run, which states thresholds for a few FARs.
        far: share of different-person pairs that may be accepted.

    Raises:
        ConfigError: if neither determines a threshold, or `far` is outside the range that the run's scores
            cover.
        RecordError: if the record is damaged or has no scores.
    """
    check_far(far)
    if isinstance(model, Weights) and model.record is not None:
        return threshold_of_run(model.record, far)
    name, stated = model.description.name, model.description.thresholds
    if not stated:
        raise ConfigError(
            f"{name} has no scores from which to derive a threshold at FAR {far_name(far)}: "
            "give the folder of a run, a file exported from one, or your own threshold."
        )
    if far_name(far) not in stated:
        raise ConfigError(
            f"far must be one of {', '.join(stated)}, at which {name} states thresholds, got "
            f"{far_name(far)}; the folder of the run allows others."
        )
    return stated[far_name(far)]


def compare(embedder: Embedder, crops: np.ndarray, threshold: float, far: float | None) -> Decision:
    """Decide whether two crops show the same person.

    Args:
        embedder: the network.
        crops: uint8 [2, size, size, 3], RGB.
        threshold: the cosine that their similarity must exceed.
        far: the FAR at that threshold; None if unknown.

    Raises:
        DataError: if an embedding is zero or not finite.
    """
    first, second = embedder.embed(crops)
    # Rounding can push the cosine of equal crops just above 1.
    return Decision(float(np.clip(first @ second, -1, 1)), threshold, far)


def _check(threshold: float) -> None:
    if not -1 <= threshold <= 1:
        raise ConfigError(f"threshold must be a cosine, -1 to 1, got {threshold:g}.")


def _read(path: Path | str) -> bytes:
    try:
        return user_path(path).read_bytes()
    except (OSError, ValueError) as error:  # a NUL in the name raises ValueError
        raise DataError(f"Cannot read {path}: {getattr(error, 'strerror', None) or error}.") from error
