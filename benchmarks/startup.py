"""Measure the cost of a run besides its steps: start-up, the first step, and data loading.

`python -m benchmarks.startup` writes `benchmarks/results/startup.json`. With `TRSFNET_DATA` set, it also
measures how fast LFW's images are decoded and cropped, and how fast batches are made from cached crops.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from typing import Any

import torch
from tqdm import tqdm

from benchmarks import measure
from benchmarks.step import Case, Step
from trsfnet.data.augment import augment, standardise
from trsfnet.data.cache import cached_faces
from trsfnet.data.faces import FaceSet
from trsfnet.data.lfw import find_lfw, load_people, read_people
from trsfnet.data.tracks import data_root
from trsfnet.training.batches import batches
from trsfnet.training.config import track_defaults
from trsfnet.training.precision import best_device

# Default settings of the lfw track.
TRACK = track_defaults("lfw")
SIZE, BATCH = TRACK["image_size"], 64
CASE = Case("lfw track", "v1", SIZE, BATCH, width=TRACK["width"], narrow=True)

# Batches per round, for both the steps and the data path.
BATCHES = 5
DATA_TARGET = 1.5
IMPORT_TARGET = 0.2

TIMER = "import time; s = time.perf_counter(); {}; print(time.perf_counter() - s)"
IMPORTS = {
    "torch": TIMER.format("import torch"),
    "trsfnet": "import torch; " + TIMER.format("import trsfnet"),
    "trsfnet.training.loop": "import torch; " + TIMER.format("import trsfnet.training.loop"),
}
FIRST_STEP = """
import time
from benchmarks.startup import CASE, Step, best_device
step = Step(CASE, "ours trainable", best_device())
s = time.perf_counter(); step(); print(time.perf_counter() - s)
"""


def seconds_printed(code: str) -> float:
    """Run `code` in a fresh process and return the last number that it prints."""
    command = [sys.executable, "-c", code]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def startup(rounds: int) -> dict[str, float]:
    """Median seconds of each import and of the first step, in fresh processes."""
    codes = {**IMPORTS, "first step": FIRST_STEP}
    seconds: dict[str, list[float]] = {name: [] for name in codes}
    for _ in tqdm(range(rounds), "starting up", unit="round", disable=None):
        for name, code in codes.items():
            seconds[name].append(seconds_printed(code))
    return {name: statistics.median(times) for name, times in seconds.items()}


def decoding() -> tuple[FaceSet, float]:
    """Decode and crop LFW's training images on one core; return the faces and the images per second."""
    people = [p for people in read_people()[:7] for p in people if p.images >= TRACK["images_per_identity"]]
    source = find_lfw(data_root())
    faces: list[FaceSet] = []
    times = measure.interleaved({"decode": lambda: faces.append(load_people(source, people, SIZE))}, 1, "LFW")
    return faces[-1], len(faces[-1]) / times["decode"][0]


def data_path(rounds: int) -> dict[str, Any]:
    """Images per second of decoding, of making batches and of the training step, measured alternately."""
    decoded, decode_speed = decoding()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRSFNET_CACHE"] = folder
        faces = cached_faces({"name": "benchmark"}, lambda: decoded)
        generator = torch.Generator().manual_seed(0)
        order = torch.randperm(len(faces), generator=generator)[: BATCHES * BATCH].numpy()
        device, step = best_device(), Step(CASE, "ours trainable", best_device())

        def fed() -> None:
            for x, _ in batches(faces, order.reshape(BATCHES, BATCH), device):
                augment(standardise(x), generator, flip=True, rotate=TRACK["rotate"], shift=TRACK["shift"])
            if device.type == "cuda":
                torch.cuda.synchronize()

        def steps() -> None:
            for _ in range(BATCHES):
                step()

        seconds = measure.interleaved({"batches": fed, "steps": steps}, rounds, "data path")
    images = BATCHES * BATCH
    decode_seconds = [images / decode_speed] * rounds
    return {
        "speed": {
            "decode": decode_speed,
            **{name: images / statistics.median(times) for name, times in seconds.items()},
        },
        "target": DATA_TARGET,
        "decode": measure.ratio(seconds["steps"], decode_seconds),
        "batches": measure.ratio(seconds["steps"], seconds["batches"]),
    }


def main() -> None:
    parser = measure.command_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds to take the median over (default 7)")
    rounds = parser.parse_args().rounds
    result: dict[str, Any] = {"rounds": rounds, "seconds": startup(rounds), "import_target": IMPORT_TARGET}
    result["data"] = data_path(rounds) if data_root() else None
    measure.save("startup", result)


if __name__ == "__main__":
    main()
