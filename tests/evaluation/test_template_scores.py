"""Scores of pairs of templates: people counted by weight, and intervals over them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.ijb_set import Shape, write_set
from trsfnet.data.ijb_meta import Searches, TemplatePairs, read_pairs, read_searches, read_templates
from trsfnet.errors import ConfigError
from trsfnet.evaluation import (
    TemplateScores,
    compare,
    intervals,
    people_of_pairs,
    pool,
    read_scores,
    score_templates,
    tar_at_fars,
    to_columns,
)

SHAPE = Shape(images=600, subjects=30, probes=90, impostor_pairs=2400, dimensions=16)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> tuple[TemplateScores, TemplatePairs, Searches]:
    root = tmp_path_factory.mktemp("ijbb")
    features = write_set(root, "ijbb", SHAPE)
    templates = read_templates(root, "ijbb")
    pairs, searches = read_pairs(root, "ijbb", templates), read_searches(root, "ijbb", templates)
    people = people_of_pairs(pairs, searches, len(templates.ids))
    return (
        TemplateScores(score_templates(pool(features, templates), pairs), pairs.same, people),
        pairs,
        searches,
    )


def test_one_copy_of_each_person_changes_nothing(small):
    scores = small[0]
    assert scores.metrics(np.ones(scores.identities, int)) == scores.metrics()
    assert 0.1 < scores.metrics()["tar@1e-3"] < 0.9


def test_copies_of_people_count_as_copies_of_their_pairs(small):
    scores = small[0]
    weights = np.random.default_rng(0).integers(0, 3, scores.identities)
    _, numbered = np.unique(scores.people, return_inverse=True)
    left, right = weights[numbered.reshape(-1, 2)].T
    copies = np.where(scores.same, left, left * right)
    expected = tar_at_fars(np.repeat(scores.scores, copies), np.repeat(scores.same, copies))
    assert list(scores.metrics(weights).values()) == pytest.approx([r.tar for r in expected], abs=1e-12)


def test_intervals_hold_the_value_and_comparisons_need_the_same_pairs(small):
    scores = small[0]
    for name, interval in intervals(scores, replicates=50).items():
        assert interval.low < scores.metrics()[name] < interval.high
    worse = TemplateScores(scores.scores - 0.1 * scores.same, scores.same, scores.people)
    gap = compare(scores, worse, replicates=20)["tar@1e-2"]
    assert gap.difference.value > 0
    assert gap.mcnemar.only_second == 0 < gap.mcnemar.only_first
    with pytest.raises(ConfigError, match="only on the same pairs"):
        compare(scores, TemplateScores(scores.scores, ~scores.same, scores.people))


def test_what_is_saved_is_read_back(small):
    scores = small[0]
    again = read_scores(to_columns(scores))
    assert again.metrics() == scores.metrics()
    assert intervals(again, replicates=5) == intervals(scores, replicates=5)
    unknown = read_scores(to_columns(TemplateScores(scores.scores, scores.same)))
    with pytest.raises(ConfigError, match="do not identify the people"):
        intervals(unknown)


def test_people_that_contradict_the_pairs_are_not_known(small):
    _, pairs, searches = small
    wrong = TemplatePairs(pairs.left, pairs.right, ~pairs.same)
    assert people_of_pairs(wrong, searches, 120) is None
    assert people_of_pairs(pairs, Searches(searches.galleries, searches.galleries[0]), 120) is None
