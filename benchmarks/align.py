"""Measure how many faces MTCNN finds in LFW, and how fast.

`python -m benchmarks.align`, with `TRSFNET_DATA` set, aligns every image in one thread, which takes 15
minutes, and writes `benchmarks/results/align.json`.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import torch

from benchmarks import measure
from trsfnet.data.align import MarginCrop, Mtcnn, align_faces
from trsfnet.data.lfw import LfwSource, find_lfw, read_people
from trsfnet.data.tracks import data_root
from trsfnet.errors import DataError


def main() -> None:
    measure.command_parser(__doc__).parse_args()
    root = data_root()
    if root is None:
        raise DataError("Set TRSFNET_DATA to a folder that holds LFW.")
    people = sorted((p for members in read_people() for p in members), key=lambda person: person.name)
    images = find_lfw(root)
    source = LfwSource(images, people)
    detector = Mtcnn()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        started, computed = time.perf_counter(), time.process_time()
        counts = align_faces(source, Path(folder) / "crops", detector, MarginCrop())
        wall, cpu = time.perf_counter() - started, time.process_time() - computed
    result = {
        "version": images.version,
        "images": len(source),
        "counts": counts,
        "speed": {"wall": len(source) / wall, "cpu": len(source) / cpu},
    }
    measure.save("align", result)


if __name__ == "__main__":
    main()
