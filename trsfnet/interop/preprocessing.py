"""What has to happen to a face before a network sees it. It travels with the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from trsfnet.errors import ConfigError
from trsfnet.interop.header import check


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
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """From what `to_dict` gave.

        Raises:
            ConfigError: a field is missing or of another kind, or divides by zero.
        """
        for name, kind in (("size", int), ("mean", float), ("divisor", float), ("crop", str)):
            check(name, values.get(name), kind)
        if not values["divisor"]:
            raise ConfigError("divisor must not be 0.")
        return cls(**{name: values[name] for name in ("size", "mean", "divisor", "crop")})
