"""Whatever is computed of a set of runs is computed once, whichever pages ask for it."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from tests.report.fakes import fake_run, study_run
from trsfnet import analysis
from trsfnet.analysis import branches, campaign, comparable_runs, load, tables
from trsfnet.experiments.record import RunFolder
from trsfnet.report import (
    claims,
    figure_runs,
    landing,
    meaning,
    mechanism,
    mechanism_claims,
    scales,
    slopes,
    stability,
    summary,
)
from trsfnet.report import tables as table_pages


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Three seeds of two variants on one track, a run on another, two of the study, and one that goes on."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in range(3):
        fake_run(folder, "v1-relu", seed=seed, tar=0.2 + 0.01 * seed)
        fake_run(folder, "v1-trsf-prelu", seed=seed, tar=0.3 + 0.01 * seed)
    fake_run(folder, "v1-relu", track="lfw")
    study_run(folder, rate=0.1)
    study_run(folder, rate=0.2, status="collapsed", info={"collapse": {"kind": "loss", "step": 7}})
    fake_run(folder, "v2-prelu", status="running")
    return folder


@pytest.fixture
def calls(monkeypatch):
    """How often each of the expensive steps was taken."""
    counts: Counter[str] = Counter()

    def count(owner, name, key=None):
        original = getattr(owner, name)

        def counted(*args, **kwargs):
            counts[key(*args) if key else name] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)

    count(analysis.analysis, "read_records")
    count(analysis.analysis, "campaigns")
    count(comparable_runs, "mechanism_runs", lambda runs: f"mechanism {runs[0].run_id}")
    count(analysis.analysis, "answers")
    count(campaign, "judge", lambda rules, of, *_: f"judge {of.track}, {of.size_name}")
    count(tables, "judge", lambda rules, of, *_: f"rows {of.track}, {', '.join(rules)}")
    count(branches, "branches", lambda run: f"branches {run.run_id}")
    for table in ("history", "parameters"):
        count(RunFolder, table, lambda record, table=table: f"{table} {record.path.name}")
    return counts


def make_pages(root: Path) -> None:
    """The pages of table 1, the claims, the landing page and others, as their notebooks make them."""
    on_tracks = load(root).tables(1)
    table_pages.comparison_table(on_tracks)
    table_pages.means_figure(on_tracks)
    table_pages.runs_behind(on_tracks)
    table_pages.other_runs(load(root), 1)
    table_pages.verdict(load(root), 1)
    for subject, on_subject in claims.by_subject().items():
        claims.claims_table(subject, on_subject, load(root))
        claims.evidence(subject, on_subject, load(root))
    claims.verdict(load(root))
    landing.questions(landing.campaigns_on_questions(load(root)))
    stability.verdict(load(root).study)
    stability.stability_claims(load(root))
    meaning.changes(load(root).table(1, "synthetic"))
    meaning.gains(load(root).table(1, "synthetic"))
    scales.after_training(load(root).table(1, "synthetic"), 6)
    slopes.signs_table(load(root).tables(1), 9)
    figure_runs.left_out(load(root), load(root).tables(1), "trsf")
    for page in (
        mechanism.decay_figure,
        mechanism.ladder_table,
        mechanism.questions,
        mechanism.over_constants,
    ):
        page(load(root))
    mechanism_claims.diagnostics(load(root))
    summary.generated(load(root))


def test_nothing_is_read_or_judged_twice_for_all_pages(root, calls, tmp_path):
    copy = tmp_path / "runs"  # which no other test has read
    copy.symlink_to(root)
    make_pages(copy)
    assert calls["read_records"] == calls["campaigns"] == 1
    assert {count for count in calls.values()} == {1}, calls
    assert sum(name.startswith("judge") for name in calls) == 3, "one for each campaign"
    assert sum(name.startswith("parameters") for name in calls) == 6, "the others learn none"
    assert sum(name.startswith("branches") for name in calls) == 6


def test_another_process_neither_reads_nor_judges_what_it_was_handed(root, calls, tmp_path, monkeypatch):
    ours = {one.budget: one.verdicts for one in load(root).campaigns}
    analysis.analysis.hand_over(tmp_path / "analysis", root)
    monkeypatch.setattr(analysis.analysis, "_loaded", {})
    calls.clear()
    analysis.analysis.take_over(tmp_path / "analysis")
    assert {one.budget: one.verdicts for one in load(root).campaigns} == ours
    assert not calls
    record = next(root.glob("*/*/run.json"))
    os.utime(record, ns=(0, record.stat().st_mtime_ns + 1))
    load(root)
    assert calls["read_records"] == 1, "a record has changed since"


def test_a_change_of_a_record_is_seen(tmp_path):
    assert not load(tmp_path).runs
    record = fake_run(tmp_path, tar=0.2)
    assert load(tmp_path).runs[0].metrics["tar@1e-3"] == 0.2
    record.write_info(metrics=record.metrics | {"tar@1e-3": 0.25})
    assert load(tmp_path).runs[0].metrics["tar@1e-3"] == 0.25


def test_a_row_for_each_run(root):
    frame = analysis.runs(root)
    assert len(frame) == 10
    assert frame["run_id"].is_unique
    done = frame[(frame["status"] == "done") & (frame["track"] == "synthetic") & (frame["budget"] == "short")]
    means = done.groupby("name")["tar@1e-3"].mean()
    assert means.to_dict() == pytest.approx({"v1": 0.21, "v1 + TRSF + PReLU": 0.31})
    (collapsed,) = frame[frame["status"] == "collapsed"].itertuples()
    assert (collapsed.variant, collapsed.budget, collapsed.collapse_kind, collapsed.collapse_step) == (
        "v1-trsf-relu",
        "stability",
        "loss",
        7,
    )
    assert {"learning_rate", "width", "weight_decay"} <= set(frame)


def test_a_row_for_each_epoch_and_each_learned_value(root):
    histories, parameters = analysis.histories(root), analysis.parameters(root)
    runs = analysis.runs(root)
    assert len(histories) == runs["epochs_done"].sum()
    end = parameters[(parameters["epoch"] == 4) & (parameters["kind"] == "slope")]
    by_run = end.groupby("run_id", observed=True)["value"].mean()
    for record in map(analysis.run.Run, load(root).runs):
        if record.variant == "v1-trsf-prelu":
            assert by_run[record.run_id] == pytest.approx(record.record.learned["slope"].iloc[-1].mean())
    assert isinstance(histories["variant"].dtype, pd.CategoricalDtype)
    assert set(parameters["kind"]) == {"trsf", "slope"}


def test_without_runs_there_are_tables_without_rows(tmp_path):
    for frame in (analysis.runs, analysis.histories, analysis.parameters):
        assert len(frame(tmp_path)) == 0
        assert "variant" in frame(tmp_path).columns


def test_the_numbers_know_nothing_of_words_and_pictures():
    folder = Path(analysis.__file__).parent
    for file in folder.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"(import|from) (matplotlib|seaborn|IPython|trsfnet\.report)", text), file


def test_kinds_of_values_share_names(tmp_path):
    record = fake_run(tmp_path, "v1-trsf-prelu")
    rows = [
        {"epoch": 0, "kind": kind, "name": "1.19", "channel": channel, "value": value + channel}
        for kind, value in (("loss", 1.0), ("running_loss", 5.0))
        for channel in (0, 2)
    ]
    record.write_parameters(rows)
    learned = analysis.run.Run(record).learned
    assert learned["loss"].loc[0, "1.19"] == 2
    assert learned["running_loss"].loc[0, "1.19"] == 6
