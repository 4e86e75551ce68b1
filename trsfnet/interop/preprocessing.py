"""What has to happen to a face before a network sees it. It travels with the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from trsfnet.errors import ConfigError, choice
from trsfnet.interop.header import check

CHANNELS = ("RGB", "BGR")


@dataclass(frozen=True)
class Preprocessing:
    """From a face crop to a network's input: RGB pixels of 0 to 255 become (pixel - mean) / divisor.

    Attributes:
        size: side of the square crop in pixels.
        mean: see above.
        divisor: see above; 128 in facenet's networks, 127.5 in timm's.
        crop: how the crops were made that the network was trained on, in words.
        channels: in which order the network takes them, `RGB` or, as networks made with OpenCV, `BGR`.
    """

    size: int
    mean: float = 127.5
    divisor: float = 128.0
    crop: str = "a face found by MTCNN, with facenet-pytorch's margin"
    channels: str = "RGB"

    def __post_init__(self) -> None:
        """Reject what cannot be computed."""
        choice("channels", self.channels, CHANNELS)
        if not self.divisor:
            raise ConfigError("divisor must not be 0.")

    def standardise(self, images: Tensor) -> Tensor:
        """uint8 [N, size, size, 3], RGB -> float32 [N, 3, size, size], in PyTorch's channels_last order."""
        if self.channels == "BGR":
            images = images.flip(3)
        return (images.permute(0, 3, 1, 2).float() - self.mean) / self.divisor

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, with what is the same for all networks."""
        return {"pixels": "uint8, 0 to 255", **asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """From what `to_dict` gave.

        Raises:
            ConfigError: a field is missing or of another kind, or divides by zero.
        """
        kinds = {"size": int, "mean": float, "divisor": float, "crop": str, "channels": str}
        for name, kind in kinds.items():
            check(name, values.get(name), kind)
        return cls(**{name: values[name] for name in kinds})
