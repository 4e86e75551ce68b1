"""Exploring runs: what is offered, what is shown of it, and what the book's page carries."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import Analysis, load
from trsfnet.experiments.budgets import budget_settings
from trsfnet.report.explore import page, widgets
from trsfnet.report.explore.catalogue import explorable, first_two, for_the_book, options
from trsfnet.report.explore.drawing import comparison
from trsfnet.report.explore.shown import KINDS, Shown

QUICK = {"epochs": 3, "image_size": 75}
STABILITY = budget_settings("stability", "synthetic") | {"learning_rate": 0.1}


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> Analysis:
    """A few runs of several scales; one of them has values of every kind, one of which is not a number."""
    root = tmp_path_factory.mktemp("runs")
    whole = fake_run(root, "v1-trsf-prelu")
    rows = whole.parameters().to_dict("records")
    rows += [
        {**row, "kind": kind, "name": row["name"].replace("TRSF", kind), "value": abs(row["value"]) / 7}
        for row in rows
        for kind in ("ratio", "kernel")
        if row["kind"] == "trsf"
    ]
    rows[3]["value"] = float("nan")
    rows[4]["value"] = -1e-6
    whole.write_parameters(rows)
    fake_run(root, "v1-trsf-prelu", seed=1)
    fake_run(root, "v1-trsf-prelu", **QUICK)
    fake_run(root, "v2-trsf-relu", **QUICK)
    fake_run(root, "v1-trsf-relu", epochs=2)
    fake_run(root, "v1-prelu", **STABILITY)
    fake_run(root, "v1-prelu", track="lfw", epochs=16, image_size=75, status="running")
    fake_run(root, "v1-relu")
    return load(root)


def test_the_book_shows_the_largest_scale_and_the_readers_variations(records):
    assert [run.name for run in for_the_book(records)] == [
        "v1 + TRSF, seed 0 (epochs 2), rendered faces",
        "v1 + TRSF + PReLU, seed 0 (full), rendered faces",
        "v1 + TRSF + PReLU, seed 1 (full), rendered faces",
        "v2 + TRSF, seed 0 (quick), rendered faces",
        "v1 + PReLU, seed 0 (full), Labeled Faces in the Wild, running",
    ]
    everything = [run.name for run in explorable(records.runs)]
    assert "v1 + TRSF + PReLU, seed 0 (quick), rendered faces" in everything
    assert "v1 + PReLU, seed 0 (stability, learning_rate 0.1), rendered faces" in everything


def test_runs_of_one_seed_and_scale_are_told_apart(tmp_path):
    for images in ("renderer-1", "renderer-2"):
        fake_run(tmp_path / images, "v1-prelu", info={"run_id": f"v1-prelu-seed0-{images[-1]}"})
        file = next((tmp_path / images).glob("*/*/run.json"))
        info = json.loads(file.read_text())
        info["config"]["images"] = images
        file.write_text(json.dumps(info))
    runs = explorable(load(*tmp_path.iterdir()).runs)
    assert [run.seed for run in runs] == ["0 (full, renderer-1)", "0 (full, renderer-2)"]


def test_what_is_offered_follows_from_the_levels_above(records):
    runs = explorable(records.runs)
    offered = options(runs, {"track": "rendered faces", "arch": "v2", "setting": "v1 + PReLU"})
    assert offered["track"] == ["rendered faces", "Labeled Faces in the Wild"]
    assert offered["setting"] == ["v2 + TRSF"]
    assert offered["seed"] == ["0 (quick)"]


def test_a_summary_counts_what_the_record_holds(records):
    run, other = first_two(for_the_book(records))
    assert (run.setting, other.setting) == ("v1 + TRSF + PReLU", "v1 + TRSF")
    slopes = run.record.record.parameters().query("kind == 'slope' and epoch == 3")["value"]
    shown = Shown(run, "slope", 3)
    assert np.array_equal(shown.values, slopes)
    assert shown.summary == (
        f"{run.name}: at epoch 3 of 4, mean {slopes.mean():#.3g}, "
        f"{(slopes < 0).sum()} of {len(slopes)} below zero."
    )
    assert Shown(run, "slope", 99).summary == Shown(run, "slope", 4).summary.replace("99", "4")
    assert Shown(other, "slope", 3).summary == f"{other.name}: its activation has no trainable slope."


def test_the_figure_shows_both_runs_at_the_epoch(records):
    first, second = first_two(for_the_book(records))
    figure = comparison(Shown(first, "trsf", 1), Shown(second, "trsf", 1))
    modules, histogram, left, right = figure.axes
    points = [line.get_ydata() for line in modules.lines if line.get_label() in ("A", "B")]
    for run, values in zip((first, second), points, strict=True):
        np.testing.assert_array_equal(values, run.tables["trsf"].loc[1])
    assert len(histogram.patches) == 2
    for axes, run in ((left, first), (right, second)):
        assert run.setting in axes.get_title()
        (courses,) = axes.collections
        for drawn, (_, column) in zip(courses.get_segments(), run.tables["trsf"].items(), strict=True):
            expected = column.dropna()
            np.testing.assert_array_equal(drawn, np.column_stack([expected.index, expected]))


def test_the_page_carries_the_records_values_to_three_digits(records):
    runs = for_the_book(records)
    html = page.explorer(runs)._repr_html_()
    data = json.loads(html.partition('<script type="application/json">')[2].partition("</script>")[0])
    assert [entry["name"] for entry in data["runs"]] == [run.name for run in runs]
    for entry, run in zip(data["runs"], runs, strict=True):
        for kind, values in run.tables.items():
            packed = entry["kinds"][kind]
            assert data["names"][packed["names"]] == values.columns.tolist()
            assert packed["epochs"] == values.index.tolist()
            numbers = np.array(packed["values"], dtype=float)
            np.testing.assert_allclose(numbers, values, rtol=0.5e-2)
            assert np.array_equal(numbers < 0, values < 0)
            assert packed["means"] == [f"{mean:#.3g}".replace("-", "−") for mean in values.mean(axis=1)]
    whole = next(entry for entry in data["runs"] if len(entry["kinds"]) == 4)
    assert whole["kinds"]["trsf"]["values"][0][3:5] == [None, -1e-06]


def test_no_name_ends_the_script_that_holds_it(records):
    run = for_the_book(records)[0]
    hostile = replace(run, seed="</script><script>alert(1)</script>")
    html = page.Page(page.packed([hostile], (hostile, hostile)), page.explorer([run]).static)._repr_html_()
    assert html.count("</script>") == 1


def test_the_list_links_every_run(records):
    runs = for_the_book(records)
    text = str(page.list_of_runs(runs))
    assert all(f"[{run.record.run_id}](" in text for run in runs)
    negative = int((runs[1].tables["slope"].iloc[-1] < 0).sum())
    assert f"{negative} of 131" in text
    assert "with PReLU ended with some below zero" in str(page.verdict(runs))


def test_without_runs_there_is_a_sentence():
    assert str(page.explorer([])).startswith("Nothing to explore yet")
    assert str(page.list_of_runs([])) == ""
    assert str(page.verdict([])).startswith("No run has finished")
    assert widgets.explorer(Analysis([])).value.startswith("Nothing to explore yet")


def test_controls_drive_what_is_drawn(records):
    explorer = widgets.explorer(records)
    before = explorer.figure.value
    assert "mean" in before
    explorer.epoch.value = 1
    assert explorer.figure.value != before
    assert [shown.epoch for shown in explorer.shown] == [1, 1]

    explorer.kind.value = "slope"
    assert KINDS["slope"].label in explorer.figure.value

    explorer.pickers[1].selects["track"].value = "Labeled Faces in the Wild"
    run = explorer.shown[1].run
    assert (run.track, run.setting) == ("Labeled Faces in the Wild", "v1 + PReLU")
    assert explorer.pickers[1].selects["setting"].options == ("v1 + PReLU",)
    assert explorer.epoch.max == 8, "the longer run has finished eight epochs"
    explorer.epoch.value = 8
    assert f"A: {explorer.shown[0].run.name}: at epoch 4 of 4" in explorer.figure.value
    assert f"B: {run.name}: at epoch 8 of 8" in explorer.figure.value

    explorer.pickers[1].selects["track"].value = "rendered faces"
    assert explorer.epoch.max == explorer.epoch.value == 8, "the slider stays at the end"
