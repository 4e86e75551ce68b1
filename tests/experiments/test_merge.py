"""Merged runs read back as their folders do; nothing is lost, whatever happens at the same time or midway."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.report.fakes import fake_run
from trsfnet.errors import RecordError
from trsfnet.experiments.budgets import study_of
from trsfnet.experiments.merge import merge
from trsfnet.experiments.record import FILES, Record, read_record, read_records
from trsfnet.experiments.variants import variant_key


def read(*roots: Path) -> dict[str, Record]:
    records, problems = read_records(roots)
    assert problems == []
    return {record.run_id: record for record in records}


def assert_equal(record: Record, other: Record) -> None:
    """In all that records say, types and order included."""
    assert json.dumps(record.info) == json.dumps(other.info)
    for table in FILES:
        assert record.has(table) == other.has(table), table
        if record.has(table):
            left, right = getattr(record, table)(), getattr(other, table)()
            pd.testing.assert_frame_equal(left, right, check_exact=True)


def runs(root: Path, seeds: range, **others) -> list[Record]:
    return [fake_run(root, "v1-trsf-relu", seed=seed, track="lfw", **others) for seed in seeds]


def small(root: Path, seeds: range, **others) -> list[Record]:
    """With one row in each table, for tests that merge often."""
    made = runs(root, seeds, **others)
    for run in made:
        run.write_history([{"epoch": 1, "step": 9, "loss": float(run.seed)}])
        run.write_parameters([{"epoch": 1, "kind": "trsf", "name": "a", "channel": 0, "value": run.seed}])
    return made


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != ".lock"
    }


def test_runs_come_back_as_their_folders_have_them(tmp_path):
    made = [
        fake_run(tmp_path / "runs", "v1-trsf-prelu", track="lfw"),
        fake_run(tmp_path / "runs", "v1-relu", track="lfw", info={"message": "Zürich"}),
        fake_run(tmp_path / "runs", "v1-relu", track="lfw", seed=1, status="collapsed"),
        fake_run(tmp_path / "runs", "v1-prelu"),
    ]
    # A run that ended in its first epoch, and one whose loss was not a number.
    (made[2].path / "history.csv").unlink()
    made[1].write_history(made[1].history().assign(loss=np.nan, seconds=np.inf).to_dict("records"))
    done = merge(read(tmp_path / "runs").values(), tmp_path / "results", scores="all")
    assert [(merged.study, merged.runs) for merged in done] == [("lfw-pilot", 3), ("synthetic-short", 1)]
    back = read(tmp_path / "results")
    assert len(back) == 4
    for run in made:
        assert_equal(run, back[run.run_id])
        assert_equal(run, read_record(back[run.run_id].path))
    assert len(files(tmp_path / "results")) == 2 * 4 + 2, "two LFW runs have scores"
    rows = pd.read_csv(tmp_path / "results" / "lfw-pilot" / "runs.csv")
    assert list(rows["run"]) == list(back)[:3]
    assert list(rows["status"]) == ["done", "collapsed", "done"]


def test_new_runs_neither_lose_nor_reorder_others(tmp_path):
    results = tmp_path / "results"
    first = [*small(tmp_path / "a", range(0, 12, 2)), *small(tmp_path / "a", range(1), activation="prelu")]
    merge(first, results)
    before = list(read(results))
    later = small(tmp_path / "b", range(1, 11, 2))
    (merged,) = merge(later, results)
    assert (len(merged.added), merged.replaced, merged.runs) == (5, (), 12)
    back = read(results)
    assert [name for name in back if name in before] == before
    for run in [*first, *later]:
        assert back[run.run_id].history()["loss"].tolist() == [run.seed]
        assert back[run.run_id].parameters()["value"].tolist() == [run.seed]

    merge(later, tmp_path / "other")
    merge(first, tmp_path / "other")
    same = {name: content for name, content in files(results).items() if "scores" not in name}
    assert same == {n: c for n, c in files(tmp_path / "other").items() if "scores" not in n}, "in any order"


def test_a_rerun_replaces_its_run_and_the_folder_goes_before_the_study(tmp_path):
    results = tmp_path / "results"
    merge(runs(tmp_path / "runs", range(2)), results, scores="all")
    again = fake_run(tmp_path / "again", "v1-trsf-relu", track="lfw", seed=1, tar=0.9)
    assert read(results, tmp_path / "again")[again.run_id].metrics == again.metrics
    (merged,) = merge([again], results, scores="none")
    assert (merged.added, merged.replaced, merged.runs) == ((), (again.run_id,), 2)
    back = read(results)[again.run_id]
    assert back.metrics == again.metrics
    assert not back.has("scores"), "those of the earlier run are not its own"
    assert merge([again], results)[0].replaced == (), "nothing to do"


def test_scores_of_one_seed_of_each_setting_are_kept(tmp_path):
    results = tmp_path / "results"
    made = [
        *runs(tmp_path / "runs", range(1, 3)),
        fake_run(tmp_path / "runs", "v1-relu", track="lfw", seed=4),
    ]
    merge(made, results)
    merge(runs(tmp_path / "more", range(2)), results)
    scored = [run for run in read(results).values() if run.has("scores")]
    assert {(variant_key(run.config), run.seed) for run in scored} == {("v1-trsf-relu", 1), ("v1-relu", 4)}


def test_runs_that_have_not_ended_are_passed_over_and_other_sizes_kept_apart(tmp_path):
    running = fake_run(tmp_path / "runs", status="running")
    assert merge([running], tmp_path / "results") == []
    odd = fake_run(tmp_path / "runs", epochs=9)
    assert study_of(odd.config) == "synthetic-other"
    assert merge([odd], tmp_path / "results")[0].study == "synthetic-other"


def test_two_merges_at_once_lose_nothing(tmp_path):
    made = [small(tmp_path / str(part), range(part, 12, 4)) for part in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda part: merge(part, tmp_path / "results"), made))
    back = read(tmp_path / "results")
    assert sorted(run.seed for run in back.values()) == list(range(12))
    assert all(run.parameters()["value"].tolist() == [run.seed] for run in back.values())


class Killed(BaseException):
    """What no code catches."""


def test_a_kill_at_any_moment_loses_nothing(tmp_path, monkeypatch):
    (old,) = small(tmp_path / "old", range(1))
    new = small(tmp_path / "new", range(3), tar=0.9)
    merge([old], tmp_path / "before", scores="all")
    merge(new, tmp_path / "after", scores="all")
    states = []
    for moment in range(100):
        results = tmp_path / f"results{moment}"
        shutil.copytree(tmp_path / "before", results)
        with monkeypatch.context() as patch:
            counter = _killing(patch, moment)
            with suppress(Killed):
                merge(new, results, scores="all")
        back = read(results)
        whole = len(back) == 3
        expected = new if whole else [old]
        assert len(back) == len(expected)
        for run in expected:
            assert_equal(run, back[run.run_id])
        states.append(whole)
        merge(new, results, scores="all")
        assert files(results) == files(tmp_path / "after")
        if counter["calls"] <= moment:
            break
    else:
        pytest.fail("the merge never came to its end")
    assert len(states) > 10
    assert states == sorted(states), "the old state up to some moment, the new one from there"


def _killing(patch: pytest.MonkeyPatch, moment: int) -> dict[str, int]:
    """End the process, as it were, before its `moment`th change of the disk."""
    counter = {"calls": 0}

    def counted(change):
        def call(*arguments, **options):
            counter["calls"] += 1
            if counter["calls"] > moment:
                raise Killed
            return change(*arguments, **options)

        return call

    for owner, name in [
        (os, "rename"),
        (os, "replace"),
        (Path, "write_bytes"),
        (Path, "write_text"),
        (Path, "unlink"),
        (shutil, "rmtree"),
    ]:
        patch.setattr(owner, name, counted(getattr(owner, name)))
    return counter


def test_a_damaged_run_leaves_the_study_as_it_was(tmp_path):
    results = tmp_path / "results"
    merge(small(tmp_path / "runs", range(1)), results)
    before = files(results)
    (bad,) = small(tmp_path / "runs", range(1, 2))
    (bad.path / "parameters.parquet").write_bytes(b"PAR1 no such thing")
    with pytest.raises(RecordError, match=f"parameters of the run record {bad.path} are damaged"):
        merge([bad], results)
    (bad.path / "parameters.parquet").unlink()
    (bad.path / "history.csv").write_text("epoch,nothing\n1,2\n")
    with pytest.raises(RecordError, match=r"history of the run record .* its columns are epoch, nothing"):
        merge([bad], results)
    (bad,) = small(tmp_path / "runs", range(1, 2))
    bad.info["metrics"]["accuracy"] = float("nan")
    with pytest.raises(RecordError, match=f"entries of the run record {bad.path} are damaged: .* not JSON"):
        merge([bad], results)
    assert {name: files(results)[name] for name in before} == before
    assert list(read(results)) == [name for name in read(results) if name != bad.run_id]


@pytest.mark.parametrize(
    ("info", "says"),
    [
        ({"config": {"colour": 1}}, "Unknown setting 'colour'"),
        ({"status": "collapsed", "collapse": 5}, "not iterable"),
        ({"status": "collapsed", "collapse": {"kind": "loss"}}, "collapse must have kind and step, got kind"),
        ({"seconds": "long"}, "unsupported operand"),
    ],
)
def test_a_run_with_an_invalid_entry_is_named(tmp_path, info, says):
    (bad,) = small(tmp_path / "runs", range(1))
    info = info | {"config": bad.config | info.get("config", {})}
    bad = replace(bad, info=bad.info | info)
    with pytest.raises(RecordError, match=f"entries of the run record {bad.path} are damaged: .*{says}") as e:
        merge([bad], tmp_path / "results")
    assert not str(e.value).endswith("..")


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029"])
def test_a_line_of_the_index_ends_only_where_json_lines_end(tmp_path, character):
    made = small(tmp_path / "runs", range(2), info={"message": f"in{character}two"})
    merge(made, tmp_path / "results")
    assert [run.info["message"] for run in read(tmp_path / "results").values()] == [f"in{character}two"] * 2


def test_a_damaged_line_is_named_and_does_not_stop_the_others(tmp_path):
    merge(small(tmp_path / "runs", range(3)), tmp_path / "results")
    index = tmp_path / "results" / "lfw-pilot" / "runs.jsonl"
    lines = index.read_text().splitlines()
    index.write_text("\n".join([lines[0], lines[1][:50], lines[2].replace('"status"', '"state"')]) + "\n")
    records, problems = read_records([tmp_path / "results"])
    assert [record.seed for record in records] == [0]
    assert "runs.jsonl, line 2, is damaged" in problems[0]
    assert "runs.jsonl, line 3, is damaged: it lacks status" in problems[1]
    (tmp_path / "results" / "lfw-pilot" / "history.parquet").write_bytes(b"PAR1")
    records, _ = read_records([tmp_path / "results"])
    with pytest.raises(RecordError, match=r"history\.parquet is damaged"):
        records[0].history()
    with pytest.raises(RecordError, match="has no run v9"):
        read_record(tmp_path / "results" / "lfw-pilot" / "v9")
    with pytest.raises(RecordError, match=r"line 2, is damaged.*Nothing was merged into lfw-pilot"):
        merge(small(tmp_path / "more", range(3, 4)), tmp_path / "results")
    assert index.read_text().count("\n") == 3, "a damaged line is not dropped"


def test_an_older_run_does_not_replace_a_newer_one(tmp_path):
    (newer,) = small(tmp_path / "runs", range(1))
    merge([newer], tmp_path / "results")
    (older,) = small(tmp_path / "old", range(1), info={"results_version": 1})
    (merged,) = merge([older], tmp_path / "results")
    assert (merged.added, merged.replaced, merged.older) == ((), (), (older.run_id,))
    (kept,) = read(tmp_path / "results").values()
    assert kept.info["results_version"] == newer.info["results_version"]
