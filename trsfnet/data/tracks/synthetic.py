"""The `synthetic` track: rendered identities for training, and others for verification by LFW's protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from trsfnet.data.cache import cached_faces
from trsfnet.data.faces import FaceSet, Pairs, TrackData
from trsfnet.synthetic import RENDERER_VERSION, render_faces

# LFW's protocol: ten folds with 300 same-person and 300 different-person pairs each; no person is in two
# folds.
FOLDS = 10
PAIRS_PER_FOLD = 300
TEST_IDENTITIES_PER_FOLD = 20
TEST_IMAGES = 8


def images_version(*, root: Path | None, train_set: str | None) -> str:
    """Return the version of the renderer."""
    return f"renderer-{RENDERER_VERSION}"


def load(
    *,
    size: int,
    identities: int,
    images_per_identity: int,
    root: Path | None,
    train_set: str | None,
    held_out_images: int = 0,
) -> TrackData:
    """Render the faces, or load them from the cache; see `trsfnet.data.tracks.load_track`."""
    test_identities = FOLDS * TEST_IDENTITIES_PER_FOLD
    # Test identities come first, so that their faces do not depend on the number of training identities.
    test = _rendered("test", 0, test_identities, TEST_IMAGES, size)
    train = _rendered("train", test_identities, identities, images_per_identity, size)
    held_out = None
    if held_out_images:
        after = images_per_identity
        held_out = _rendered("held-out", test_identities, identities, held_out_images, size, after)
    return TrackData(train, test, synthetic_pairs(test.labels), all_pairs=True, held_out=held_out)


def _rendered(
    part: str, first: int, identities: int, images: int, size: int, first_image: int = 0
) -> FaceSet:
    key = {
        "name": f"synthetic-{part}",
        "renderer": RENDERER_VERSION,
        "first": first,
        "identities": identities,
        "images": images,
        "size": size,
    }
    if first_image:
        key["first_image"] = first_image

    def render() -> FaceSet:
        labels = torch.arange(identities).repeat_interleave(images)
        samples = torch.arange(first_image, first_image + images).repeat(identities)
        chunks = torch.arange(len(labels)).split(256)
        pixels = [
            render_faces(labels[chunk] + first, samples[chunk], size=size).images.numpy()
            for chunk in tqdm(chunks, f"rendering {part} faces", unit="batch", disable=None)
        ]
        names = tuple(f"synthetic-{first + i}" for i in range(identities))
        return FaceSet(np.concatenate(pixels), labels.numpy(), names)

    return cached_faces(key, render)


def synthetic_pairs(labels: np.ndarray) -> Pairs:
    """Draw ten folds of pairs of test identities by LFW's protocol; the result is deterministic.

    Args:
        labels: int64 [N], identities numbered from 0; fold k contains the k-th tenth of them.
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
