"""A card holds all that a record says, and says in place what is wrong with one; the index leads to it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from tests.report.fakes import add_branches, drawn_figure, fake_run, study_run
from trsfnet.analysis import Analysis, load
from trsfnet.analysis.run import Run
from trsfnet.evaluation.lfw_protocol import TenFoldScores
from trsfnet.evaluation.saved import to_columns
from trsfnet.experiments.budgets import budget_settings
from trsfnet.experiments.merge import merge
from trsfnet.experiments.record import Record, RunFolder, read_records
from trsfnet.report import cards
from trsfnet.report.card_links import card_link
from trsfnet.report.cards import readable
from trsfnet.training.config import TrainConfig


def written(*records: Record, pages: tuple[str, ...] = ()) -> dict[str, str]:
    """The pages of some runs of a setting on a track, by name."""
    place = records[0].path.parents[1] / "cards"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    cards.write_cards([str(record.path) for record in records], str(place), str(place), pages)
    return {file.name: file.read_text(encoding="utf-8") for file in place.iterdir()}


def card(record: Record, *others: Record, pages: tuple[str, ...] = ()) -> str:
    return written(record, *others, pages=pages)[f"{record.path.name}.md"]


def with_scores(record: Record, pairs: int = 2000) -> Record:
    """Ten folds of 20 people; same-person pairs, half of all, are nearer."""
    rng = np.random.default_rng(0)
    same = np.tile([True, False], pairs // 2)
    left = rng.integers(20, size=pairs)
    people = np.stack([left, np.where(same, left, (left + rng.integers(1, 20, size=pairs)) % 20)], axis=1)
    distances = np.where(same, 0.8, 1.6) + 0.4 * rng.standard_normal(pairs)
    scores = TenFoldScores(distances.clip(0, 4), same, np.repeat(np.arange(10), pairs // 10), people)
    record.write_scores(to_columns(scores))
    record.write_info(metrics=scores.metrics())
    return record


def test_numbers_that_are_not_finite_leave_a_gap(tmp_path):
    record = fake_run(tmp_path, "v1-trsf-relu", status="collapsed")
    history = record.history()
    history.loc[history.index[-1], "loss"] = float("nan")
    history.to_csv(record.path / "history.csv", index=False)
    assert "NaN" not in drawn_figure(card(record))


def test_a_card_has_every_setting_the_command_and_the_hashes(tmp_path):
    record = fake_run(tmp_path, "v1-trsf-prelu")
    text = card(record)
    assert all(f"<dt>{field.name}</dt>" in text for field in fields(TrainConfig))
    for entry in ("command", "source_hash", "run_id", "started"):
        assert record.info[entry] in text
    assert record.info["data"]["train"]["fingerprint"] in text
    assert "Inception-ResNet v1 + TRSF + PReLU, seed 0" in text
    assert text.startswith("---\norphan: true\nnosearch: true\n---\n")
    assert "the command reproduces these numbers" in text


@pytest.mark.parametrize(
    ("setting", "scales", "said"),
    [
        ("v2-relu", (0.1,) * 40, "constant factors of 0.1 on"),
        ("v1-prelu", (0.35, *(0.7,) * 19), "constant factors of 0.35 to 0.7 on"),
    ],
)
def test_a_card_states_the_constants_that_were_given(tmp_path, setting, scales, said):
    text = card(fake_run(tmp_path, setting, fixed_scales=scales))
    assert said in text
    assert "facenet's constant" not in text


def test_curves_and_intervals_stand_in_it(tmp_path):
    text = card(with_scores(fake_run(tmp_path, "v1-trsf-prelu")))
    drawing = drawn_figure(text)
    for title in ("Training loss", "Scores, share of pairs", "TRSF at the end", "Slopes at the end"):
        assert f">{title}<" in drawing
    assert " to " in text.split("<td>Accuracy</td>")[1].split("</tr>")[0]
    assert "1 in 1,000 of the others" in text


def test_no_threshold_is_drawn_that_the_pairs_cannot_tell(tmp_path):
    text = card(with_scores(fake_run(tmp_path, "v1-trsf-prelu"), pairs=600))
    assert "Scores, share of pairs" in text
    assert "1 in 1,000" not in text


def test_exhibits_are_links_where_the_book_has_their_page(tmp_path):
    text = card(fake_run(tmp_path, "v1-trsf-relu"), pages=("table1",))
    assert "[table 1](../../table1.ipynb)" in text
    assert "figure 3" in text
    assert "curves.ipynb" not in text
    assert "differ from those of the paper's tables: epochs 9" in card(fake_run(tmp_path, epochs=9))


def test_a_run_of_a_study_is_part_of_no_table(tmp_path):
    settings = budget_settings("mechanism", "synthetic") | {"weight_decay": 0.04}
    record = add_branches(fake_run(tmp_path, seed=100, **settings))
    text = card(record, pages=("table1", "mechanism"))
    assert "belongs to a separate study" in text
    assert "differs from the study's basic settings: weight_decay 0.04." in text
    assert "[Results of the study](../../mechanism.ipynb)" in text
    assert "table1.ipynb" not in text


def test_other_seeds_are_a_click_away(tmp_path):
    first, second = fake_run(tmp_path, tar=0.2), fake_run(tmp_path, seed=1, tar=0.3)
    assert f"]({second.run_id}.md): TAR at FAR 1e-3 30.0" in card(first, second)


@pytest.mark.parametrize(
    ("budget", "seed", "settings", "says"),
    [
        ("mechanism", 100, {}, ""),
        ("mechanism", 100, {"weight_decay": 0.04}, ", weight decay 0.04"),
        (
            "mechanism",
            100,
            {"weight_decay": 0.0, "decayed": "projections"},
            ", decay of projections only, weight decay 0",
        ),
        ("mechanism", 100, {"projection_gain": 0.1}, ", initial kernels that the scales multiply, times 0.1"),
        ("mechanism", 100, {"slope_floor": 0.0}, ", slopes at least 0"),
        ("collapse", 10, {"learning_rate": 0.07}, ", learning rate 0.07"),
    ],
)
def test_other_runs_of_a_study_are_told_apart(tmp_path, budget, seed, settings, says):
    usual = fake_run(tmp_path, "v1-trsf-prelu")
    varied = budget_settings(budget, "synthetic") | settings
    run = fake_run(tmp_path, "v1-trsf-prelu", seed=seed, **varied)
    assert f"- [seed {seed}, budget {budget}{says}]({run.run_id}.md)" in card(usual, run)


def test_runs_of_a_study_are_compared_with_its_own_settings(tmp_path):
    """Even if they are closer to another budget's, here to those of `full`."""
    settings = budget_settings("matched-pilot", "lfw") | {"weight_decay": 0.016}
    usual, run = fake_run(tmp_path, track="lfw"), fake_run(tmp_path, track="lfw", seed=200, **settings)
    assert "- [seed 200, budget matched-pilot, weight decay 0.016](" in card(usual, run)


def test_runs_of_the_study_are_named_by_their_page(tmp_path):
    usual, small = fake_run(tmp_path), study_run(tmp_path, "v1-relu")
    assert "- [1 run of the stability study](stability-v1-relu.md)" in card(usual, small)
    assert f"]({usual.run_id}.md): TAR at FAR 1e-3 20.0" in written(usual, small)["stability-v1-relu.md"]


def test_a_card_says_whether_the_present_code_gives_the_same_numbers(tmp_path):
    record = fake_run(tmp_path)
    assert "the command reproduces these numbers" in card(record)
    record.write_info(results_version=1)
    assert "its results version is 1" in card(record)


@pytest.mark.parametrize("status", ["running", "collapsed", "failed"])
def test_a_run_that_did_not_end_well_has_a_card(tmp_path, status):
    record = fake_run(tmp_path, status=status)
    record.write_info(**{"message": "Killed by <b>someone</b>."} if status == "failed" else {})
    text = card(record)
    assert f"**{status}" in text
    assert "There are no final numbers." in text
    assert "<b>" not in text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("{half", "is damaged"), ('{"schema": 1}', "it lacks status"), ("newer", "has format 2")],
)
def test_a_damaged_record_has_a_card_that_says_so(tmp_path, content, sentence):
    record = fake_run(tmp_path)
    newer = json.dumps(record.info | {"schema": 2})
    (record.path / "run.json").write_text(newer if content == "newer" else content)
    text = card(record)
    assert sentence in text
    assert "history.csv" in text


def test_broken_tables_do_not_stop_the_book(tmp_path):
    for number, name in enumerate(("history.csv", "parameters.parquet", "scores.parquet")):
        record = with_scores(fake_run(tmp_path, "v1-trsf-prelu", seed=number))
        (record.path / name).write_bytes(b"PAR1 no such thing")
        assert record.run_id in card(record)


def test_the_index_leads_to_each_card(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = fake_run(Path("results"), "v1-trsf-prelu", tar=0.25)
    fake_run(Path("results"), "v1-relu", epochs=9, status="running")
    Path("runs", "synthetic").mkdir(parents=True)
    found = load("results")
    text = str(cards.runs_index(found))
    assert f"[v1 + TRSF + PReLU, seed 0](runs/synthetic/{record.run_id}.md) | 25.0" in text
    assert "outside every budget: 1 run" in text
    assert "**2 runs: 1 running and 1 done.**" in str(cards.verdict(found))
    assert str(cards.unreadable(found)) == "Every record can be read."


def test_the_index_lists_the_study_by_variant_and_rate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = [study_run(Path("results"), rate=0.2, seed=seed) for seed in range(2)]
    study_run(Path("results"), rate=0.2, seed=2, status="collapsed")
    study_run(Path("results"), rate=0.1, status="running")
    page = Path("runs", "synthetic", "stability-v1-trsf-relu.md")
    page.parent.mkdir(parents=True)
    page.touch()
    lines = str(cards.runs_index(load("results"))).splitlines()
    assert lines[0] == "### Rendered faces, budget stability: 4 runs"
    slow, fast = (line for line in lines if line.startswith("| [v1 + TRSF]"))
    assert slow.startswith(f"| [v1 + TRSF]({page.as_posix()}) | 0.1 | 0 | 0 | 1 |")
    assert fast.startswith(f"| [v1 + TRSF]({page.as_posix()}) | 0.2 | 2 | 1 | 0 |")
    for run in runs:
        assert f"[seed {run.seed}]({page.as_posix()}#run-{run.run_id})" in fast


def test_without_runs_the_index_says_so():
    none = Analysis([], ["The run record /home/me/runs/synthetic/x is damaged."])
    assert str(cards.runs_index(none)) == "No run is recorded yet."
    assert str(cards.verdict(none)) == "**No run is recorded yet.**"
    assert "- The run record /home/me/runs/synthetic/x is damaged." in str(cards.unreadable(none))


@pytest.mark.parametrize("trained_here", [False, True])
def test_a_link_without_cards_leads_to_the_record(tmp_path, monkeypatch, trained_here):
    """Also if the working directory has a folder `runs` with records instead of cards."""
    record = fake_run(tmp_path / "results")
    (tmp_path / "book").mkdir()
    monkeypatch.chdir(tmp_path / "book")
    if trained_here:
        fake_run(tmp_path / "book" / "runs", seed=1)
    where = card_link(Run(record), "here").removeprefix("[here](").removesuffix(")")
    assert os.path.samefile(where, record.path / "run.json")


def test_each_record_is_read_once_for_all_cards_of_its_variant(tmp_path, monkeypatch):
    records = [fake_run(tmp_path, "v1-trsf-relu", seed=seed) for seed in range(3)]
    records += [study_run(tmp_path, "v1-trsf-relu", seed=seed) for seed in range(2)]
    calls: dict[str, list[Path]] = {"run.json": [], "history": [], "parameters": []}

    def counting(name: str, read):
        def counted(path, *arguments):
            calls[name].append(path if isinstance(path, Path) else path.path)
            return read(path, *arguments)

        return counted

    monkeypatch.setattr(readable, "read_record", counting("run.json", readable.read_record))
    for table in ("history", "parameters"):
        monkeypatch.setattr(RunFolder, table, counting(table, getattr(RunFolder, table)))
    texts = written(*records)
    assert set(texts) == {f"{record.run_id}.md" for record in records[:3]} | {"stability-v1-trsf-relu.md"}
    for paths in calls.values():
        assert sorted(paths) == sorted(record.path for record in records)


def test_a_merged_run_has_the_card_of_its_folder(tmp_path):
    record = with_scores(fake_run(tmp_path / "runs", "v1-trsf-relu"))
    study_run(tmp_path / "runs", "v1-trsf-relu")
    merge(read_records([tmp_path / "runs"])[0], tmp_path / "results", scores="all")
    own, others = card(record).split("## Files")
    merged = written(*read_records([tmp_path / "results"])[0])
    text, files = merged[f"{record.run_id}.md"].split("## Files")
    assert text.split("## Other runs")[0] == own.split("## Other runs")[0]
    assert json.loads(merged[f"{record.run_id}.json"]) == json.loads(json.dumps(record.info))
    assert f"{{download}}`run.json <{record.run_id}.json>`" in files
    assert "runs.csv" in files
    assert "run.json" in others
    assert ".json>`\n\n</td>" in merged["stability-v1-trsf-relu.md"]


def test_cards_share_the_records_that_the_pages_have_read(tmp_path, monkeypatch):
    fake_run(tmp_path / "runs", "v1-trsf-relu")
    merge(read_records([tmp_path / "runs"])[0], tmp_path / "results", scores="none")
    (tmp_path / "book" / "generated").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "book" / "generated")
    (run,) = load("../../results").runs
    assert (
        readable.read_run(tmp_path / "results" / run.path.parent.name / run.path.name).run.record
        is run.record
    )
