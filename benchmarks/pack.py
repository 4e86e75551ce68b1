"""Measure how fast one thread decodes a pack, compared with the training that it must supply.

`python -m benchmarks.pack` writes `benchmarks/results/pack.json`.
"""

from __future__ import annotations

import io
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks import measure
from benchmarks.step import Case, Step
from trsfnet.data.pack import PackSource, write_pack
from trsfnet.data.source import Source
from trsfnet.synthetic import render_faces
from trsfnet.training.precision import best_device

SIZES = (112, 160)
IMAGES, BATCH = 256, 32
TARGET = 1.5


class Rendered(Source):
    """Rendered faces of one size, encoded losslessly."""

    version = "rendered"

    def __init__(self, size: int) -> None:
        numbers = torch.arange(IMAGES)
        self._pixels = render_faces(numbers, torch.zeros_like(numbers), size=size).images.numpy()
        self.labels, self.identities = np.arange(IMAGES), tuple(map(str, range(IMAGES)))

    def name(self, index: int) -> str:
        """The number of the image."""
        return str(index)

    def encoded(self, index: int) -> bytes:
        """The image as PNG."""
        file = io.BytesIO()
        Image.fromarray(self._pixels[index]).save(file, "PNG")
        return file.getvalue()


def decode(pack: PackSource) -> None:
    """Decode all images of `pack`, one after the other."""
    for index in range(len(pack)):
        pack.image(index)


def measure_size(size: int, rounds: int) -> dict[str, Any]:
    """Measure images per second of decoding and of the training step (v1, full width) at one size."""
    with tempfile.TemporaryDirectory() as folder:
        pack = write_pack(Rendered(size), Path(folder) / "pack", size=size)
        step = Step(Case("", "v1", size, BATCH), "ours trainable", best_device())
        seconds = measure.interleaved(
            {"decode": lambda: decode(pack), "step": step}, rounds, f"pack of {size} px"
        )
        stored = (pack.folder / "images.bin").stat().st_size
    # A step has fewer images, so seconds per image are compared.
    each = {"decode": [s / IMAGES for s in seconds["decode"]], "step": [s / BATCH for s in seconds["step"]]}
    return {
        "size": size,
        "bytes": stored / IMAGES,
        "speed": {name: 1 / statistics.median(times) for name, times in each.items()},
        "fastest": 1 / min(each["decode"]),
        "ratio": {**measure.ratio(each["step"], each["decode"]), "target": TARGET},
    }


def main() -> None:
    parser = measure.command_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds to take the median over (default 7)")
    rounds = parser.parse_args().rounds
    measure.save("pack", {"rounds": rounds, "cases": [measure_size(size, rounds) for size in SIZES]})


if __name__ == "__main__":
    main()
