"""Curves say at every FAR what the protocols say at theirs."""

from __future__ import annotations

import numpy as np
import pytest

from trsfnet.evaluation import TenFoldScores, curves, score_all_pairs
from trsfnet.evaluation.curves import _band, roc, similarities


@pytest.fixture(scope="module")
def scores() -> TenFoldScores:
    """Ten folds of twenty pairs among thirty people, those of one person closer."""
    rng = np.random.default_rng(0)
    same = np.tile([True, False], 100)
    people = rng.integers(0, 15, (200, 2)) + np.array([0, 15])
    people[same, 1] = people[same, 0]
    distances = rng.uniform(0, 2, 200) + np.where(same, 0, 1)
    return TenFoldScores(distances, same, np.repeat(np.arange(10), 20), people)


def test_a_curve_counts_what_lies_above_each_threshold(scores):
    curve = roc(scores, replicates=20)
    genuine, impostor = (-scores.distances[kind] for kind in (scores.same, ~scores.same))
    for far, tar in zip(curve.far[::20], curve.tar[::20], strict=True):
        limit = np.sort(impostor)[::-1][int(far * 100 + 1e-6)]
        assert tar == pytest.approx(np.mean(genuine > limit))
        assert np.mean(impostor > limit) <= far + 1e-9
    assert (np.diff(curve.tar) >= 0).all()
    assert (curve.low <= curve.tar + 1e-9).all()
    assert (curve.high >= curve.tar - 1e-9).all()
    assert (curve.high - curve.low).max() > 0.05


def test_all_pairs_have_the_curve_of_their_own_results():
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(40), 5)
    kept = score_all_pairs(
        rng.normal(size=(40, 8))[labels] + rng.normal(size=(200, 8)), labels, highest_far=0.1
    )
    curve = roc(kept, replicates=5)
    for far in (1e-3, 1e-2):
        found = kept.result(far)
        place = int(np.argmin(abs(np.log(curve.far) - np.log(far))))
        near = kept.result(float(curve.far[place]))
        assert curve.tar[place] == pytest.approx(near.tar)
        assert similarities(kept).threshold(far) == pytest.approx(found.threshold)


def test_where_a_draw_is_undefined_there_is_no_band(monkeypatch):
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(40), 5)
    kept = score_all_pairs(
        rng.normal(size=(40, 8))[labels] + rng.normal(size=(200, 8)), labels, highest_far=0.01
    )
    curve, draws = roc(kept, replicates=20), []
    monkeypatch.setattr(curves, "_band", lambda *given: draws.append(_band(*given)) or draws[-1])
    roc(kept, replicates=20)
    undefined = np.isnan(draws[0]).any(axis=0)
    assert 0 < undefined.sum() < len(curve.far)
    for bound in (curve.low, curve.high):
        np.testing.assert_array_equal(np.ma.getmaskarray(bound), undefined)


def test_without_people_there_is_no_band(scores):
    curve = roc(TenFoldScores(scores.distances, scores.same, scores.fold))
    assert curve.low is None
    assert curve.tar.max() > 0.5
