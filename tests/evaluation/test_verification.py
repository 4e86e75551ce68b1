"""Verification: facenet's numbers exactly, and all-pairs TAR against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from trsfnet.errors import ConfigError
from trsfnet.evaluation import all_pairs, score_all_pairs, score_pairs, ten_fold
from trsfnet.evaluation.verification import COSINE_STEP, pair_distances


@pytest.fixture(scope="module")
def golden():
    """The embeddings for which facenet's own code gave the golden numbers, drawn in the same order."""
    rng = np.random.default_rng(0)
    same = np.tile([True] * 300 + [False] * 300, 10)
    left = rng.normal(size=(6000, 64))
    right = np.where(same[:, None], left + 1.6 * rng.normal(size=(6000, 64)), rng.normal(size=(6000, 64)))
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (left, right)]
    return (*unit, same)


@pytest.mark.parametrize(
    ("distance", "mean", "accuracy", "accuracy_std", "tar", "tar_std"),
    [
        ("euclidean", False, 0.98850, 0.00320, 0.94567, 0.01647),
        ("euclidean", True, 0.98850, 0.00320, 0.94567, 0.01647),
        ("cosine", False, 0.98800, 0.00208, 0.94633, 0.01656),
        ("cosine", True, 0.98750, 0.00227, 0.94733, 0.01504),
    ],
)
def test_golden_numbers_of_facenet(golden, distance, mean, accuracy, accuracy_std, tar, tar_std):
    result = ten_fold(*golden, distance=distance, subtract_mean=mean)
    assert round(result.accuracy, 5) == accuracy
    assert round(result.tar, 5) == tar
    assert round(result.tar_std, 5) == tar_std
    assert round(result.far, 5) == 0.001
    assert result.accuracy_std == pytest.approx(accuracy_std, abs=5e-6)
    assert (result.pairs, result.folds) == (6000, 10)


def test_a_far_that_is_never_reached_accepts_nothing():
    """facenet sets the threshold to 0 when even the loosest one accepts too few impostors."""
    left = np.tile([[1.0, 0.0]], (40, 1))
    same = np.tile([True, False], 20)
    right = np.where(same[:, None], left, -left)  # squared distance 4, beyond every threshold
    result = ten_fold(left, right, same)
    assert (result.tar, result.far) == (0.0, 0.0)
    assert result.accuracy == 1.0


def test_cosine_distance_survives_rounding_above_one():
    x = np.full((1, 3), 0.1)
    assert pair_distances(x, x, "cosine") == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("seed", [0, 1])
def test_all_pairs_equals_counting_every_pair(seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(400), rng.integers(1, 8, size=400)))
    centres = rng.normal(size=(400, 16))
    embeddings = centres[labels] + 0.8 * rng.normal(size=(len(labels), 16))
    scores = score_all_pairs(embeddings, labels)

    i, j = np.triu_indices(len(labels), k=1)
    cosine = score_pairs(embeddings, i, j)
    equal = labels[i] == labels[j]
    impostor = np.sort(cosine[~equal])[::-1]
    for far in (1e-2, 1e-3, 1e-4):
        result = all_pairs(scores, far)
        threshold = impostor[int(far * len(impostor))]
        assert result.threshold == pytest.approx(threshold, abs=COSINE_STEP)
        assert result.tar == pytest.approx(np.mean(cosine[equal] > threshold), abs=2e-3)
        people = [p for p in range(400) if np.sum(labels == p) > 1]
        each = [np.mean(cosine[equal & (labels[i] == p)] > threshold) for p in people]
        assert result.tar_by_person == pytest.approx(np.mean(each), abs=4e-3)
        assert result.people == len(people)
        accepted = np.sum(scores.impostor > round(result.threshold / COSINE_STEP))
        assert accepted <= far * result.impostor_pairs
    assert result.genuine_pairs == equal.sum()
    assert result.impostor_pairs == len(impostor)
    top = scores.impostor_people[0]
    best = np.argmax(np.where(equal, -2, cosine))
    assert set(top) == {labels[i[best]], labels[j[best]]}


def test_ties_never_accept_more_than_allowed():
    """A collapsed network maps every face to one point; nobody may then be verified."""
    scores = score_all_pairs(np.ones((50, 4)), np.repeat(np.arange(25), 2))
    assert all_pairs(scores, 1e-2).tar == 0.0


def test_bad_input_is_named(golden):
    left, right, same = golden
    with pytest.raises(ConfigError, match="needs embeddings"):
        ten_fold(left, right[:-1], same)
    with pytest.raises(ConfigError, match="distance must be one of"):
        ten_fold(left, right, same, distance="manhattan")
    with pytest.raises(ConfigError, match="Fold 0 must hold"):
        ten_fold(left[:10], right[:10], np.ones(10, bool))
    with pytest.raises(ConfigError, match="two images of one person"):
        score_all_pairs(np.eye(3), np.arange(3))
    scores = score_all_pairs(np.random.default_rng(0).normal(size=(60, 4)), np.repeat(np.arange(30), 2))
    with pytest.raises(ConfigError, match=r"kept for FAR up to .*, not 0\.5"):
        all_pairs(scores, 0.5)
