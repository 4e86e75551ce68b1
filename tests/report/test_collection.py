"""Which run goes where, and what a bad record does: it is named, and the report goes on."""

from __future__ import annotations

import json
import re

import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.run import Run
from trsfnet.experiments.budgets import budget_settings
from trsfnet.report import landing, tables
from trsfnet.report.card_links import card_link
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.display import plain
from trsfnet.report.run_state import state


def read(tmp_path):
    roots = [tmp_path / "results", tmp_path / "runs"]
    for root in roots:
        root.mkdir(exist_ok=True)
    return load(*roots)


def test_no_runs_at_all(tmp_path):
    found = read(tmp_path)
    synthetic, lfw = found.tables(1)
    assert (synthetic.track, lfw.track) == ("synthetic", "lfw")
    assert len(synthetic.cells) == 6
    assert synthetic.runs == []
    campaigns = landing.campaigns_on_questions(found)
    nothing = "**Not tested yet: no run that can test these questions has ended.**"
    assert str(landing.answer(campaigns)) == nothing
    assert str(landing.questions(campaigns)).count("not run") == len(QUESTIONS)
    assert str(tables.comparison_table([synthetic, lfw])).count("no run yet") == 2
    assert "no run has finished" in tables.sentence(synthetic)


def test_a_readers_own_run_replaces_ours(tmp_path):
    fake_run(tmp_path / "results", tar=0.2)
    fake_run(tmp_path / "runs", tar=0.4)
    (record,) = read(tmp_path).tables(1)[0].runs
    assert record.metrics["tar@1e-3"] == 0.4
    assert record.path.is_relative_to(tmp_path / "runs")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"epochs": 2}, "epochs 2"),
        ({"setting": "v1-trsf-relu", "scale_init": 0.5}, "scale init 0.5"),
        ({"setting": "v1-trsf-relu", "trsf_per_channel": True}, "trsf per channel True"),
        ({"setting": "v2-relu", "fixed_scales": (0.1,) * 40}, "fixed scales 0.1"),
        ({"setting": "v1-prelu", "fixed_scales": (0.35, *(0.7,) * 19)}, "fixed scales 0.35 to 0.7"),
        ({"setting": "v1-prelu", "slope_init": -0.1}, "slope init -0.1"),
        ({"setting": "v2-prelu", "loss": "arcface", "arcface_margin": 0.4}, "arcface margin 0.4"),
        ({"setting": "v2-relu", "loss": "arcface"}, "loss arcface"),
        ({"setting": "v2-prelu", "slope_init": 0.27}, "slope init 0.27"),
        ({"setting": "v2-trsf-prelu", "slope_init": 0.25}, "slope init 0.25"),
    ],
)
def test_runs_that_depart_stand_apart_with_the_reason(tmp_path, settings, reason):
    fake_run(tmp_path / "runs", **settings)
    found = read(tmp_path)
    home = 3 if settings.get("loss") else 2 if "v2" in settings.get("setting", "") else 1
    for number in range(1, 7):
        assert [table.runs for table in found.tables(number)] == [[], []]
    assert [why for _, why in left_out(found, home)] == [reason]
    assert plain(reason) in str(tables.other_runs(found, home))


def left_out(found, number):
    return found.left_out([found.table(number, track) for track in MEASURES])


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"setting": "v1-relu"}, [1]),
        ({"setting": "v1-trsf-relu"}, [1, 4]),
        ({"setting": "v2-trsf-relu"}, [2, 5]),
        ({"setting": "v2-prelu"}, [2, 6]),
        ({"setting": "v2-prelu", "slope_init": 0.25}, [6]),
        ({"setting": "v2-prelu", "slope_init": -0.1}, [6]),
        ({"setting": "v2-prelu", "loss": "arcface"}, [3]),
        ({"setting": "v2-trsf-prelu", "loss": "arcface"}, [3]),
    ],
)
def test_a_run_stands_in_the_tables_that_show_it_and_is_no_other_run_of_any(tmp_path, settings, shown):
    variant = Run(fake_run(tmp_path / "runs", **settings)).variant
    found = read(tmp_path)
    numbers = range(1, 7)
    assert [n for n in numbers if found.table(n, "synthetic").cells.get(variant)] == shown
    assert not any(left_out(found, n) for n in numbers)


def test_runs_of_a_study_are_no_tables(tmp_path):
    study = budget_settings("stability", "synthetic")
    for rate in (0.05, 0.2):
        fake_run(tmp_path / "runs", "v1-trsf-relu", learning_rate=rate, **study)
    found = read(tmp_path)
    assert len(found.runs) == 2
    for number in range(1, 7):
        assert not found.table(number, "synthetic").runs
        assert not left_out(found, number)


def test_a_seed_counts_once(tmp_path):
    first = fake_run(tmp_path / "results", tar=0.2)
    info = {"run_id": "v1-relu-seed0-other", "started": "2028-01-01"}
    again = fake_run(tmp_path / "runs", tar=0.3, info=info)
    found = read(tmp_path)
    assert [r.metrics["tar@1e-3"] for r in found.tables(1)[0].runs] == [0.3]
    ((left, reason),) = left_out(found, 1)
    assert (left.path, reason) == (first.path, "a second run of its seed")
    # A later collapse stands for the seed as a later value would; one that goes on does not yet.
    again.write_info(status="collapsed")
    assert [r.path for r in read(tmp_path).tables(1)[0].runs] == [again.path]
    again.write_info(status="running")
    assert [r.path for r in read(tmp_path).tables(1)[0].runs] == [first.path]


def test_faces_of_another_version_are_not_mixed(tmp_path):
    old = fake_run(tmp_path / "runs", seed=0)
    old.write_info(config=old.config | {"images": "renderer-0"})
    new = fake_run(tmp_path / "runs", "v1-prelu", seed=1)
    found = read(tmp_path)
    assert [r.path for r in found.tables(1)[0].runs] == [new.path]
    assert [reason for _, reason in left_out(found, 1)] == ["images renderer-0"]


def test_damage_is_named_and_the_rest_is_shown(tmp_path):
    runs = tmp_path / "runs"
    sound = fake_run(runs, "v1-prelu")
    (fake_run(runs, seed=1).path / "run.json").write_text("{")
    (fake_run(runs, "v1-prelu", seed=2).path / "parameters.parquet").write_bytes(b"no parquet")
    (fake_run(runs, seed=3).path / "history.csv").unlink()
    fake_run(runs, seed=4, info={"metrics": {}})
    fake_run(runs, seed=5, info={"config": {"track": "synthetic"}})
    fake_run(runs, seed=6, info={"track": "mars"})
    fake_run(runs, seed=7, info={"schema": 99})
    (fake_run(runs, "v1-trsf-relu", seed=8).path / "parameters.parquet").unlink()
    found = read(tmp_path)
    assert [r.path for r in found.runs] == [sound.path]
    assert len(found.problems) == 8
    text = str(tables.other_runs(found, 1))
    for seed in range(1, 9):
        assert f"-seed{seed}-" in text
    assert "format 99" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"run_id": None}, "its run_id cannot be None"),
        ({"metrics": {"tar@1e-3": "much"}}, "tar@1e-3 must be a number, got 'much'"),
        ({"metrics": {"tar@1e-3": float("nan")}}, "tar@1e-3 must be a number, got nan"),
        ({"config": {"learning_rate": "fast"}}, "learning_rate must be a number"),
        ({"config": {"mystery": 1}}, "Unknown setting 'mystery'"),
    ],
)
def test_a_record_of_wrong_types_is_damaged(tmp_path, changes, says):
    record = fake_run(tmp_path / "runs")
    config = record.config | changes.get("config", {})
    (record.path / "run.json").write_text(json.dumps(record.info | changes | {"config": config}))
    found = read(tmp_path)
    assert not found.runs
    assert says in found.problems[0]


@pytest.mark.parametrize("missing", ["epochs", "arch", "activation", "width", "learning_rate"])
def test_a_record_without_a_setting_is_damaged(tmp_path, missing):
    record = fake_run(tmp_path / "runs")
    config = {name: value for name, value in record.config.items() if name != missing}
    (record.path / "run.json").write_text(json.dumps(record.info | {"config": config}))
    assert f"it lacks '{missing}'" in read(tmp_path).problems[0]


def test_unfinished_runs_are_stated_in_place(tmp_path):
    runs = tmp_path / "runs"
    fake_run(runs, status="running")
    fake_run(runs, "v1-trsf-relu", status="collapsed")
    fake_run(runs, "v1-prelu", status="failed", info={"message": "OSError: disk | full"})
    on_tracks = read(tmp_path).tables(1)
    text = str(tables.comparison_table(on_tracks))
    for status in ("running", "collapsed", "failed"):
        assert f") ({status})" in text, "beside the link of its seed"
    assert "Not finished: v1, seed 0 (running); v1 + TRSF, seed 0 (collapsed)" in text
    behind = str(tables.runs_behind(on_tracks))
    assert "running, 2 of 4 epochs done" in behind
    assert "collapsed: The loss became nan at step 7." in behind
    assert "disk" in behind
    # A bar in a message must not end its cell.
    widths = {line.replace("\\|", "").count("|") for line in behind.splitlines() if line.startswith("| ")}
    assert len(widths) == 1
    assert "no run has finished" in tables.sentence(on_tracks[0])


def test_earlier_code_is_said(tmp_path):
    record = fake_run(tmp_path / "runs", info={"results_version": 1})
    assert "made by earlier code" in state(Run(record))
    text = str(tables.comparison_table(read(tmp_path).tables(1)))
    assert re.search(r"\[seed 0[^]]*\]\([^)]*run\.json\)†", text)


def test_each_run_has_its_command_and_files(tmp_path, monkeypatch):
    record = fake_run(tmp_path / "runs", "v1-trsf-prelu", track="lfw", seed=3)
    (tmp_path / "book" / "generated").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "book" / "generated")
    on_tracks = load("../../runs").tables(1)
    (shown,) = on_tracks[1].runs
    text = str(tables.runs_behind(on_tracks))
    recorded = json.loads((record.path / "run.json").read_text())["command"]
    # On another machine, `precision auto` may mean another precision.
    assert f"`{recorded} -p precision float32`" in text
    assert card_link(shown, "Inception-ResNet v1 + TRSF + PReLU, seed 3") in text
    assert "[seed 3: " in str(tables.comparison_table(on_tracks))
    assert "9 of the 15 same-person pairs" in str(tables.why_by_person(on_tracks))
