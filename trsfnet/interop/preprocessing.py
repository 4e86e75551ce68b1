"""Preprocessing of face crops before the network; it is stored with the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from trsfnet.errors import ConfigError, choice
from trsfnet.interop.header import check

CHANNELS = ("RGB", "BGR")
# In pixels. No face network needs more, and a file that asks for millions would exhaust the memory.
LARGEST_SIZE = 4096


@dataclass(frozen=True)
class Preprocessing:
    """How a face crop becomes a network's input: each RGB pixel, 0 to 255, becomes (pixel - mean) / divisor.

    Attributes:
        size: side of the square crop in pixels.
        mean: value subtracted from each pixel.
        divisor: value by which the difference is divided; 128 for facenet's networks, 127.5 for timm's.
        crop: how the training crops were made, in words.
        channels: channel order of the network's input: `RGB`, or `BGR` for networks made with OpenCV.
    """

    size: int
    mean: float = 127.5
    divisor: float = 128.0
    crop: str = "a face found by MTCNN, with facenet-pytorch's margin"
    channels: str = "RGB"

    def __post_init__(self) -> None:
        """Reject an unknown channel order and numbers with which no image can be preprocessed."""
        choice("channels", self.channels, CHANNELS)
        if self.size < 1:
            raise ConfigError(f"size must be at least 1 pixel, got {self.size}.")
        for name in ("mean", "divisor"):
            if not math.isfinite(getattr(self, name)):
                raise ConfigError(f"{name} must be a finite number, got {getattr(self, name)}.")
        if not self.divisor:
            raise ConfigError("divisor must not be 0.")

    def standardise(self, images: Tensor) -> Tensor:
        """Map uint8 [N, size, size, 3], RGB, to float32 [N, 3, size, size] in channels_last memory format."""
        if self.channels == "BGR":
            images = images.flip(3)
        return (images.permute(0, 3, 1, 2).float() - self.mean) / self.divisor

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, along with the pixel format, which is the same for all networks."""
        return {"pixels": "uint8, 0 to 255", **asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Create preprocessing from the output of `to_dict`.

        Raises:
            ConfigError: if a field is missing or has the wrong type or an impossible value.
        """
        kinds = {"size": int, "mean": float, "divisor": float, "crop": str, "channels": str}
        for name, kind in kinds.items():
            check(name, values.get(name), kind)
        return cls(**{name: values[name] for name in kinds})
