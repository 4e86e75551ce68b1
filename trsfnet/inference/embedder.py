"""Embeddings of faces: images in, unit vectors out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from trsfnet.data.decode import open_image
from trsfnet.errors import ConfigError, DataError, choice
from trsfnet.interop.description import Description
from trsfnet.interop.embedding_network import embedding_network
from trsfnet.interop.weights import Source, Weights, read_weights
from trsfnet.paths import user_path
from trsfnet.training.precision import DTYPES, PRECISIONS, best_device, best_precision

Face = np.ndarray | Image.Image | str | Path
"""A face crop: uint8 [H, W, 3] in RGB, a Pillow image, or a file of one."""


class Embedder:
    """A network as most people use one. It is folded, and cannot be trained.

    Args:
        weights: see `read_weights`.
        device: where to compute, by default the first GPU, else the CPU.
        precision: `float32`, `bfloat16`, or `auto` for bfloat16 where the hardware multiplies it (GPUs, CPUs
            with AMX), which is faster there and less exact.

    Attributes:
        description: what the network is.
        network: the module that computes.

    Raises:
        ConfigError: another precision, or a device that is not there.
        DataError: the weights are no whole network, or have no embedding.
    """

    def __init__(
        self, weights: Weights, *, device: torch.device | str | None = None, precision: str = "auto"
    ) -> None:
        choice("precision", precision, PRECISIONS)
        self.device = _present(device or best_device())
        self.description: Description = weights.description
        precision = best_precision(self.device) if precision == "auto" else precision
        self.network = embedding_network(weights, DTYPES[precision])
        self.network.to(self.device)

    @torch.inference_mode()
    def embed(self, faces: Sequence[Face] | np.ndarray, *, batch_size: int = 32) -> np.ndarray:
        """Embeddings of face crops.

        Args:
            faces: any number of crops, as uint8 [H, W, 3] in RGB, Pillow images or files; or all of them as
                uint8 [N, H, W, 3]. Those of another size than the network's are resized.
            batch_size: images at a time.

        Returns:
            float32 [N, embedding_size], rows of unit length: the dot product of two is their cosine.

        Raises:
            ConfigError: `batch_size` is less than 1.
            DataError: an image cannot be read, or has another form or range; an embedding is not finite.
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, got {batch_size}.")
        if isinstance(faces, str | Path | Image.Image) or (isinstance(faces, np.ndarray) and faces.ndim == 3):
            raise DataError("embed takes a list of images: put a single one in brackets.")
        width = self.description.settings.get("embedding_size", 512)
        rows = [np.empty((0, width), np.float32)]
        for start in range(0, len(faces), batch_size):
            batch = faces[start : start + batch_size]
            images = np.stack([self._pixels(face, start + i) for i, face in enumerate(batch)])
            out = self.network(torch.from_numpy(images).to(self.device)).cpu().numpy()
            if not np.isfinite(out).all():
                raise DataError(
                    f"{self.description.name} gives embeddings that are not finite: it has diverged."
                )
            rows.append(out)
        return np.concatenate(rows)

    def _pixels(self, face: Face, number: int) -> np.ndarray:
        """A face as the network's pixels: uint8 [size, size, 3]."""
        if isinstance(face, str | Path):
            try:
                image = open_image(user_path(face).read_bytes(), str(face))
            except (OSError, ValueError) as error:  # a NUL in the name is a ValueError
                reason = getattr(error, "strerror", None) or error
                raise DataError(f"Cannot read {face}: {reason}.") from error
        elif isinstance(face, Image.Image):
            if face.mode[0] in "IF":  # Pillow would cut what is above 255 instead of scaling it
                raise DataError(f"Image {number} must have 8 bits a channel, got Pillow's mode {face.mode}.")
            image = face.convert("RGB")
        else:
            image = Image.fromarray(checked(face, f"Image {number}"))
        size = (self.description.preprocessing.size,) * 2
        if image.size != size:
            image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3)
        return np.array(image)


def _present(asked: torch.device | str) -> torch.device:
    """The device, if this machine and this PyTorch have it."""
    try:
        device = torch.device(asked)
        torch.zeros(1, device=device).cpu()  # nothing comes back from `meta`
    # Each backend that PyTorch was built without says so in its own way.
    except (RuntimeError, AssertionError, ImportError, TypeError) as error:
        reason = re.split(r"\n|\. ", str(error))[0].rstrip(".!")
        raise ConfigError(f"device must be one that is here, such as cpu, got {asked}: {reason}.") from error
    return device


def checked(image: object, name: str) -> np.ndarray:
    """`image` if it is uint8 [H, W, 3] with the range of pixels.

    Raises:
        DataError: it is not; the sentence says what it looks like.
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
        raise DataError(f"{name} has no pixel above 1: it was divided by 255, or is black.")
    return image


def load(source: Source, *, device: torch.device | str | None = None, precision: str = "auto") -> Embedder:
    """An `Embedder` of the weights at `source`; see `read_weights` for what that can be."""
    return Embedder(read_weights(source), device=device, precision=precision)
