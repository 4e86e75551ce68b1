"""Do two images show one person? Similarity, a threshold at a stated FAR, and the decision."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trsfnet.errors import ConfigError, DataError
from trsfnet.evaluation.names import far_name
from trsfnet.experiments.record import read_record
from trsfnet.experiments.threshold import threshold as threshold_of_run
from trsfnet.inference.embedder import Embedder, load
from trsfnet.inference.preparation import prepare
from trsfnet.interop.description import Description
from trsfnet.interop.weights import Source
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
    source: Source,
    a: Path | str,
    b: Path | str,
    *,
    far: float = 1e-3,
    threshold: float | None = None,
    images: str = "photograph",
) -> Decision:
    """Whether two image files show one person.

    Args:
        source: the network; see `read_weights`.
        a: one image.
        b: the other.
        far: share of different-person pairs that may be accepted. The threshold follows from the scores of
            the run's own evaluation, so `source` must be the folder of a run or a file exported from one.
        threshold: a cosine to use instead, -1 to 1, for weights from elsewhere.
        images: what the files are; one of `PREPARATIONS`.

    Raises:
        ConfigError: no threshold is known or it cannot be one, see `threshold_at`; facenet-pytorch, which
            finds faces in photographs, is not installed.
        DataError: an image cannot be read, or shows no face; see also `read_weights`.
        RecordError: see `read_weights`; or the run has no scores.
    """
    if threshold is not None:
        _check(threshold)
    # Two images take no time: exact rather than fast.
    embedder = load(source, precision="float32")
    limit = threshold_at(source, embedder.description, far) if threshold is None else threshold
    size = embedder.description.preprocessing.size
    crops = np.stack([prepare(_read(path), str(path), images, size) for path in (a, b)])
    return compare(embedder, crops, limit, far if threshold is None else None)


def threshold_at(source: Source, description: Description, far: float) -> float:
    """The cosine above which a network accepts a pair, see `trsfnet.experiments.threshold`.

    Args:
        source: where the network is from. The scores of a run tell the threshold at any FAR.
        description: of the network. A file exported from a run states a few thresholds.
        far: share of different-person pairs that may be accepted.

    Raises:
        ConfigError: neither knows one, or `far` is out of what the run's scores can tell.
        RecordError: the record is damaged, or has no scores.
    """
    if isinstance(source, str | Path) and user_path(source).is_dir():
        return threshold_of_run(read_record(user_path(source)), far)
    stated = description.thresholds
    if not stated:
        raise ConfigError(
            f"{description.name} brings no scores from which a threshold at FAR {far_name(far)} follows: "
            "give the folder of a run, a file exported from one, or a threshold of your own."
        )
    if far_name(far) not in stated:
        raise ConfigError(
            f"far must be one of {', '.join(stated)}, at which {description.name} states thresholds, got "
            f"{far_name(far)}; the folder of the run would tell others."
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
