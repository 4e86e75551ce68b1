"""All protocols accept the same number of different-person pairs at a FAR."""

from __future__ import annotations

import numpy as np
import pytest

from trsfnet.evaluation import TemplateScores, TenFoldScores, score_all_pairs, tar_at_fars
from trsfnet.evaluation.curves import similarities
from trsfnet.evaluation.rates import allowed
from trsfnet.evaluation.verification import COSINE_STEP
from trsfnet.experiments.threshold import threshold_of


def test_rounding_loses_no_pair_in_any_protocol():
    # In floating point, 0.29 * 100 is below 29.
    assert int(allowed(0.29, 100)) == 29
    different = np.linspace(0, 0.99, 100)
    scores, same = np.append(different, [1.0, 1.0]), np.arange(102) >= 100
    (found,) = tar_at_fars(scores, same, [0.29])
    assert found.far == 0.29
    fold = np.append(np.arange(100) % 2, [0, 1])
    folds = TenFoldScores(2 - 2 * scores, same, fold)
    for limit in (threshold_of(folds, 0.29, "a run"), 1 + similarities(folds).threshold(0.29) / 2):
        assert limit == pytest.approx(found.threshold)
    assert similarities(TemplateScores(scores, same)).threshold(0.29) == found.threshold


def test_as_many_scores_of_all_pairs_are_kept_as_a_far_needs():
    embeddings = np.random.default_rng(0).normal(size=(20, 8))
    scores = score_all_pairs(embeddings, np.repeat([0, 1], 10), highest_far=0.29)
    assert scores.impostor_pairs == 100
    assert np.sum(scores.impostor * COSINE_STEP > scores.result(0.29).threshold) == 29
