"""1:N identification against plain loops, and what the two published variants do differently."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation import ijb_reference
from trsfnet.data.ijb_meta import People, Searches
from trsfnet.errors import ConfigError
from trsfnet.evaluation import identification
from trsfnet.evaluation.identification import closed_set, open_set

RANKS = (1, 2, 5)
RATES = (0.01, 0.1, 0.29, 0.5)


def drawn(seed: int, ties: bool) -> tuple[np.ndarray, Searches]:
    """Two galleries of 9 and 8 people and 60 probes of them; whole coordinates make scores tie."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(17, 6))
    subject = np.concatenate([rng.permutation(17), rng.integers(17, size=60)])
    features = centres[subject] + 0.9 * rng.normal(size=(77, 6))
    if ties:
        features = features.round() + (features.round() == 0).all(axis=1, keepdims=True)
    rows, people = np.arange(77, dtype=np.int32), 100 - subject
    galleries = People(rows[:9], people[:9]), People(rows[9:17], people[9:17])
    return features.astype(np.float32), Searches(galleries, People(rows[17:], people[17:]))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_open_set_counts_as_the_loops_do(seed, ties, monkeypatch):
    monkeypatch.setattr(identification, "_BLOCK", 7)
    features, searches = drawn(seed, ties)
    result = open_set(features, searches, ranks=RANKS, fpirs=RATES)
    for at in result.tpir:
        by_loops = [
            ijb_reference.open_set(features, gallery, searches.probes, RANKS, at.fpir_target)
            for gallery in searches.galleries
        ]
        hits, mated, exact, insightface = zip(*by_loops, strict=True)
        assert result.mated == mated
        assert result.unmated == tuple(60 - count for count in mated)
        assert result.rank == pytest.approx({k: sum(h[k] for h in hits) / sum(mated) for k in RANKS})
        assert at.tpir == pytest.approx(np.mean(exact))
        assert at.tpir_insightface == pytest.approx(np.mean(insightface))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_closed_set_counts_as_the_loops_do(seed, ties, monkeypatch):
    monkeypatch.setattr(identification, "_BLOCK", 7)
    features, searches = drawn(seed, ties)
    result = closed_set(features, searches, ranks=RANKS, rates=RATES)
    for rate in RATES:
        rank, recall = ijb_reference.closed_set(features, searches.galleries, searches.probes, RANKS, rate)
        assert result.rank == pytest.approx(rank)
        assert result.recall[rate] == pytest.approx(recall)
    assert (result.searches, result.enrolled) == (60, 17)


def test_equal_templates_tie_wherever_they_are_enrolled(monkeypatch):
    """Everyone has a double in the gallery, so that nobody is the only best match."""
    monkeypatch.setattr(identification, "_BLOCK", 7)
    rng = np.random.default_rng(0)
    people = rng.normal(size=(5, 512)).astype(np.float32)
    searched = rng.integers(5, size=200)
    probes = people[searched] + rng.normal(size=(200, 512)).astype(np.float32)
    pooled = np.concatenate([people, people, probes])
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    ids = np.arange(5)
    galleries = People(ids, ids), People(5 + ids, 5 + ids)
    result = closed_set(pooled, Searches(galleries, People(10 + np.arange(200), searched)))
    assert (result.rank[1], result.rank[5]) == (0, 1)


def test_the_other_gallery_counts_in_one_variant_alone():
    """A probe nearest to someone in the other gallery: a hit in its own gallery, a miss in both joined."""
    features = np.eye(4, dtype=np.float32)
    features[3] = (0.6, 0.8, 0, 0)
    galleries = People(np.array([0]), np.array([7])), People(np.array([1, 2]), np.array([8, 9]))
    searches = Searches(galleries, People(np.array([1, 3]), np.array([8, 7])))
    assert open_set(features, searches).rank[1] == 1.0
    assert closed_set(features, searches).rank[1] == 0.5
    assert closed_set(features, searches).rank[5] == 1.0


def test_features_of_nothing_are_no_hits():
    features, searches = drawn(0, ties=False)
    assert open_set(np.zeros_like(features), searches).rank[1] == 0
    assert closed_set(np.zeros_like(features), searches).rank[1] == 0
    for variant in (open_set, closed_set):
        with pytest.raises(ConfigError, match="finite features"):
            variant(np.full_like(features, np.nan), searches)


def test_results_become_plain_dictionaries():
    features, searches = drawn(0, ties=False)
    assert {"fpir_target", "tpir", "tpir_insightface"} == set(
        open_set(features, searches).to_dict()["tpir"][0]
    )
    assert set(closed_set(features, searches).to_dict()["rank"]) == {1, 5, 10}


def test_searches_without_an_answer_are_refused():
    features, searches = drawn(0, ties=False)
    stranger = replace(searches.probes, subjects=np.where(searches.probes.rows == 20, 999, 93))
    with pytest.raises(ConfigError, match="subject 999 is not"):
        closed_set(features, replace(searches, probes=stranger))
    everyone = replace(searches.probes, subjects=np.full(60, searches.galleries[0].subjects[0]))
    with pytest.raises(ConfigError, match="inside and outside gallery 1"):
        open_set(features, replace(searches, probes=everyone))
    with pytest.raises(ConfigError, match="below 1"):
        open_set(features, searches, fpirs=[1.5])
