"""The committed results: all readable, and their numbers follow from their scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.experiments.recompute import from_scores
from trsfnet.evaluation import AllPairsResult
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
    result = from_scores(record)
    assert result.tar == pytest.approx(record.metrics["tar@1e-3"], abs=1e-3)
    if isinstance(result, AllPairsResult):
        assert result.tar_by_person == record.metrics["tar_by_person@1e-3"]
