"""Measure rendering speed, the share of faces that a detector finds, and verification without learning.

`python -m benchmarks.rendering` writes `results/rendering.json`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from benchmarks import measure
from trsfnet.data.tracks import load_track
from trsfnet.evaluation.embed import embed
from trsfnet.evaluation.protocol import evaluate
from trsfnet.report.data.synthetic import raw_pixels
from trsfnet.synthetic import DEFAULT_DIFFICULTY, RENDERER_VERSION, render_faces
from trsfnet.training.config import TrainConfig
from trsfnet.training.network import build_model

SPEED_TARGET, FOUND_TARGET, TAR_LIMIT = 300, 0.97, 0.20
SPEED_SIZE, SPEED_FACES = 112, 256
FOUND_SIZE, FOUND_FACES, FOUND_DIFFICULTY = 160, 1000, 1.0


def speed(rounds: int) -> dict[str, Any]:
    """Faces per second of CPU time of one thread, which does not depend on the machine's load."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    numbers = torch.arange(SPEED_FACES)
    render_faces(numbers, numbers, size=SPEED_SIZE)
    rates = []
    for _ in tqdm(range(rounds), "rendering", unit="round", disable=None):
        started = time.process_time()
        render_faces(numbers, numbers, size=SPEED_SIZE)
        rates.append(SPEED_FACES / (time.process_time() - started))
    torch.set_num_threads(threads)
    return {
        "fastest": max(rates),
        "median": statistics.median(rates),
        "size": SPEED_SIZE,
        "target": SPEED_TARGET,
    }


def detection(faces: int) -> dict[str, Any]:
    """Count how many of `faces` identities' faces facenet-pytorch's MTCNN finds with its default settings."""
    # Imported here, because only this figure needs facenet-pytorch.
    from facenet_pytorch import MTCNN

    mtcnn = MTCNN()
    found = 0
    for numbers in tqdm(torch.arange(faces).split(50), "detecting", unit="batch", disable=None):
        images = render_faces(numbers, numbers, size=FOUND_SIZE, difficulty=FOUND_DIFFICULTY).images
        boxes, _ = mtcnn.detect(list(images.numpy()))
        found += sum(box is not None for box in boxes)
    return {
        "found": found,
        "of": faces,
        "size": FOUND_SIZE,
        "difficulty": FOUND_DIFFICULTY,
        "target": FOUND_TARGET,
    }


def without_learning(config: TrainConfig) -> dict[str, Any]:
    """TAR of centred raw pixels and of an untrained network on the track's unseen identities."""
    data = load_track("synthetic", size=config.image_size, identities=1, images_per_identity=1, root=None)

    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "raw pixels": raw_pixels,
        "untrained network": lambda images: embed(build_model(config), images, dtype=torch.float32),
    }
    tar = {
        name: evaluate(data.test, data.pairs, way(data.test.images)).metrics["tar@1e-2"]
        for name, way in ways.items()
    }
    return {
        "tar@1e-2": tar,
        "size": config.image_size,
        "difficulty": DEFAULT_DIFFICULTY,
        "pairs": len(data.pairs.same),
        "limit": TAR_LIMIT,
    }


def main() -> None:
    parser = measure.command_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="rounds of the speed (default 20)")
    rounds = parser.parse_args().rounds
    result = {
        "rounds": rounds,
        "renderer": RENDERER_VERSION,
        "speed": speed(rounds),
        "detection": detection(FOUND_FACES),
        "without_learning": without_learning(TrainConfig().resolved(None)),
    }
    measure.save("rendering", result)


if __name__ == "__main__":
    main()
