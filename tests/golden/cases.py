"""The trainings: every setting that the paper or a study uses, on made-up pictures, in four steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trsfnet.data.faces import FaceSet, Pairs, TrackData
from trsfnet.models import InceptionResnet
from trsfnet.training.config import TrainConfig
from trsfnet.training.history import History
from trsfnet.training.loop import Outcome, train
from trsfnet.training.network import build_model

# Small, and with a decay and a rate at which four steps show each term of the update well above rounding.
SMALL: dict[str, Any] = {
    "width": 0.0625,
    "image_size": 75,
    "embedding_size": 16,
    "batch_size": 8,
    "steps_per_epoch": 2,
    "epochs": 2,
    "learning_rate": 0.01,
    "weight_decay": 0.05,
    "precision": "float32",
    "identities": 6,
    "images_per_identity": 4,
}
# The augmentation of a track; the pictures are the same made-up ones for all.
SYNTHETIC = {"rotate": 5.0, "shift": 0.03}
LFW = {"rotate": 10.0, "shift": 0.05}
PAPER = {"rotate": 10.0, "shift": 0.0}
# The paper's input of 112 pixels leaves out a pool; so small a one needs that too.
CROPPED = {"image_size": 41, "removed_pool": "maxpool_3a"}

CASES: dict[str, dict[str, Any]] = {
    "v1-relu": {**CROPPED, **SYNTHETIC},
    "v1-constant-scale": {"scale_init": 0.3, **CROPPED, **LFW},
    "v1-trsf-prelu": {"trsf": True, "activation": "prelu", **SYNTHETIC},
    "v1-trsf-from-0": {"trsf": True, "scale_init": 0.0, **CROPPED, **SYNTHETIC},
    "v1-per-channel": {"trsf": True, "trsf_per_channel": True, "scale_init": 0.3, **CROPPED, **LFW},
    "v1-leaky-relu-vggface2": {
        "activation": "leaky_relu",
        "dropout": 0.6,
        "bn_momentum": 0.005,
        "schedule": "staircase",
        "decay_epochs": 1,
        **CROPPED,
        **PAPER,
    },
    "v2-relu": {"arch": "v2", **CROPPED, **LFW},
    "v2-trsf-leaky-relu": {"arch": "v2", "trsf": True, "activation": "leaky_relu", **LFW},
    "v2-prelu-from-minus-0.1": {
        "arch": "v2",
        "activation": "prelu",
        "slope_init": -0.1,
        **CROPPED,
        **SYNTHETIC,
    },
    "v2-trsf-prelu-arcface-ms1mv2": {
        "arch": "v2",
        "trsf": True,
        "activation": "prelu",
        "loss": "arcface",
        "arcface_scale": 64.0,
        "arcface_margin": 0.5,
        "dropout": 0.6,
        "bn_momentum": 0.005,
        "schedule": "milestones",
        "decay_factor": 0.1,
        "milestones": (1, 3),
        **CROPPED,
        **PAPER,
    },
    "v1-arcface-warmup": {
        "loss": "arcface",
        "arcface_scale": 16.0,
        "arcface_margin": 0.2,
        "warmup_epochs": 1,
        **CROPPED,
        **LFW,
    },
    "v1-trsf-prelu-two-micro-batches": {
        "trsf": True,
        "activation": "prelu",
        "micro_batches": 2,
        **CROPPED,
        **SYNTHETIC,
    },
    # The study of what a scale means (`trsfnet.experiments.mechanism`).
    "v1-trsf-prelu-other-gauge": {
        "trsf": True,
        "activation": "prelu",
        "scale_init": 1.0,
        "projection_gain": 0.1,
        "decayed": "projections",
        **CROPPED,
        **SYNTHETIC,
    },
    "v1-prelu-above-a-floor-given-scales": {
        "activation": "prelu",
        "slope_floor": 0.2,
        "fixed_scales": tuple(0.05 * number for number in range(1, 21)),
        **CROPPED,
        **SYNTHETIC,
    },
    "v1-trsf-held-out": {"trsf": True, "held_out_images": 2, **CROPPED, **SYNTHETIC},
}


def config(case: str) -> TrainConfig:
    """The resolved configuration of a case."""
    return replace(TrainConfig(**SMALL | CASES[case]).resolved(None), images="golden")


@cache
def faces(held_out: int = 0) -> TrackData:
    """Six people to learn and ten others to verify, drawn in whole numbers, the same on every machine.

    Args:
        held_out: further images of each of the six.
    """
    start = np.arange(10) * 2
    left, right = np.stack([start, start]), np.stack([start + 1, (start + 2) % 20])
    same = np.tile([True, False], 10)
    pairs = Pairs(left.T.ravel(), right.T.ravel(), same, np.arange(10).repeat(2))
    others = _people(6, held_out, seed=0, noise=2) if held_out else None
    return TrackData(_people(6, 4, seed=0), _people(10, 2, seed=1), pairs, held_out=others)


def _people(people: int, images: int, *, seed: int, noise: int | None = None) -> FaceSet:
    """Made-up people, the same for the same `seed`; another seed of the `noise` makes other images."""
    rng = np.random.default_rng(seed)
    patterns = rng.integers(60, 196, size=(people, 5, 5, 3)).repeat(15, axis=1).repeat(15, axis=2)
    labels = np.arange(people).repeat(images)
    rng = rng if noise is None else np.random.default_rng(noise)
    pixels = patterns[labels] + rng.integers(-60, 60, size=(len(labels), 75, 75, 3))
    return FaceSet(pixels.astype(np.uint8), labels, tuple(f"person {i}" for i in range(people)))


def cropped(data: TrackData, size: int) -> TrackData:
    """The middle of every face."""
    edge = (75 - size) // 2

    def middle(part: FaceSet) -> FaceSet:
        images = np.ascontiguousarray(part.images[:, edge : edge + size, edge : edge + size])
        return FaceSet(images, part.labels, part.identities)

    held_out = data.held_out and middle(data.held_out)
    return TrackData(middle(data.train), middle(data.test), data.pairs, held_out=held_out)


def trained(case: str, *, dtype: torch.dtype = torch.float32) -> Outcome:
    """Train a case from start to end, all of it in `dtype`."""
    with _default_dtype(dtype):
        return train(config(case), _faces_of(case))


def resumed(case: str, folder: Path) -> Outcome:
    """Train a case in float32, stop it in the middle, and go on from its checkpoint in `folder`."""
    checkpoint = folder / "last.pt"

    def stop(history: History) -> None:
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        train(config(case), _faces_of(case), checkpoint=checkpoint, on_epoch=stop)
    return train(config(case), _faces_of(case), checkpoint=checkpoint)


def start(case: str, *, dtype: torch.dtype) -> InceptionResnet:
    """The network of a case before its training."""
    with _default_dtype(dtype):
        return build_model(config(case))


def _faces_of(case: str) -> TrackData:
    return cropped(faces(config(case).held_out_images), config(case).image_size)


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Within it, networks have parameters of `dtype`."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
