"""The committed results: all readable, and their numbers follow from their scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trsfnet.evaluation import AllPairsScores, all_pairs, ten_fold
from trsfnet.experiments.record import Record, read_records
from trsfnet.training.config import TrainConfig

RESULTS = Path(__file__).parents[2] / "results"
RECORDS, PROBLEMS = read_records([RESULTS])


def test_every_record_is_sound():
    assert PROBLEMS == []
    assert {"v1-relu", "v1-trsf-relu", "v1-prelu", "v1-trsf-prelu"} <= {
        record.setting for record in RECORDS if record.info["track"] == "lfw"
    }
    assert all(record.status == "done" for record in RECORDS)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.run_id)
def test_a_record_names_its_configuration_and_its_numbers_follow_from_its_scores(record: Record):
    assert TrainConfig.from_parameters(record.config).run_id == record.run_id
    scores = record.scores()
    same = scores.same.to_numpy()
    if record.info["evaluation"]["protocol"] == "all-pairs":
        people = scores[["left_person", "right_person"]].to_numpy()
        impostors = record.info["evaluation"]["results"][0]["impostor_pairs"]
        score = scores.score.to_numpy()
        kept = AllPairsScores(score[same], people[same, 0], score[~same], people[~same], impostors)
        result = all_pairs(kept, 1e-3)
        assert result.tar_by_person == record.metrics["tar_by_person@1e-3"]
    else:
        # Points on a circle at the angles that have the recorded cosines.
        angle = np.arccos(scores.score.to_numpy(np.float64).clip(-1, 1))
        right = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        result = ten_fold(np.tile([1.0, 0.0], (len(same), 1)), right, same)
    assert result.tar == pytest.approx(record.metrics["tar@1e-3"], abs=1e-3)
