"""Generates sets like IJB-B or IJB-C of any size: meta files on disk, features in memory, no images.

A feature is its subject's direction plus noise; as with real networks, it is longer if the noise is weaker.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from trsfnet.data.ijb_meta import GALLERIES


@dataclass(frozen=True)
class Shape:
    """The size of a set; the defaults are those of IJB-B.

    Attributes:
        images: number of face crops.
        subjects: number of people, each enrolled with one template in one of the two galleries.
        probes: number of other templates; each forms a genuine pair with its subject's enrolled template.
        impostor_pairs: number of pairs of an enrolled template and a probe of another person.
        dimensions: length of a feature.
    """

    images: int = 227_630
    subjects: int = 1_845
    probes: int = 10_270
    impostor_pairs: int = 8_000_000
    dimensions: int = 512


def write_set(root: Path, dataset: str, shape: Shape, seed: int = 0) -> np.ndarray:
    """Write the meta files of a set under `root` and return its features: float32 [images, dimensions].

    Template ids are shuffled, start at 1 and have gaps; pairs are in random order.
    """
    rng = np.random.default_rng(seed)
    templates = shape.subjects + shape.probes
    ids = np.sort(rng.choice(np.arange(1, 2 * templates), templates, replace=False))
    rng.shuffle(ids)
    enrolled, probes = ids[: shape.subjects], ids[shape.subjects :]
    subject = np.concatenate([np.arange(shape.subjects), rng.integers(shape.subjects, size=shape.probes)])

    # Every template has at least one image; the others are assigned at random. A medium is a run of
    # consecutive images of a template.
    row = np.concatenate([np.arange(templates), rng.integers(templates, size=shape.images - templates)])
    row.sort()
    new = (np.diff(row, prepend=-1) != 0) | (rng.random(shape.images) < 0.35)
    medium = rng.permutation(shape.images)[np.cumsum(new) - 1]
    names = [f"{number}.jpg" for number in range(1, shape.images + 1)]
    quality = rng.beta(2, 2, shape.images).astype(np.float32)
    landmarks = rng.uniform(20, 90, (shape.images, 10)).round(3)
    score = np.where(rng.random(shape.images) < 0.02, 0.1, 1 - 0.1 * rng.random(shape.images)).round(3)

    mate = subject[shape.subjects :]
    left, right = _impostors(rng, shape, mate)
    left, right = np.concatenate([mate, left]), np.concatenate([np.arange(shape.probes), right])
    same = np.arange(len(left)) < shape.probes
    order = rng.permutation(len(left))

    meta = root / "meta"
    meta.mkdir(parents=True, exist_ok=True)
    _write(meta / f"{dataset}_face_tid_mid.txt", " ", names, ids[row], medium)
    _write(meta / f"{dataset}_name_5pts_score.txt", " ", names, *landmarks.T, score)
    columns = enrolled[left[order]], probes[right[order]], same[order].astype(np.int8)
    _write(meta / f"{dataset}_template_pair_label.txt", " ", *columns)
    people = 1000 + rng.permutation(shape.subjects)
    half = shape.subjects // 2
    for gallery, part in zip(GALLERIES[dataset], (slice(0, half), slice(half, None)), strict=True):
        _write_people(meta / f"{dataset}_1N_gallery_{gallery}.csv", enrolled[part], people[part])
    _write_people(meta / f"{dataset}_1N_probe_mixed.csv", probes, people[mate])
    return _features(rng, shape, subject[row], quality)


def _impostors(rng: np.random.Generator, shape: Shape, mate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw distinct pairs (enrolled subject, probe) of different people, uniformly."""
    # Pairs are numbered without the genuine ones: each probe has one pair for every subject except its own.
    others = shape.subjects - 1
    drawn = rng.choice(others * shape.probes, shape.impostor_pairs, replace=False)
    probe, other = np.divmod(drawn, others)
    return other + (other >= mate[probe]), probe


def _features(rng: np.random.Generator, shape: Shape, subject: np.ndarray, quality: np.ndarray) -> np.ndarray:
    centres = rng.standard_normal((shape.subjects, shape.dimensions), dtype=np.float32)
    strength = np.float32(shape.dimensions**0.5 / 7)  # moderate difficulty for any number of dimensions
    features = np.empty((shape.images, shape.dimensions), np.float32)
    for start in range(0, shape.images, 16384):
        block = slice(start, start + 16384)
        noise = rng.standard_normal((len(subject[block]), shape.dimensions), dtype=np.float32)
        features[block] = quality[block, None] * centres[subject[block]] + strength * noise
    return features


def _write(path: Path, delimiter: str, *columns: object) -> None:
    table = pa.table({str(i): column for i, column in enumerate(columns)})
    pa.csv.write_csv(
        table, path, pa.csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="none")
    )


def _write_people(path: Path, templates: np.ndarray, people: np.ndarray) -> None:
    """Write a 1:N file: one line per image, here two per template, with columns that readers ignore."""
    lines = [f"{t},{p},img/{t}_{i}.png,{i}" for t, p in zip(templates, people, strict=True) for i in range(2)]
    path.write_text(
        "\n".join(["TEMPLATE_ID,SUBJECT_ID,FILENAME,SIGHTING_ID", *lines]) + "\n", encoding="utf-8"
    )
