"""What has to happen to a face before a network sees it. It travels with the weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor


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
        """From what `to_dict` gave."""
        return cls(**{name: values[name] for name in ("size", "mean", "divisor", "crop")})
