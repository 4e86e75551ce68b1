"""Exploring runs: what is offered, what is shown of it, and what the book's page carries."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import Analysis, load
from trsfnet.experiments.budgets import budget_settings
from trsfnet.report.explore import page, whatif, widgets
from trsfnet.report.explore.catalogue import explorable, first_two, for_the_book, groups
from trsfnet.report.explore.drawing import compare
from trsfnet.report.explore.payload import frame, module, packed
from trsfnet.report.explore.shown import Shown

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
        "v1 + TRSF + PReLU, seed 0 (short), rendered faces",
        "v1 + TRSF + PReLU, seed 1 (short), rendered faces",
        "v2 + TRSF, seed 0 (quick), rendered faces",
        "v1 + PReLU, seed 0 (short), Labeled Faces in the Wild, running",
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
    assert [run.seed for run in runs] == ["0 (short, renderer-1)", "0 (short, renderer-2)"]


def test_seeds_of_a_setting_and_budget_are_one_group(records):
    offered = groups(explorable(records.runs))
    together = [group for group in offered if len(group.runs) > 1]
    assert [group.name for group in together] == ["v1 + TRSF + PReLU, all 2 (short), rendered faces"]
    assert [run.record.seed for run in together[0].runs] == [0, 1]
    assert len(offered) == len(explorable(records.runs)) + 1


def test_a_summary_counts_what_the_record_holds(records):
    (run,), (other,) = (group.runs for group in first_two(groups(for_the_book(records))))
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
    (first,), (second,) = (group.runs for group in first_two(groups(for_the_book(records))))
    shown = compare(Shown(first, "trsf", 1), Shown(second, "trsf", 1))
    # A mark for each finite value, a line for each module, axes in the ink of the page.
    values = [run.tables["trsf"] for run in (first, second)]
    finite = sum(int(np.isfinite(table.loc[1]).sum()) for table in values)
    drawn = ElementTree.fromstring(shown.svg)
    classes = Counter(name for one in drawn.iter() for name in one.get("class", "").split())
    assert classes["mark-line"] >= sum(table.shape[1] for table in values)
    groups_of_points = [one for one in drawn.iter() if "mark-symbol" in one.get("class", "")]
    assert finite in [len(group) for group in groups_of_points]
    assert "currentColor" in shown.svg
    assert Shown(first, "trsf", 1).summary in shown.caption


def test_the_browser_gets_the_records_values_to_three_digits(records):
    runs = for_the_book(records)
    index, values = packed(runs)
    found = frame(json.loads(json.dumps(index, allow_nan=False)), values)
    for run in runs:
        for kind, table in run.tables.items():
            own = found[(found["run"] == run.record.run_id) & (found["kind"] == kind)]
            numbers = own.pivot(index="epoch", columns="name", values="value")[table.columns]
            assert numbers.index.tolist() == table.index.tolist()
            # Half precision: a relative error of 2^-11, below 6e-5 an absolute one.
            np.testing.assert_allclose(numbers, table, rtol=2**-11, atol=2**-25)
            assert np.array_equal(numbers < 0, table < 0)


@pytest.mark.parametrize(
    ("name", "arch", "expected"),
    [
        ("TRSF_inception-resnet v1.5", "v1", ("modules 1–5", 5)),
        ("PReLU_inception-resnet v1.6.3", "v1", ("modules 6–15", 6)),
        ("ratio_inception-resnet v1.21", "v1", ("modules 16–21", 21)),
        ("PReLU_inception-resnet v2.31.1", "v2", ("modules 31–40", 31)),
        ("PReLU_inception-resnet v2.reduction-a.4", "v2", ("reduction-a", 0)),
    ],
)
def test_modules_have_a_stage(name, arch, expected):
    assert module(name, arch) == [name, *expected]


def test_no_name_ends_the_script_that_holds_it(records, monkeypatch):
    run = for_the_book(records)[0]
    hostile = replace(run, budget="</script><script>alert(1)</script>")
    monkeypatch.setattr(page, "compare", lambda first, second: page.Picture("", "", ""))
    html = page.explorer([hostile])._repr_html_()
    assert html.count("</script>") == 3, "the index, the numbers and the code"


def test_what_if_shows_the_curve_our_runs_and_the_paper(records):
    found = whatif.data(explorable(records.runs))
    json.dumps(found, allow_nan=False)
    ours = [point for point in found["points"] if point["series"] == "our short runs"]
    assert any(point["name"] == "v1 + TRSF + PReLU, (short), rendered faces (seeds: 2)" for point in ours)
    papers = [point for point in found["points"] if point["series"] != "our short runs"]
    assert {point["budget"] for point in papers} == {12.5}
    assert sorted(point["scale"] for point in papers)[-1] == 1.029
    assert found["presets"][-1]["name"] == "The paper, VGGFace2"
    curve = dict(zip(found["budgets"], found["curves"][0]["scales"], strict=True))
    nearest = min(curve, key=lambda budget: abs(budget - 12.5))
    assert curve[nearest] == pytest.approx(2.6, rel=0.05)


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


def test_the_widget_says_what_is_shown_and_can_be_set(records):
    explorer = widgets.explorer(records)
    first, second = first_two(groups(explorable(records.runs)))
    assert set(explorer.table["run"]) == {first.runs[0].record.run_id, second.runs[0].record.run_id}
    together = next(i for i, group in enumerate(explorer.index["groups"]) if len(group["runs"]) > 1)
    explorer.show(groups=[together, 0], kind="slope", epoch=1)
    assert explorer.state["kind"] == "slope"
    assert explorer.table["run"].nunique() == 3
    assert "vegaEmbed" in explorer.code
    assert widgets.what_if(records).data["points"]
