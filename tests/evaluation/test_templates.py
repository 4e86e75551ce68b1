"""1:1 verification of templates against plain loops and against insightface's method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ijb import Laps, insightface_way
from benchmarks.ijb_set import Shape, write_set
from tests.evaluation import ijb_reference
from trsfnet.data.ijb_meta import TemplatePairs, Templates, read_pairs, read_templates
from trsfnet.errors import ConfigError
from trsfnet.evaluation import templates as templates_module
from trsfnet.evaluation.templates import pool, score_templates, tar_at_fars

SMALL = Shape(images=150, subjects=12, probes=40, impostor_pairs=400, dimensions=24)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("ijbb")


@pytest.fixture(scope="module")
def small(root) -> tuple[np.ndarray, Templates, TemplatePairs]:
    features = write_set(root, "ijbb", SMALL)
    templates = read_templates(root, "ijbb")
    return features, templates, read_pairs(root, "ijbb", templates)


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("detector", [True, False])
@pytest.mark.parametrize("flip", [True, False])
def test_templates_are_those_of_the_loops(small, norm, detector, flip):
    features, templates, _ = small
    order = np.random.default_rng(0).permutation(len(features))  # images of a template need not be neighbours
    templates = replace(
        templates,
        rows=templates.rows[order],
        media=templates.media[order] % 7,  # media ids that several templates share
        detector_scores=templates.detector_scores[order],
    )
    mirrored = features[::-1] * np.float32(0.5) if flip else None
    got = pool(features, templates, mirrored=mirrored, use_norm_score=norm, use_detector_score=detector)
    expected = ijb_reference.pool(features, templates, mirrored, norm, detector)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=2e-6)


def test_a_memory_mapped_file_is_pooled_like_an_array(small, tmp_path):
    features, templates, _ = small
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    np.testing.assert_array_equal(pool(mapped, templates), pool(features, templates))


def test_every_pair_is_scored_once_and_in_its_place(small, monkeypatch):
    features, templates, pairs = small
    pooled = pool(features, templates)
    expected = ijb_reference.scores(pooled, pairs)
    np.testing.assert_allclose(score_templates(pooled, pairs), expected, atol=1e-6)
    monkeypatch.setattr(templates_module, "_BLOCK", 5)
    monkeypatch.setattr(templates_module, "_BATCH", 64)
    np.testing.assert_allclose(score_templates(pooled, pairs), expected, atol=1e-6)


@pytest.mark.parametrize("levels", [1, 3, 12, 10_000])
@pytest.mark.parametrize("seed", range(4))
def test_both_readings_are_those_of_the_loops(seed, levels):
    """With few levels most scores tie; with many none does."""
    rng = np.random.default_rng(seed)
    same = np.arange(90) < 20
    rng.shuffle(same)
    scores = ((rng.normal(size=90) + 1.2 * same).clip(-3, 4) * levels / 4).round() / levels
    fars = (0.0, 0.01, 0.05, 0.1, 0.29, 0.5, 0.9)
    for result in tar_at_fars(scores.astype(np.float32), same, fars):
        far = result.far_target
        assert result.tar == pytest.approx(ijb_reference.tar(scores, same, far), abs=1e-12)
        assert result.tar_insightface == pytest.approx(
            ijb_reference.tar_insightface(scores, same, far), abs=1e-12
        )
        assert result.far <= far
        assert result.far == np.mean(scores[~same].astype(np.float32) > result.threshold)
        assert (result.genuine_pairs, result.impostor_pairs) == (20, 70)
        assert set(result.to_dict()) >= {"tar", "tar_insightface", "far_target"}


def test_a_far_below_one_impostor_accepts_none():
    scores = np.array([0.9, 0.5, 0.4, 0.8, 0.3], np.float32)
    (result,) = tar_at_fars(scores, np.array([True, True, True, False, False]), [1e-6])
    assert (result.tar, result.far) == (pytest.approx(1 / 3), 0.0)


def test_the_whole_agrees_with_insightfaces_method(root, small):
    features, templates, pairs = small
    ours = tar_at_fars(score_templates(pool(features, templates), pairs), pairs.same)
    theirs = insightface_way(features, root, "ijbb", Laps())
    assert [r.tar_insightface for r in ours] == pytest.approx(theirs, abs=1e-12)
    assert 0.2 < ours[-1].tar_insightface < 1  # or the comparison would show nothing


def test_features_that_do_not_fit_are_refused(small):
    features, templates, _ = small
    with pytest.raises(ConfigError, match="each of 150 images, got \\(149, 24\\)"):
        pool(features[:-1], templates)
    with pytest.raises(ConfigError, match="got \\(150, 24\\) and \\(150, 23\\)"):
        pool(features, templates, mirrored=features[:, :-1])
    broken = features.copy()
    broken[17, 3] = np.nan
    with pytest.raises(ConfigError, match=f"template {templates.ids[templates.rows[17]]} are not finite"):
        pool(broken, templates)


@pytest.mark.parametrize(
    ("scores", "same", "fars", "says"),
    [
        ([0.1, 0.2], [True, True], [0.1], "different-person pairs"),
        ([0.1, np.nan], [True, False], [0.1], "finite"),
        ([0.1, 0.2], [True, False], [1.0], "below 1"),
    ],
)
def test_scores_without_an_answer_are_refused(scores, same, fars, says):
    with pytest.raises(ConfigError, match=says):
        tar_at_fars(np.array(scores), np.array(same), fars)


@pytest.mark.parametrize("block", [3, 4096])
def test_a_pair_has_one_score_in_any_place_and_order(monkeypatch, block):
    """In float32, the last bit of a product depends on its place, and a tie at a FAR on that bit."""
    monkeypatch.setattr(templates_module, "_BLOCK", block)
    rng = np.random.default_rng(0)
    pooled = rng.normal(size=(41, 509)).astype(np.float32)
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    pooled = np.concatenate([pooled, pooled])  # each template twice
    left, right = np.triu_indices(41, k=1)
    forms = [(left, right), (right, left), (left, right + 41), (right + 41, left), (left + 41, right + 41)]
    order = rng.permutation(len(forms) * len(left))
    rows = [np.concatenate(side)[order].astype(np.int32) for side in zip(*forms, strict=True)]
    scores = np.empty(len(order), np.float32)
    scores[order] = score_templates(pooled, TemplatePairs(*rows, order > 0))
    first, *others = scores.reshape(len(forms), -1)
    for other in others:
        np.testing.assert_array_equal(first, other)
