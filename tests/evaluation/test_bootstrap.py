"""The bootstrap over people: it covers what it says, where a bootstrap over pairs does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trsfnet.errors import ConfigError
from trsfnet.evaluation import AllPairsScores, TenFoldScores, compare, intervals, score_all_pairs

FAR = 1e-2
PEOPLE, IMAGES = 60, 3
GENUINE, IMPOSTOR = 0.3, 0.0  # mean scores
# Spread of the scores between people, in how hard they are to recognise and how easily taken for another,
# and between pairs of the same people.
HARD, MISTAKEN, PAIR = 0.12, 0.04, 0.08


def simulated(rng: np.random.Generator) -> AllPairsScores:
    """All pairs of people of whom some are harder to recognise than others, or more easily mistaken."""
    hard, mistaken = rng.normal(scale=HARD, size=PEOPLE), rng.normal(scale=MISTAKEN, size=PEOPLE)
    person = np.repeat(np.arange(PEOPLE), IMAGES * (IMAGES - 1) // 2)
    genuine = rng.normal(GENUINE - hard[person], PAIR)
    people = np.stack(np.triu_indices(PEOPLE, k=1), axis=1).repeat(IMAGES**2, axis=0)
    impostor = rng.normal(IMPOSTOR + mistaken[people].sum(axis=1), PAIR)
    top = np.argsort(-impostor)[: int(5 * FAR * len(impostor))]
    genuine, kept = (np.rint(x * 32767).astype(np.int16) for x in (genuine, impostor[top]))
    return AllPairsScores(genuine, person, kept, people[top], len(impostor))


def over_pairs(scores: AllPairsScores, rng: np.random.Generator, replicates: int) -> np.ndarray:
    """TAR when every pair, not every person, is drawn a Poisson number of times."""
    drawn = rng.poisson(1, size=(replicates, len(scores.impostor))).cumsum(axis=1)
    limit = scores.impostor[np.argmax(drawn > FAR * scores.impostor_pairs, axis=1)]
    genuine = rng.poisson(1, size=(replicates, len(scores.genuine)))
    return (genuine * (scores.genuine > limit[:, None])).sum(axis=1) / genuine.sum(axis=1)


def test_people_cover_and_pairs_do_not():
    threshold = IMPOSTOR + stats.norm.ppf(1 - FAR) * np.hypot(np.sqrt(2) * MISTAKEN, PAIR)
    truth = stats.norm.sf((threshold - GENUINE) / np.hypot(HARD, PAIR))
    rng = np.random.default_rng(0)
    people, pairs = [], []
    for _ in range(150):
        scores = simulated(rng)
        interval = intervals(scores, replicates=60, seed=int(rng.integers(2**32)))["tar@1e-2"]
        people.append(interval.low <= truth <= interval.high)
        low, high = np.quantile(over_pairs(scores, rng, 60), [0.025, 0.975])
        pairs.append(low <= truth <= high)
    assert 0.92 <= np.mean(people) <= 0.98
    assert np.mean(pairs) < 0.85


def test_ten_folds_give_intervals_too():
    """The width is the spread of the number over new people."""
    rng = np.random.default_rng(1)
    estimates, widths = [], []
    for _ in range(40):
        person = np.repeat(np.arange(100), 6)  # ten of them in each fold, in six pairs each
        other = (person + 1 + np.arange(600) % 9) % 10 + person // 10 * 10
        same = np.arange(600) % 2 == 0
        other = np.where(same | (other == person), person, other)
        same = other == person
        hard = rng.normal(scale=0.3, size=100)
        distances = rng.normal(np.where(same, 1.2 + hard[person], 2.2), 0.1).clip(0)
        scores = TenFoldScores(distances, same, person // 10, np.stack([person, other], axis=1))
        estimates.append(scores.metrics()["tar@1e-2"])
        interval = intervals(scores, replicates=40)["tar@1e-2"]
        widths.append(interval.high - interval.low)
    assert np.mean(widths) / 4 == pytest.approx(np.std(estimates), rel=0.3)


def test_so_few_people_that_their_draws_exclude_the_number_give_no_interval():
    """Only one pair of different people is similar, and most draws lack one of the two."""
    same = np.tile([True, False], 10)
    first = np.arange(20) // 2 * 2
    distances = np.where(same, 0.5, 1.5)
    distances[1] = 0.1
    scores = TenFoldScores(distances, same, np.arange(20) // 2, np.stack([first, first + ~same], axis=1))
    found = intervals(scores, replicates=200)
    assert scores.metrics()["tar@1e-2"] == pytest.approx(0.1)
    assert found["tar@1e-2"] is None
    for name, interval in found.items():
        assert interval is None or interval.low <= interval.value <= interval.high, name


@pytest.fixture(scope="module")
def models() -> tuple[AllPairsScores, AllPairsScores]:
    """Scores of one set of faces by a good network and by a worse one."""
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(80), 4)
    centres, noise = rng.normal(size=(80, 16))[labels], rng.normal(size=(320, 16))
    return tuple(score_all_pairs(centres + s * noise, labels, highest_far=0.05) for s in (0.6, 0.8))


def test_a_model_equals_itself(models):
    for name, test in compare(models[0], models[0], replicates=20).items():
        assert test.difference.to_dict() == {"value": 0, "low": 0, "high": 0}
        assert "by_person" in name or test.mcnemar.p_value == 1


def test_a_comparison_turned_around_turns_its_signs(models):
    good, worse = models
    there, back = compare(good, worse, replicates=60), compare(worse, good, replicates=60)
    assert list(there) == list(good.metrics())
    for name, test in there.items():
        turned = back[name].difference
        assert test.difference.value == good.metrics()[name] - worse.metrics()[name]
        assert test.difference.to_dict() == pytest.approx(
            {"value": -turned.value, "low": -turned.high, "high": -turned.low}
        )
    test, turned = there["tar@1e-2"], back["tar@1e-2"]
    assert test.difference.low > 0
    assert test.mcnemar.p_value == turned.mcnemar.p_value < 1e-6
    assert test.mcnemar.only_first == turned.mcnemar.only_second > turned.mcnemar.only_first
    assert (test.mcnemar.only_first - test.mcnemar.only_second) / 480 == pytest.approx(test.difference.value)
    assert there["tar_by_person@1e-2"].to_dict()["mcnemar"] is None
    # Both models suffer from the same people, which the difference of two intervals would not know.
    widths = [i.high - i.low for i in (intervals(m, replicates=60)["tar@1e-2"] for m in models)]
    assert test.difference.high - test.difference.low < np.hypot(*widths)


def test_a_threshold_below_the_kept_scores_leaves_no_interval(models):
    good, worse = models
    needed = int(FAR * good.impostor_pairs) + 1
    kept = AllPairsScores(
        good.genuine,
        good.genuine_person,
        good.impostor[:needed],
        good.impostor_people[:needed],
        good.impostor_pairs,
    )
    assert kept.metrics() == good.metrics()
    found = intervals(kept, replicates=20)
    assert found["tar@1e-2"] is None
    assert found["tar@1e-3"].low <= found["tar@1e-3"].value <= found["tar@1e-3"].high
    assert compare(kept, worse, replicates=20)["tar@1e-2"].difference is None


def test_a_collapsed_network_accepts_nobody_for_sure():
    scores = score_all_pairs(np.ones((50, 4)), np.repeat(np.arange(25), 2), highest_far=1.0)
    assert intervals(scores, replicates=20)["tar@1e-2"].to_dict() == {"value": 0, "low": 0, "high": 0}


def test_bad_input_is_named(models):
    same = np.tile([True, False], 20)
    nameless = TenFoldScores(np.linspace(0, 2, 40), same, np.repeat(np.arange(10), 4))
    with pytest.raises(ConfigError, match="do not identify the people"):
        intervals(nameless)
    with pytest.raises(ConfigError, match="only on the same pairs"):
        compare(models[0], nameless)
    with pytest.raises(ConfigError, match="only on the same pairs"):
        compare(models[0], score_all_pairs(np.random.default_rng(0).normal(size=(40, 8)), np.arange(40) // 4))
