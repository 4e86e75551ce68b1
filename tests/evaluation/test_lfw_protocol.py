"""LFW's View 2: the numbers of facenet's and insightface's own code, by every option."""

from __future__ import annotations

import numpy as np
import pytest

from trsfnet.data.faces import Pairs
from trsfnet.errors import ConfigError
from trsfnet.evaluation import (
    CONVENTIONS,
    FACENET,
    FACENET_TRAINING,
    INSIGHTFACE,
    Convention,
    TenFoldScores,
    ten_fold,
)
from trsfnet.evaluation.distances import DISTANCES, pair_distances, score_pairs


@pytest.fixture(scope="module")
def outputs():
    """Outputs for 12,000 images and their mirror images, and the pairs of them: both projects' own code gave
    the golden numbers for these, with the interpolation of scipy before 1.9.
    """
    rng = np.random.default_rng(0)
    same = np.tile([True] * 300 + [False] * 300, 10)
    left = rng.normal(size=(6000, 64))
    right = np.where(same[:, None], left + 1.6 * rng.normal(size=(6000, 64)), rng.normal(size=(6000, 64)))
    mirrored = [x + 0.9 * rng.normal(size=(6000, 64)) for x in (left, right)]
    images = np.arange(12000).reshape(2, 6000)
    pairs = Pairs(images[0], images[1], same, np.repeat(np.arange(10), 600))
    return np.concatenate([left, right]), np.concatenate(mirrored), pairs


@pytest.fixture(scope="module")
def golden(outputs):
    """Unit embeddings of both sides of the pairs, without mirror images, and whether they match."""
    unit = FACENET_TRAINING.combine(outputs[0])
    return unit[:6000], unit[6000:], outputs[2].same


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


def concatenated(distance: str, mean: bool) -> Convention:
    return Convention("facenet with other options", "concatenate", distance, mean)


@pytest.mark.parametrize(
    ("convention", "accuracy", "accuracy_std", "tar", "tar_std", "far"),
    [
        (FACENET_TRAINING, 0.98850, 0.00320, 0.94567, 0.01647, 0.00100),
        (concatenated("euclidean", False), 0.98167, 0.00415, 0.89000, 0.02006, 0.00100),
        (concatenated("euclidean", True), 0.98167, 0.00415, 0.89000, 0.02006, 0.00100),
        (concatenated("cosine", False), 0.97817, 0.00550, 0.88967, 0.01969, 0.00100),
        (FACENET, 0.97850, 0.00524, 0.89200, 0.01962, 0.00133),
        (INSIGHTFACE, 0.97533, 0.00482, 0.83067, 0.02886, 0.00133),
    ],
)
def test_golden_numbers_with_mirror_images(outputs, convention, accuracy, accuracy_std, tar, tar_std, far):
    plain, mirrored, pairs = outputs
    result = convention.score(pairs, np.arange(12000), plain, mirrored).result(1e-3)
    assert (result.accuracy, result.accuracy_std) == pytest.approx((accuracy, accuracy_std), abs=5.1e-6)
    assert (result.tar, result.tar_std) == pytest.approx((tar, tar_std), abs=5.1e-6)
    assert result.far == pytest.approx(far, abs=5.1e-6)


def test_conventions_are_found_by_name_and_need_what_they_use():
    assert CONVENTIONS["insightface"] is INSIGHTFACE
    plain = np.ones((4, 3))
    assert np.array_equal(FACENET_TRAINING.combine(plain), FACENET_TRAINING.combine(plain, -plain))
    with pytest.raises(
        ConfigError, match=r"'facenet' needs outputs \(4, 3\) for the mirror images.*got none"
    ):
        FACENET.combine(plain)
    with pytest.raises(ConfigError, match=r"'insightface' needs .* got \(3, 3\)"):
        INSIGHTFACE.combine(plain, plain[1:])
    with pytest.raises(ConfigError, match="flip must be one of"):
        Convention("mine", "twice", "cosine", subtract_mean=False)


def test_a_far_that_is_never_reached_accepts_nothing():
    """facenet sets the threshold to 0 when even the loosest one accepts too few impostors."""
    left = np.tile([[1.0, 0.0]], (40, 1))
    same = np.tile([True, False], 20)
    right = np.where(same[:, None], left, -left)  # squared distance 4, beyond every threshold
    result = ten_fold(left, right, same)
    assert (result.tar, result.far) == (0.0, 0.0)
    assert result.accuracy == 1.0


@pytest.mark.parametrize("spread", [0.0, 1e-7, 1e-5])
def test_embeddings_that_are_nearly_equal_verify_nobody(spread):
    """facenet gives them TAR 1, at a FAR of 1: a failed training would look like a perfect one."""
    rng = np.random.default_rng(0)
    same = np.tile([True] * 30 + [False] * 30, 10)
    left, right = (np.ones((600, 64)) + spread * rng.normal(size=(600, 64)) for _ in range(2))
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (left, right)]
    scores = TenFoldScores(pair_distances(*unit, "euclidean"), same, np.repeat(np.arange(10), 60))
    result = scores.result(1e-3)
    assert (result.tar, result.far) == (0, 0)
    assert scores.metrics()["tar@1e-2"] == scores.metrics()["tar@1e-3"] == 0
    assert not scores.successes()["tar@1e-3"].any()


def test_cosine_distance_survives_rounding_above_one():
    x = np.full((1, 3), 0.1)
    assert pair_distances(x, x, "cosine") == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("mean", [False, True])
def test_weights_are_copies_of_people(mean):
    """Counting people by weight is the same as writing their pairs down several times."""
    rng = np.random.default_rng(3)
    people = rng.integers(0, 12, size=(900, 2)) + 12 * np.repeat(np.arange(3), 300)[:, None]
    people[::2, 1] = people[::2, 0]
    same = people[:, 0] == people[:, 1]
    distances = rng.normal(np.where(same, 1.2, 2.0), 0.4, size=(3, 900) if mean else 900).clip(0)
    fold = np.repeat(np.arange(3), 300)
    scores = TenFoldScores(distances, same, fold, people)
    assert scores.identities == 36
    weights = rng.integers(0, 3, size=36)
    copies = np.where(same, weights[people[:, 0]], weights[people].prod(axis=1))
    rows = np.repeat(np.arange(900), copies)
    written = TenFoldScores(distances[..., rows], same[rows], fold[rows])
    assert scores.metrics(weights) == pytest.approx(written.metrics(), abs=1e-12)
    assert scores.metrics(weights) != scores.metrics()
    assert scores.metrics(np.ones(36, int)) == scores.metrics()
    # With one fold empty, the others are averaged; with all of them, nothing is left.
    weights[:12] = 0
    assert np.isfinite(list(scores.metrics(weights).values())).all()
    assert np.isnan(list(scores.metrics(np.zeros(36, int)).values())).all()


def test_metrics_count_the_successes(golden):
    left, right, same = golden
    scores = TenFoldScores(pair_distances(left, right, "euclidean"), same, np.repeat(np.arange(10), 600))
    metrics, successes = scores.metrics(), scores.successes()
    assert metrics["tar@1e-3"] == scores.result(1e-3).tar
    assert list(successes) == list(metrics)
    assert {name: x.mean() for name, x in successes.items()} == pytest.approx(metrics)


def test_bad_input_is_named(golden):
    left, right, same = golden
    with pytest.raises(ConfigError, match="needs two arrays of embeddings"):
        ten_fold(left, right[:-1], same)
    with pytest.raises(ConfigError, match="distance must be one of"):
        ten_fold(left, right, same, distance="manhattan")
    with pytest.raises(ConfigError, match="Fold 0 must contain both"):
        ten_fold(left[:10], right[:10], np.ones(10, bool))
    for far in (-1, 2.0, np.nan):
        with pytest.raises(ConfigError, match="far_target must be from 0 to 1, got"):
            ten_fold(left, right, same, far_target=far)
    with pytest.raises(ConfigError, match="folds must be at least 2"):
        ten_fold(left, right, same, folds=1)
    broken = left.copy()
    broken[7] = np.nan
    for distance in DISTANCES:
        with pytest.raises(ConfigError, match="must be finite"):
            ten_fold(broken, right, same, distance=distance)


def facenets_tar(distances: np.ndarray, same: np.ndarray, fold: np.ndarray, far_target: float) -> float:
    """facenet's `calculate_val`, fold by fold, in plain code."""
    thresholds, tar = np.arange(0, 4, 0.001), []
    for held_out in range(fold.max() + 1):
        train, test = fold != held_out, fold == held_out
        far = np.array([np.mean(distances[train & ~same] < t) for t in thresholds])
        limit = 0.0
        if far.max() >= far_target:
            above = int(np.argmax(far > far_target))
            rise = (far_target - far[above - 1]) / (far[above] - far[above - 1])
            limit = thresholds[above - 1] + rise * 0.001
        tar.append(np.mean(distances[test & same] < limit))
    return float(np.mean(tar))


@pytest.mark.parametrize("seed", range(40))
def test_tiny_sets_have_facenets_tar(seed):
    """Of two pairs a fold, one accepted by chance is a tenth of all."""
    rng = np.random.default_rng(seed)
    same, fold = np.tile([True, False], 20), np.repeat(np.arange(10), 4)
    distances = rng.normal(np.where(same, 0.6, 1.6), 0.35).clip(0.01)
    result = TenFoldScores(distances, same, fold).result(1e-3)
    assert result.tar == pytest.approx(facenets_tar(distances, same, fold, 1e-3))


def test_tiny_sets_of_nearly_equal_embeddings_verify_nobody():
    same, fold = np.tile([True, False], 20), np.repeat(np.arange(10), 4)
    result = TenFoldScores(np.full(40, 1e-9), same, fold).result(1e-3)
    assert (result.tar, result.far) == (0, 0)


def test_an_embedding_of_zeros_gives_numbers():
    embeddings = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], dtype=np.float32)
    left, right = np.array([0, 0, 1]), np.array([0, 1, 1])
    assert score_pairs(embeddings, left, right).tolist() == [0, 0, 1]
    assert pair_distances(embeddings[left], embeddings[right], "cosine").tolist() == [0.5, 0.5, 0]
