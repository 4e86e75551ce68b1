"""What can be evaluated: a network of any kind, or embeddings computed elsewhere."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from trsfnet.data.cache import cache_root
from trsfnet.data.ijb import IjbImages
from trsfnet.data.source import Source
from trsfnet.errors import ConfigError
from trsfnet.experiments.record import FILES, RECORD
from trsfnet.inference.embedder import Embedder
from trsfnet.inference.evaluate.features import features, kept_features
from trsfnet.inference.evaluate.saved import SavedEmbeddings, is_embeddings, read_embeddings
from trsfnet.interop.models import Model, ModelSource, read_model
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.weights import Weights
from trsfnet.paths import user_path
from trsfnet.text import joined


class Subject(Protocol):
    """Source of the embeddings to evaluate.

    Attributes:
        name: name used in reports.
        track: track on which the network was trained; None if unknown.
        notes: sentences that explain the results.
        files: the files that it was read from, which no output may replace.
    """

    name: str
    track: str | None
    notes: tuple[str, ...]
    files: tuple[Path, ...]

    def features(self, source: Source, rows: np.ndarray, *, mirror: bool) -> np.ndarray:
        """Return the embeddings of some images of `source`.

        Args:
            source: the images.
            rows: int [R], indices of the images.
            mirror: also return the embeddings of the mirror images.

        Returns:
            float32 [1 or 2, R, D], for the images, then for their mirror images; rows of any length.

        Raises:
            ConfigError: if the embeddings of the mirror images are missing.
            DataError: if an image has no embedding.
        """

    def all_features(self, source: IjbImages, file: Path | None, *, mirror: bool) -> np.ndarray:
        """Return `features` of all IJB images; if they have to be computed, they are kept in `file`.

        Args:
            source: the images.
            file: a `.npy` file to keep them in; None for a default location.
            mirror: also return the embeddings of the mirror images.
        """

    def to_dict(self) -> dict[str, Any]:
        """Return what identifies the subject, as JSON-compatible values."""


class NetworkSubject:
    """A network that computes the embeddings."""

    def __init__(self, model: Model, embedder: Embedder, file: Path | None = None) -> None:
        """Evaluate `embedder`, which was created from `model`, which was read from `file`, if from a file."""
        self._embedder = embedder
        self._record = model.record if isinstance(model, Weights) else None
        self._trained = model.trained if isinstance(model, Weights) else None
        self.name = model.description.name
        self.track = model.description.training.get("track")
        status = self._record.status if self._record else "done"
        unfinished = [] if status == "done" else [f"The run is {status}: this is its network as last saved."]
        self.notes = (*unfinished, *model.notes)
        of_run = [self._record.path / name for name in (RECORD, *FILES.values())] if self._record else []
        self.files = (*([] if file is None else [file]), *of_run)

    def features(self, source: Source, rows: np.ndarray, *, mirror: bool) -> np.ndarray:
        """Compute the embeddings, see `Subject`."""
        return features(self._embedder, source, rows, mirror=mirror)

    def all_features(self, source: IjbImages, file: Path | None, *, mirror: bool) -> np.ndarray:
        """Compute the embeddings, or resume from those already in `file`; see `Subject`."""
        if file is not None:
            return kept_features(self._embedder, source, file)
        folder = (self._record.path if self._record else cache_root()) / "features"
        name, engine = f"{source.version}-{self._embedder.fingerprint}", self._embedder.engine
        kept = kept_features(self._embedder, source, folder / f"{name}-{engine.name}-{engine.precision}.npy")
        if self._record:  # others share the cache
            _remove_others(folder, source.version, name)
        return kept

    def to_dict(self) -> dict[str, Any]:
        """Return what identifies the network, see `Subject`."""
        engine = self._embedder.engine
        return {
            "model": self.name,
            "trained": self._trained,
            "network": self._embedder.fingerprint,
            "engine": engine.name,
            "precision": engine.precision,
        }

    def __str__(self) -> str:
        """Return the heading of a table."""
        trained = f" ({self._trained})" if self._trained else ""
        return f"{self.name}{trained}, by {self._embedder.engine.name} in {self._embedder.engine.precision}"


def _remove_others(folder: Path, version: str, kept: str) -> None:
    """Remove the features of these images by a run's earlier weights, from before further training."""
    # Until features were named after their network as well, their files had the version alone.
    for file in (*folder.glob(f"{version}-*"), *folder.glob(f"{version}.*")):
        if not file.name.startswith(kept):
            with suppress(OSError):
                file.unlink()


class FileSubject:
    """Embeddings in a file, computed by any model."""

    track = None
    notes = ()

    def __init__(self, saved: SavedEmbeddings) -> None:
        """Evaluate the embeddings of a file."""
        self._saved = saved
        self.name = saved.file.name
        self.files = (saved.file,)

    def features(self, source: Source, rows: np.ndarray, *, mirror: bool) -> np.ndarray:
        """Look up the embeddings, see `Subject`."""
        return self._saved.of_images(source, rows, mirror=mirror)

    def all_features(self, source: IjbImages, file: Path | None, *, mirror: bool) -> np.ndarray:
        """Look up the embeddings, see `Subject`.

        Raises:
            ConfigError: if a `file` to keep them in is given.
        """
        if file is not None:
            raise ConfigError(f"{self._saved.file} already holds the embeddings: omit --features.")
        return self._saved.of_images(source, np.arange(len(source)), mirror=mirror)

    def to_dict(self) -> dict[str, Any]:
        """Return what identifies the embeddings, see `Subject`."""
        return {"embeddings": str(self._saved.file), "images": len(self._saved.plain), **self._saved.made_by}

    def __str__(self) -> str:
        """Return the heading of a table."""
        return f"{self._saved.file}, {len(self._saved.plain):,} embeddings"


def subject_of(
    source: ModelSource,
    *,
    engine: str = "auto",
    precision: str = "auto",
    preprocessing: Preprocessing | None = None,
) -> NetworkSubject | FileSubject:
    """Create the subject to evaluate from a network or a file of embeddings.

    Args:
        source: a network, see `read_model`; or a file of embeddings, see `read_embeddings`.
        engine: inference engine, see `make_engine`.
        precision: precision of the computation, see `make_engine`.
        preprocessing: preprocessing for an `.onnx` file that does not state its own.

    Raises:
        ConfigError: see `read_model` and `make_engine`; or an engine, a precision or preprocessing is given
            for embeddings.
        DataError: see `read_model`, `make_engine` and `read_embeddings`.
        RecordError: see `read_model`.
    """
    if isinstance(source, str | Path) and is_embeddings(file := user_path(source)):
        given = {"engine": engine != "auto", "precision": precision != "auto", "preprocessing": preprocessing}
        if needless := [name for name, stated in given.items() if stated]:
            raise ConfigError(f"{file} holds embeddings, not a network: omit the {joined(needless)}.")
        return FileSubject(read_embeddings(file))
    model = read_model(source, preprocessing)
    embedder = Embedder(model, engine=engine, precision=precision)
    return NetworkSubject(model, embedder, user_path(source) if isinstance(source, str | Path) else None)
