"""What has to happen to a face before a network sees it. It travels with the weights."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from trsfnet.errors import ConfigError
from trsfnet.models.inception_resnet import MIN_INPUT_SIZE


@dataclass(frozen=True)
class Preprocessing:
    """From a face crop to a network's input: RGB pixels of 0 to 255 become (pixel - mean) / divisor.

    Attributes:
        size: side of the square crop in pixels.
        mean: see above.
        divisor: see above; 128 in facenet's networks, 127.5 in timm's.
        crop: how the crops were made that the network was trained on, in words.
    """

    size: int
    mean: float = 127.5
    divisor: float = 128.0
    crop: str = "a face found by MTCNN, with facenet's margin"

    def standardise(self, images: Tensor) -> Tensor:
        """uint8 [N, size, size, 3] -> float32 [N, 3, size, size], in PyTorch's channels_last order."""
        return (images.permute(0, 3, 1, 2).float() - self.mean) / self.divisor

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, with what is the same for all networks."""
        return {"channels": "RGB", "pixels": "uint8, 0 to 255", **asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Preprocessing:
        """From what `to_dict` gave.

        Raises:
            ConfigError: the size is no whole number that a network takes.
            ValueError: another number is none, or divides by zero.
        """
        smallest = min(MIN_INPUT_SIZE.values())
        if type(values["size"]) is not int or values["size"] < smallest:
            raise ConfigError(f"size must be at least {smallest} pixels, got {values['size']!r}.")
        if not all(math.isfinite(values[name]) for name in ("mean", "divisor")) or not values["divisor"]:
            raise ValueError("mean and divisor must be numbers")
        return cls(**{name: values[name] for name in ("size", "mean", "divisor", "crop")})
