"""The committed results: all readable, and their numbers follow from their scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.experiments.recompute import from_scores
from trsfnet.evaluation import AllPairsResult
from trsfnet.experiments.budgets import budget_of, budget_settings, of_a_study, study_of
from trsfnet.experiments.overview import overview
from trsfnet.experiments.record import Record, read_records, read_study
from trsfnet.experiments.variants import variant_key
from trsfnet.training.config import TrainConfig

RESULTS = Path(__file__).parents[2] / "results"
RECORDS, PROBLEMS = read_records([RESULTS])
# To stay small, the scores of the studies of their own are not committed, and of the others those of one
# seed of each variant at least.
PAPER_RUNS = [record for record in RECORDS if not of_a_study(record.config)]
SCORED = [record for record in PAPER_RUNS if record.has("scores")]


def named(record: Record) -> str:
    return record.run_id


def test_every_record_is_sound():
    assert PROBLEMS == []
    assert {"v1-relu", "v1-trsf-relu", "v1-prelu", "v1-trsf-prelu"} <= {
        variant_key(record.config) for record in RECORDS if record.info["track"] == "lfw"
    }
    assert {record.status for record in PAPER_RUNS} == {"done"}
    assert {record.status for record in RECORDS} <= {"done", "collapsed"}


def test_committed_budgets_name_their_precision():
    """Otherwise, a machine with bfloat16 would add runs of another precision to them."""
    found = {(budget_of(record.config), record.info["track"]) for record in RECORDS}
    for budget, track in found:
        assert budget is not None, track
        assert "precision" in budget_settings(budget, track), (budget, track)


def test_scores_of_every_setting_are_committed():
    def settings(records: list[Record]) -> set[tuple[str, str]]:
        return {(record.info["track"], variant_key(record.config)) for record in records}

    assert settings(SCORED) == settings(PAPER_RUNS)


@pytest.mark.parametrize("record", RECORDS, ids=named)
def test_a_record_names_its_configuration(record: Record):
    assert TrainConfig.from_parameters(record.config).run_id == record.run_id


@pytest.mark.parametrize("record", SCORED, ids=named)
def test_its_numbers_follow_from_its_scores(record: Record):
    result = from_scores(record)
    assert result.tar == pytest.approx(record.metrics["tar@1e-3"], abs=1e-3)
    if isinstance(result, AllPairsResult):
        assert result.tar_by_person == record.metrics["tar_by_person@1e-3"]


@pytest.mark.parametrize("study", sorted(RESULTS.glob("*/runs.jsonl")), ids=lambda file: file.parent.name)
def test_what_readers_see_of_a_study_is_what_its_records_say(study: Path):
    runs = read_study(study.parent).runs.values()
    assert {study_of(run.config) for run in runs} == {study.parent.name}
    assert (study.parent / "runs.csv").read_text() == overview(list(runs)).to_csv(index=False)
