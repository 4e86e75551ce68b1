"""Compute embeddings of faces: images in, unit vectors out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sized
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from trsfnet.data.crops import stretched
from trsfnet.data.decode import open_image
from trsfnet.errors import ConfigError, DataError, brief
from trsfnet.inference.engines import Engine, make_engine
from trsfnet.interop.description import Description
from trsfnet.interop.models import Model, ModelSource, read_model
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.paths import user_path

Face = np.ndarray | Image.Image | str | Path
"""A face crop: uint8 [H, W, 3] in RGB, a Pillow image, or the path of an image file."""


class Embedder:
    """A network for inference; it cannot be trained.

    Attributes:
        description: the network's description.
        engine: the inference engine; see its `name` and `precision`.
        fingerprint: hash of the network and its preprocessing.
        notes: sentences on what had to be converted, stripped or left out to read the network.
    """

    def __init__(
        self,
        model: Model,
        *,
        engine: str = "auto",
        device: torch.device | str | None = None,
        precision: str = "auto",
    ) -> None:
        """Create the engine; see `make_engine` for the arguments and errors."""
        self.description: Description = model.description
        self.engine: Engine = make_engine(model, engine=engine, device=device, precision=precision)
        self.fingerprint = model.fingerprint
        self.notes = model.notes

    @property
    def size(self) -> int:
        """Side of the network's input in pixels."""
        return self.description.preprocessing.size

    @cached_property
    def width(self) -> int:
        """Length of an embedding, measured if the description does not state it."""
        stated = self.description.settings.get("embedding_size")
        return stated or self.engine(np.zeros((1, self.size, self.size, 3), np.uint8)).shape[1]

    def embed(
        self, faces: Iterable[Face] | np.ndarray, *, batch_size: int = 32, progress: bool = False
    ) -> np.ndarray:
        """Embed face crops.

        Args:
            faces: crops as uint8 [H, W, 3] in RGB, Pillow images or paths, in a list or from a generator; or
                all of them as one uint8 array [N, H, W, 3]. Crops of a different size are stretched to the
                network's input size. A file is turned upright as its metadata say; a Pillow image is taken
                as it is (`ImageOps.exif_transpose` turns it).
            batch_size: images per batch.
            progress: show a progress bar on standard error.

        Returns:
            float32 [N, embedding_size], rows of unit length: the dot product of two rows is their cosine
            similarity.

        Raises:
            ConfigError: if `batch_size` is less than 1.
            DataError: if an image cannot be read or has the wrong shape, type or range, or an embedding is
                zero or not finite.
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, got {batch_size}.")
        if isinstance(faces, str | Path | Image.Image) or (isinstance(faces, np.ndarray) and faces.ndim == 3):
            raise DataError("embed takes a list of images: put a single one in brackets.")
        total = len(faces) if isinstance(faces, Sized) else None
        rows = []
        with (
            tqdm(total=total, desc="embedding", unit="image", disable=not progress) as bar,
            ThreadPoolExecutor(os.cpu_count()) as threads,
        ):
            numbered = iter(enumerate(faces))
            while batch := list(islice(numbered, batch_size)):
                pixels = threads.map(lambda item: self._pixels(item[1], item[0]), batch)
                rows.append(self._unit(np.stack(list(pixels))))
                bar.update(len(batch))
        return np.concatenate(rows) if rows else np.empty((0, self.width), np.float32)

    def outputs(self, images: np.ndarray, *, batch_size: int = 128) -> np.ndarray:
        """Compute the network's raw outputs, before normalisation.

        Args:
            images: uint8 [N, size, size, 3], RGB, of the network's input size.
            batch_size: images per batch.

        Returns:
            float32 [N, embedding_size]. The outputs of an `.onnx` file may already be normalised.
        """
        if not len(images):
            return np.empty((0, self.width), np.float32)
        parts = [images[start : start + batch_size] for start in range(0, len(images), batch_size)]
        return np.concatenate([self.engine(np.ascontiguousarray(part)) for part in parts])

    def _unit(self, images: np.ndarray) -> np.ndarray:
        outputs = self.engine(images)
        norms = np.linalg.norm(outputs, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or not norms.all():
            raise DataError(
                f"{self.description.name} produces embeddings that are not finite, or zero: it has diverged."
            )
        return outputs / norms

    def _pixels(self, face: Face, number: int) -> np.ndarray:
        """Convert a face to the network's input pixels: uint8 [size, size, 3]."""
        if isinstance(face, str | Path):
            try:
                image = open_image(user_path(face).read_bytes(), str(face))
            except (OSError, ValueError) as error:  # a NUL in the name raises ValueError
                reason = getattr(error, "strerror", None) or error
                raise DataError(f"Cannot read {face}: {reason}.") from error
        elif isinstance(face, Image.Image):
            if face.mode[0] in "IF":  # Pillow would clip values above 255 instead of scaling them
                raise DataError(
                    f"Image {number} must have 8 bits per channel, got Pillow's mode {face.mode}."
                )
            if not all(face.size):
                raise DataError(f"Image {number} must have pixels, got {face.width} x {face.height}.")
            try:
                image = face.convert("RGB")
            except OSError as error:  # Pillow decodes a file only now
                raise DataError(f"Image {number} cannot be decoded: {brief(error)}.") from error
        else:
            image = Image.fromarray(checked(face, f"Image {number}"))
        return stretched(image, self.size)


def checked(image: object, name: str) -> np.ndarray:
    """Return `image` if it is uint8 [H, W, 3] with pixel values that use the range of 8 bits.

    Raises:
        DataError: if it is not; the message describes what was given.
    """
    if not isinstance(image, np.ndarray):
        raise DataError(
            f"{name} must be uint8 [H, W, 3], a Pillow image or a file, got {type(image).__name__}."
        )
    if image.dtype != np.uint8:
        span = f" from {image.min():.3g} to {image.max():.3g}" if image.size else ""
        raise DataError(
            f"{name} must be uint8 with pixels of 0 to 255, got {image.dtype}{span}: give the pixels as "
            "they were read, not standardised or divided."
        )
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise DataError(f"{name} must be [H, W, 3] in RGB, got {list(image.shape)}.")
    if image.max() <= 1:
        raise DataError(f"{name} has no pixel value above 1: it was divided by 255, or it is black.")
    return image


def load(
    source: ModelSource,
    *,
    engine: str = "auto",
    device: torch.device | str | None = None,
    precision: str = "auto",
    preprocessing: Preprocessing | None = None,
) -> Embedder:
    """Load a network as an `Embedder`.

    Args:
        source: a run folder, a weights file, an `.onnx` file, `vggface2` or `casia-webface`; see
            `read_model`.
        engine: `auto`, `torch` or `onnxruntime`; see `make_engine`.
        device: device for PyTorch; by default the first GPU, or the CPU if there is none.
        precision: `float32`, `bfloat16`, or `auto` for the faster of the two.
        preprocessing: preprocessing for an `.onnx` file that does not state its own.

    Raises:
        ConfigError: see `make_engine` and `read_model`.
        DataError: see `make_engine` and `read_model`.
        RecordError: see `read_model`.
    """
    model = read_model(source, preprocessing)
    return Embedder(model, engine=engine, device=device, precision=precision)
