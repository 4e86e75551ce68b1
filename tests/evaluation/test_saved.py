"""The committed records: their numbers, intervals and comparisons from nothing but their saved scores."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from trsfnet.data.faces import FaceSet, Pairs
from trsfnet.errors import ConfigError, DataError
from trsfnet.evaluation import compare, intervals, read_scores
from trsfnet.evaluation.lfw_protocol import TenFoldScores
from trsfnet.evaluation.protocol import evaluate
from trsfnet.evaluation.saved import to_columns
from trsfnet.experiments.record import read_records

RECORDS = {
    record.run_id: record
    for record in read_records([Path(__file__).parents[2] / "results"])[0]
    if record.has("scores")
}
TRACKS = ("synthetic", "lfw")


def scores_of(run_id: str):
    """The content of the record's `run.json`, and what its saved scores give."""
    record = RECORDS[run_id]
    impostor_pairs = record.info["evaluation"]["results"][0].get("impostor_pairs")
    return record.info, read_scores(record.scores(), impostor_pairs=impostor_pairs)


@pytest.mark.parametrize("run_id", RECORDS)
def test_metrics_and_details_are_those_of_the_record(run_id):
    info, scores = scores_of(run_id)
    # Cosines are rounded otherwise than distances: one pair of 3,000 could change sides.
    rounding = 0 if info["evaluation"]["protocol"] == "all-pairs" else 4e-4
    # The scores of all pairs, whose TAR stands beside that of the ten folds, are not saved.
    recorded = {name: value for name, value in info["metrics"].items() if not name.startswith("all_pairs_")}
    assert scores.metrics() == pytest.approx(recorded, abs=rounding, rel=0)
    for detail in info["evaluation"]["results"]:
        found, expected = scores.result(detail["far_target"]).to_dict(), dict(detail)
        if "tar_std" in expected:
            # The same pair is one of 300 in its fold, and the deviation is that of ten folds.
            assert found.pop("tar_std") == pytest.approx(expected.pop("tar_std"), abs=1.1e-3)
        assert found == pytest.approx(expected, abs=4e-4, rel=1e-3)


@pytest.mark.parametrize("track", TRACKS)
def test_intervals_and_comparisons_follow_as_well(track):
    one, other = [scores_of(name)[1] for name, record in RECORDS.items() if record.info["track"] == track][:2]
    found = intervals(one, replicates=40)
    assert list(found) == list(one.metrics())
    for name, interval in found.items():
        assert interval is None or 0 < interval.low < interval.high < 1, name
    tests = compare(one, other, replicates=40)
    gap = tests["tar@1e-3"]
    assert gap.difference.value == one.metrics()["tar@1e-3"] - other.metrics()["tar@1e-3"]
    assert gap.mcnemar.only_first > 0
    assert gap.mcnemar.only_second > 0
    json.dumps({name: test.to_dict() for name, test in tests.items()}, allow_nan=False)


@pytest.fixture(scope="module")
def evaluated():
    """Random faces evaluated by both protocols, and the labels."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(20), 4)
    embeddings = rng.normal(size=(20, 8))[labels] + 0.5 * rng.normal(size=(80, 8))
    embeddings = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    faces = FaceSet(np.zeros((80, 1, 1, 3), np.uint8), labels, tuple(map(str, range(20))))
    i, j = np.triu_indices(80, k=1)
    fold = labels[i] // 4
    within = np.flatnonzero(fold == labels[j] // 4)
    within = within[np.argsort(fold[within], kind="stable")]
    i, j = i[within], j[within]
    pairs = Pairs(i, j, labels[i] == labels[j], labels[i] // 4)
    return evaluate(faces, pairs, embeddings), evaluate(faces, None, embeddings), labels


def test_what_a_run_saves_is_read_back(evaluated):
    ten_fold, all_pairs, _ = evaluated
    assert read_scores(ten_fold.scores).metrics() == ten_fold.metrics
    total = all_pairs.details[0]["impostor_pairs"]
    assert total == 80 * 76 // 2
    assert read_scores(all_pairs.scores, impostor_pairs=total).metrics() == all_pairs.metrics


def test_as_many_folds_as_a_file_of_pairs_may_have():
    folds = 200
    same = np.tile([True, False], folds)
    scores = TenFoldScores(np.where(same, 0.5, 1.5), same, np.arange(folds).repeat(2), None)
    again = read_scores(to_columns(scores))
    np.testing.assert_array_equal(again.fold, scores.fold)
    assert again.metrics() == scores.metrics()


def test_enough_is_saved_for_an_interval_at_every_far():
    rng = np.random.default_rng(4)
    labels = np.repeat(np.arange(300), 2)
    embeddings = rng.normal(size=(300, 32))[labels] + 0.7 * rng.normal(size=(600, 32))
    faces = FaceSet(np.zeros((600, 1, 1, 3), np.uint8), labels, tuple(map(str, range(300))))
    done = evaluate(faces, None, embeddings)
    scores = read_scores(done.scores, impostor_pairs=done.details[0]["impostor_pairs"])
    assert None not in intervals(scores, replicates=200).values()


def test_records_that_name_no_persons_are_read_by_their_same_person_pairs(evaluated):
    scores = evaluated[0].scores
    old = {name: column for name, column in scores.items() if "person" not in name}
    assert intervals(read_scores(old), replicates=20) == intervals(read_scores(scores), replicates=20)


def test_bad_input_is_named(evaluated):
    ten_fold, all_pairs, _ = evaluated
    with pytest.raises(DataError, match="lack the columns same"):
        read_scores({name: column for name, column in ten_fold.scores.items() if name != "same"})
    with pytest.raises(DataError, match="lack the columns left_person, right_person"):
        read_scores({"score": np.zeros(2), "same": np.ones(2, bool)})
    with pytest.raises(DataError, match="the same length"):
        read_scores({**ten_fold.scores, "fold": np.zeros(3, int)})
    with pytest.raises(DataError, match="need impostor_pairs"):
        read_scores(all_pairs.scores)
    with pytest.raises(ConfigError, match="only on the same pairs"):
        compare(read_scores(ten_fold.scores), read_scores(all_pairs.scores, impostor_pairs=3040))


def with_column(scores, **columns):
    return {**scores, **{name: np.asarray(column) for name, column in columns.items()}}


def test_damaged_scores_are_named(evaluated):
    folds, pairs = evaluated[0].scores, evaluated[1].scores
    total = evaluated[1].details[0]["impostor_pairs"]
    persons = folds["left_person"]
    by_fold = {name: folds[name] for name in ("same", "fold")}
    for columns, says in [
        (with_column(folds, fold=folds["fold"].astype(float)), "column fold .* must be whole numbers"),
        (with_column(folds, fold=folds["fold"] - 1), "column fold .* must not be negative, got -1"),
        (with_column(folds, left_person=persons - 1), "column left_person .* must not be negative"),
        (with_column(folds, score=np.where(folds["same"], np.nan, folds["score"])), "score .* finite"),
        (with_column(folds, same=np.ones(len(persons), bool)), "Fold 0 must contain both"),
        ({name: column[:0] for name, column in folds.items()}, "are empty"),
        (by_fold | {"distance_1": folds["score"]}, "lack the columns distance_0"),
        (by_fold | {"distance_0": folds["score"]}, "or one distance for each fold"),
        ({"same": folds["same"], "distance": folds["score"]}, "lack the columns fold"),
    ]:
        with pytest.raises(DataError, match=says):
            read_scores(columns)
    for columns, number, says in [
        (pairs, "x", "must be the number of all different-person pairs, .* got 'x'"),
        (pairs, 1, "of which .* are saved, got 1"),
        (with_column(pairs, same=np.zeros(len(pairs["same"]), bool)), total, "need same-person pairs"),
        ({name: column[::-1] for name, column in pairs.items()}, total, "by descending score"),
    ]:
        with pytest.raises(DataError, match=says):
            read_scores(columns, impostor_pairs=number)
