"""TAR over all pairs against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from trsfnet.errors import ConfigError, DataError
from trsfnet.evaluation import AllPairsScores, score_all_pairs, score_pairs
from trsfnet.evaluation.verification import COSINE_STEP


def faces(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of 400 people with one to seven images each, in no order, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(400), rng.integers(1, 8, size=400)))
    centres = rng.normal(size=(400, 16))
    return centres[labels] + 0.8 * rng.normal(size=(len(labels), 16)), labels


@pytest.mark.parametrize("seed", [0, 1])
def test_all_pairs_equals_counting_every_pair(seed):
    embeddings, labels = faces(seed)
    scores = score_all_pairs(embeddings, labels)

    i, j = np.triu_indices(len(labels), k=1)
    cosine = score_pairs(embeddings, i, j)
    equal = labels[i] == labels[j]
    impostor = np.sort(cosine[~equal])[::-1]
    genuine, person = cosine[equal], labels[i][equal]
    for far in (1e-2, 1e-3, 1e-4):
        result = scores.result(far)
        threshold = impostor[int(far * len(impostor))]
        assert result.threshold == pytest.approx(threshold, abs=COSINE_STEP)
        assert result.tar == pytest.approx(np.mean(genuine > threshold), abs=2e-3)
        people = np.unique(person)
        each = [np.mean(genuine[person == p] > threshold) for p in people]
        assert result.tar_by_person == pytest.approx(np.mean(each), abs=4e-3)
        assert result.people == len(people)
        accepted = np.sum(scores.impostor > round(result.threshold / COSINE_STEP))
        assert accepted <= far * result.impostor_pairs
    assert scores.identities == 400
    assert result.genuine_pairs == equal.sum()
    assert result.impostor_pairs == len(impostor)
    top = scores.impostor_people[0]
    best = np.argmax(np.where(equal, -2, cosine))
    assert set(top) == {labels[i[best]], labels[j[best]]}


def test_weights_are_copies_of_people():
    """Counting people by weight is the same as writing their pairs down several times."""
    embeddings, labels = faces(2)
    everything = score_all_pairs(embeddings, labels, highest_far=1.0)
    kept = score_all_pairs(embeddings, labels, highest_far=2e-2)
    weights = np.random.default_rng(5).poisson(1.0, size=400)

    genuine = np.repeat(everything.genuine, weights[everything.genuine_person])
    person = np.repeat(everything.genuine_person, weights[everything.genuine_person])
    impostor = np.repeat(everything.impostor, weights[everything.impostor_people].prod(axis=1))
    metrics = kept.metrics(weights)
    for name, far in (("1e-2", 1e-2), ("1e-3", 1e-3), ("1e-4", 1e-4)):
        accepted = genuine > impostor[int(far * len(impostor))]
        assert metrics[f"tar@{name}"] == pytest.approx(accepted.mean())
        people = np.unique(person)
        each = [accepted[person == p].mean() for p in people]
        expected = np.average(each, weights=weights[people])
        assert metrics[f"tar_by_person@{name}"] == pytest.approx(expected)
    assert kept.metrics(np.ones(400, int)) == kept.metrics()
    assert kept.metrics()["tar@1e-3"] == kept.result(1e-3).tar
    counted = {name: x.mean() for name, x in kept.successes().items()}
    assert counted == pytest.approx({n: v for n, v in kept.metrics().items() if "person" not in n})


def test_a_far_beyond_the_kept_scores_has_no_number():
    scores = score_all_pairs(*faces(0), highest_far=1e-3)
    metrics = scores.metrics()
    assert np.isnan(metrics["tar@1e-2"])
    assert np.isfinite(metrics["tar@1e-3"])
    assert list(scores.successes()) == ["tar@1e-3", "tar@1e-4"]
    nobody = scores.metrics(np.zeros(scores.identities, int))
    assert np.isnan(list(nobody.values())).all()


def test_labels_may_have_gaps():
    embeddings, labels = faces(0)
    scores = score_all_pairs(embeddings, 3 * labels + 7)
    assert scores.result(1e-3) == score_all_pairs(embeddings, labels).result(1e-3)


def test_ties_never_accept_more_than_allowed():
    """A collapsed network maps every face to one point; nobody may then be verified."""
    scores = score_all_pairs(np.ones((50, 4)), np.repeat(np.arange(25), 2))
    assert scores.result(1e-2).tar == 0.0


def test_bad_input_is_named():
    with pytest.raises(ConfigError, match="at least two images of one person"):
        score_all_pairs(np.eye(3), np.arange(3))
    with pytest.raises(ConfigError, match=r"needs .* labels \[N\], got \(40, 4\) and \(48,\)"):
        score_all_pairs(np.ones((40, 4)), np.arange(48) // 2)
    with pytest.raises(ConfigError, match="must be finite"):
        score_all_pairs(np.full((4, 2), np.nan), np.array([0, 0, 1, 1]))
    scores = score_all_pairs(np.random.default_rng(0).normal(size=(60, 4)), np.repeat(np.arange(30), 2))
    with pytest.raises(ConfigError, match=r"kept for FARs up to .*, which excludes 0\.5"):
        scores.result(0.5)
    damaged = AllPairsScores(
        scores.genuine, scores.genuine_person, scores.impostor, scores.impostor_people, impostor_pairs=100
    )
    with pytest.raises(DataError, match="do not match 100 pairs of different people"):
        damaged.metrics()
