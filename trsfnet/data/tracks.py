"""The tracks: what to train on and what to verify, by name.

`synthetic` renders identities; anyone can run it offline. `lfw` trains on the people of LFW's sets 1-7
with two or more images and verifies all pairs of sets 8-10, disjoint people.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from trsfnet.data.cache import cached_faces
from trsfnet.data.faces import FaceSet, Pairs, TrackData
from trsfnet.data.lfw import LfwImages, Person, fetch_lfw, find_lfw, load_people, read_people
from trsfnet.data.synthetic import RENDERER_VERSION, render_faces
from trsfnet.errors import DataError, choice

TRACKS = ("synthetic", "lfw")

LFW_TRAIN_SETS = range(7)
LFW_TEST_SETS = range(7, 10)

# LFW's protocol: ten folds of 300 pairs of one person and 300 pairs of two, no person in two folds.
FOLDS = 10
PAIRS_PER_FOLD = 300
SYNTHETIC_TEST = {"identities_per_fold": 20, "images": 8}


def data_root(given: str | None = None) -> Path | None:
    """Where datasets lie: the parameter, or `TRSFNET_DATA`, or nowhere (None).

    Raises:
        DataError: the folder does not exist.
    """
    root = given or os.environ.get("TRSFNET_DATA")
    if not root:
        return None
    if not Path(root).is_dir():
        source = "data_root" if given else "TRSFNET_DATA"
        raise DataError(f"{source} must name an existing folder, got {root}.")
    return Path(root)


def images_version(track: str, root: Path | None) -> str:
    """Which images `track` would use here: part of what determines a run's result.

    Looks without decoding; fetches LFW if there is none.

    Raises:
        ConfigError: unknown track.
        DataError: the images are missing.
    """
    choice("track", track, TRACKS)
    return f"renderer-{RENDERER_VERSION}" if track == "synthetic" else _lfw(root).version


def load_track(
    track: str, *, size: int, identities: int, images_per_identity: int, root: Path | None
) -> TrackData:
    """The faces of `track` as crops of `size` pixels, from the cache when they were made before.

    Args:
        track: `synthetic` or `lfw`.
        size: side of the crops in pixels.
        identities: how many identities to render for training (`synthetic` only).
        images_per_identity: images of each of them (`synthetic`), or the fewest that a person must have
            to be trained on (`lfw`).
        root: folder that holds the datasets, or None.

    Raises:
        ConfigError: unknown track.
        DataError: the images are missing or damaged.
    """
    choice("track", track, TRACKS)
    if track == "synthetic":
        return _load_synthetic(size, identities, images_per_identity)
    return _load_lfw(_lfw(root), size, images_per_identity)


def _lfw(root: Path | None) -> LfwImages:
    return fetch_lfw() if root is None else find_lfw(root)


def _load_lfw(source: LfwImages, size: int, fewest_images: int) -> TrackData:
    sets = read_people()
    train = [p for i in LFW_TRAIN_SETS for p in sets[i] if p.images >= fewest_images]
    test = [p for i in LFW_TEST_SETS for p in sets[i]]
    stat = source.path.stat()

    def crops(part: str, people: list[Person]) -> FaceSet:
        key = {
            "name": f"lfw-{source.version}-{part}",
            "size": size,
            "people": [(p.name, p.images) for p in people],
            "source": [str(source.path.resolve()), stat.st_size, stat.st_mtime_ns],
        }
        return cached_faces(key, lambda: load_people(source, people, size))

    return TrackData(crops("train", train), crops("test", test), pairs=None)


def _load_synthetic(size: int, identities: int, images: int) -> TrackData:
    test_identities = FOLDS * SYNTHETIC_TEST["identities_per_fold"]
    # Test identities come first, so that they stay the same faces however many are trained on.
    test = _rendered("test", 0, test_identities, SYNTHETIC_TEST["images"], size)
    train = _rendered("train", test_identities, identities, images, size)
    return TrackData(train, test, synthetic_pairs(test.labels))


def _rendered(part: str, first: int, identities: int, images: int, size: int) -> FaceSet:
    key = {
        "name": f"synthetic-{part}",
        "renderer": RENDERER_VERSION,
        "first": first,
        "identities": identities,
        "images": images,
        "size": size,
    }

    def render() -> FaceSet:
        labels = torch.arange(identities).repeat_interleave(images)
        samples = torch.arange(images).repeat(identities)
        chunks = torch.arange(len(labels)).split(256)
        pixels = [
            render_faces(labels[chunk] + first, samples[chunk], size=size).images.numpy()
            for chunk in tqdm(chunks, f"rendering {part} faces", unit="batch", disable=None)
        ]
        names = tuple(f"synthetic-{first + i}" for i in range(identities))
        return FaceSet(np.concatenate(pixels), labels.numpy(), names)

    return cached_faces(key, render)


def synthetic_pairs(labels: np.ndarray) -> Pairs:
    """Ten folds of pairs by LFW's protocol over test identities, always the same ones.

    Args:
        labels: int64 [N], identities numbered from 0; fold k holds the k-th tenth of them.
    """
    rng = np.random.default_rng(2020)
    per_fold = (labels.max() + 1) // FOLDS
    left, right, same, folds = [], [], [], []
    for fold in range(FOLDS):
        members = np.flatnonzero(labels // per_fold == fold)
        i, j = np.triu_indices(len(members), k=1)
        i, j = members[i], members[j]
        equal = labels[i] == labels[j]
        for wanted in (True, False):
            chosen = rng.choice(np.flatnonzero(equal == wanted), PAIRS_PER_FOLD, replace=False)
            left.append(i[chosen])
            right.append(j[chosen])
            same.append(np.full(PAIRS_PER_FOLD, wanted))
            folds.append(np.full(PAIRS_PER_FOLD, fold))
    return Pairs(*(np.concatenate(part) for part in (left, right, same, folds)))
