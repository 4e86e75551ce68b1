"""Do two images show one person? Similarity, a threshold at a stated FAR, and the decision."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trsfnet.errors import ConfigError, DataError
from trsfnet.evaluation.names import far_name
from trsfnet.experiments.threshold import threshold as threshold_of_run
from trsfnet.inference.embedder import Embedder
from trsfnet.inference.preparation import prepare
from trsfnet.interop.models import Model, ModelSource, read_model
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.weights import Weights
from trsfnet.paths import user_path


@dataclass(frozen=True)
class Decision:
    """Whether two images show one person.

    Attributes:
        similarity: cosine of the two embeddings.
        threshold: what it must exceed.
        far: share of different-person pairs of the run's evaluation that exceed it; None for a threshold
            that was given.
    """

    similarity: float
    threshold: float
    far: float | None

    @property
    def same(self) -> bool:
        """Whether the pair is accepted."""
        return self.similarity > self.threshold

    def __str__(self) -> str:
        """As a sentence."""
        side, word = ("above", "the same person") if self.same else ("not above", "different people")
        source = "" if self.far is None else f" of this run at FAR {far_name(self.far)}"
        return f"Similarity {self.similarity:.3f}, {side} the threshold {self.threshold:.3f}{source}: {word}."

    def to_dict(self) -> dict[str, Any]:
        """The fields and the decision by name."""
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
    """Whether two image files show one person.

    Args:
        source: the network; see `read_model`.
        a: one image.
        b: the other.
        far: share of different-person pairs that may be accepted. The threshold follows from the scores of
            the run's own evaluation, so `source` must be the folder of a run or a file exported from one.
        threshold: a cosine to use instead, -1 to 1, for weights from elsewhere.
        images: what the files are; one of `PREPARATIONS`.
        engine: what computes; see `make_engine`.
        preprocessing: of an `.onnx` that does not state it.

    Raises:
        ConfigError: no threshold is known or it cannot be one, see `threshold_at`; facenet-pytorch, which
            finds faces in photographs, is not installed.
        DataError: an image cannot be read, or shows no face; see also `read_model`.
        RecordError: see `read_model`; or the run has no scores.
    """
    if threshold is not None:
        _check(threshold)
    model = read_model(source, preprocessing)
    # What is missing or wrong ends it before the network is made.
    limit = threshold_at(model, far) if threshold is None else threshold
    size = model.description.preprocessing.size
    crops = np.stack([prepare(_read(path), str(path), images, size) for path in (a, b)])
    # Two images take no time: exact rather than fast.
    embedder = Embedder(model, engine=engine, precision="float32")
    return compare(embedder, crops, limit, far if threshold is None else None)


def threshold_at(model: Model, far: float) -> float:
    """The cosine above which a network accepts a pair, see `trsfnet.experiments.threshold`.

    Args:
        model: of a run, whose scores tell the threshold at any FAR; or a file exported from one, which states
            a few.
        far: share of different-person pairs that may be accepted.

    Raises:
        ConfigError: neither knows one, or `far` is out of what the run's scores can tell.
        RecordError: the record is damaged, or has no scores.
    """
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
    """Whether two crops show one person.

    Args:
        embedder: the network.
        crops: uint8 [2, size, size, 3], RGB.
        threshold: the cosine that their similarity must exceed.
        far: at which FAR that threshold lies, if it is known.

    Raises:
        DataError: an embedding is not finite.
    """
    first, second = embedder.embed(crops)
    return Decision(float(first @ second), threshold, far)


def _check(threshold: float) -> None:
    if not -1 <= threshold <= 1:
        raise ConfigError(f"threshold must be a cosine, -1 to 1, got {threshold:g}.")


def _read(path: Path | str) -> bytes:
    try:
        return user_path(path).read_bytes()
    except (OSError, ValueError) as error:  # a NUL in the name is a ValueError
        raise DataError(f"Cannot read {path}: {getattr(error, 'strerror', None) or error}.") from error
