"""What can be evaluated: a network of any kind, or embeddings that were computed elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from trsfnet.data.cache import cache_root
from trsfnet.data.ijb import IjbImages
from trsfnet.data.source import Source
from trsfnet.errors import ConfigError
from trsfnet.inference.embedder import Embedder
from trsfnet.inference.evaluate.features import features, kept_features
from trsfnet.inference.evaluate.saved import SavedEmbeddings, is_embeddings, read_embeddings
from trsfnet.interop.models import Model, ModelSource, read_model
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.weights import Weights
from trsfnet.paths import user_path


class Subject(Protocol):
    """What is evaluated.

    Attributes:
        name: what it is called in reports.
        track: on which track it was trained, if that is known.
        notes: what a reader of its numbers should know.
    """

    name: str
    track: str | None
    notes: tuple[str, ...]

    def features(self, source: Source, rows: np.ndarray, *, mirror: bool) -> np.ndarray:
        """Embeddings of some images of `source`.

        Args:
            source: the images.
            rows: int [R], which of them.
            mirror: whether those of the mirror images are wanted as well.

        Returns:
            float32 [1 or 2, R, D], for the images, then for their mirror images; rows of any length.

        Raises:
            ConfigError: there are none of the mirror images.
            DataError: there is none of an image.
        """

    def all_features(self, source: IjbImages, file: Path | None, *, mirror: bool) -> np.ndarray:
        """As `features` of all images of IJB; kept in `file` where they have to be computed.

        Args:
            source: the images.
            file: a `.npy` to keep them in; None for a place of the subject's own.
            mirror: whether those of the mirror images are wanted as well.
        """

    def to_dict(self) -> dict[str, Any]:
        """What identifies it, of JSON types."""


class NetworkSubject:
    """A network, whose embeddings are computed."""

    def __init__(self, model: Model, embedder: Embedder) -> None:
        """Evaluate `embedder`, which was made of `model`."""
        self._embedder = embedder
        self._record = model.record if isinstance(model, Weights) else None
        self._trained = model.trained if isinstance(model, Weights) else None
        self.name = model.description.name
        self.track = model.description.training.get("track")
        status = self._record.status if self._record else "done"
        unfinished = [] if status == "done" else [f"The run is {status}: this is its network as last saved."]
        self.notes = (*unfinished, *model.notes)

    def features(self, source: Source, rows: np.ndarray, *, mirror: bool) -> np.ndarray:
        """Compute them, see `Subject`."""
        return features(self._embedder, source, rows, mirror=mirror)

    def all_features(self, source: IjbImages, file: Path | None, *, mirror: bool) -> np.ndarray:
        """Compute them, or resume from what `file` has of them; see `Subject`."""
        folder = self._record.path if self._record else cache_root()
        name = source.version if self._record else f"{self._embedder.fingerprint}-{source.version}"
        return kept_features(self._embedder, source, file or folder / "features" / f"{name}.npy")

    def to_dict(self) -> dict[str, Any]:
        """See `Subject`."""
        engine = self._embedder.engine
        return {
            "model": self.name,
            "trained": self._trained,
            "network": self._embedder.fingerprint,
            "engine": engine.name,
            "precision": engine.precision,
        }

    def __str__(self) -> str:
        """For the head of a table."""
        trained = f" ({self._trained})" if self._trained else ""
        return f"{self.name}{trained}, by {self._embedder.engine.name} in {self._embedder.engine.precision}"


class FileSubject:
    """Embeddings in a file, by whatever model."""

    track = None
    notes = ()

    def __init__(self, saved: SavedEmbeddings) -> None:
        """Evaluate what is in the file."""
        self._saved = saved
        self.name = saved.file.name

    def features(self, source: Source, rows: np.ndarray, *, mirror: bool) -> np.ndarray:
        """Look them up, see `Subject`."""
        return self._saved.of_images(source, rows, mirror=mirror)

    def all_features(self, source: IjbImages, file: Path | None, *, mirror: bool) -> np.ndarray:
        """Look them up, see `Subject`.

        Raises:
            ConfigError: a `file` to keep them in is given.
        """
        if file is not None:
            raise ConfigError(f"{self._saved.file} already holds the embeddings: omit --features.")
        return self._saved.of_images(source, np.arange(len(source)), mirror=mirror)

    def to_dict(self) -> dict[str, Any]:
        """See `Subject`."""
        return {"embeddings": str(self._saved.file), "images": len(self._saved.plain), **self._saved.made_by}

    def __str__(self) -> str:
        """For the head of a table."""
        return f"{self._saved.file}, {len(self._saved.plain):,} embeddings"


def subject_of(
    source: ModelSource,
    *,
    engine: str = "auto",
    precision: str = "auto",
    preprocessing: Preprocessing | None = None,
) -> NetworkSubject | FileSubject:
    """What `source` is to be evaluated as.

    Args:
        source: a network, see `read_model`; or a file of embeddings, see `read_embeddings`.
        engine: what computes, see `make_engine`.
        precision: in which precision, see `make_engine`.
        preprocessing: of an `.onnx` that does not state it.

    Raises:
        ConfigError: see `read_model` and `make_engine`.
        DataError: so.
        RecordError: so.
    """
    if isinstance(source, str | Path) and is_embeddings(file := user_path(source)):
        return FileSubject(read_embeddings(file))
    model = read_model(source, preprocessing)
    return NetworkSubject(model, Embedder(model, engine=engine, precision=precision))
