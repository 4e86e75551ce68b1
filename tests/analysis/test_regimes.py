"""Travel and decay budget of the schedules here, as the facts of the project state them."""

from __future__ import annotations

from pathlib import Path

import pytest

from trsfnet.analysis.regimes import regimes
from trsfnet.experiments.budgets import budget_settings
from trsfnet.training.config import track_defaults

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("budget", "track", "travel", "decay_budget"),
    [
        ("vggface2", "paper", 12_496, 12.5),
        ("ms1mv2", "paper", 53_400, 53.4),
        ("short", "lfw", 388, 0.388),
        ("short", "synthetic", 62, 0.062),
        ("full", "lfw", 388, 12.42),
        ("full", "synthetic", 312, 12.48),
    ],
)
def test_known_schedules(budget, track, travel, decay_budget):
    table = regimes()
    (row,) = table[(table["budget"] == budget) & (table["track"] == track)].to_dict("records")
    assert row["travel"] == pytest.approx(travel, rel=0.01)
    assert row["decay_budget"] == pytest.approx(decay_budget, rel=0.01)


@pytest.mark.parametrize("track", ["lfw", "synthetic"])
def test_the_decay_budget_of_full_is_the_papers(track):
    table = regimes().query("budget == 'full' and track == @track")
    paper = regimes().set_index("budget").loc["vggface2", "decay_budget"]
    assert paper == pytest.approx(12.5, rel=0.001)
    assert table["decay_budget"].tolist() == [pytest.approx(paper, rel=0.05)]


def test_which_budgets_reach_the_papers_decay_budget():
    ours = regimes().query("track != 'paper'").groupby("budget")["decay_budget"].max()
    for budget in ("mechanism", "matched-pilot", "long", "full"):
        assert ours.pop(budget) == pytest.approx(12.45, rel=0.01)
    assert ours.pop("long-usual-decay") == pytest.approx(12.5 / 5, rel=0.01)
    assert (ours < 1).all()


def test_long_training_has_a_fifth_of_the_papers_travel():
    table = regimes().set_index("budget")
    for budget in ("long", "long-usual-decay"):
        assert table.loc[budget, "travel"] == pytest.approx(table.loc["vggface2", "travel"] / 5, rel=1e-3)


def test_the_limits_on_the_first_page_are_those_of_the_budgets():
    table = regimes()
    steps = {(row.budget, row.track): row.steps for row in table.itertuples()}
    full, short = steps["full", "synthetic"], steps["short", "lfw"]
    longest, paper = steps["long", "synthetic"], steps["vggface2", "paper"]
    assert full < short < longest == max(table.query("track != 'paper'")["steps"])
    side = budget_settings("full", "synthetic")["image_size"]
    assert side == budget_settings("short", "lfw")["image_size"]
    assert {track_defaults(track)["width"] for track in ("synthetic", "lfw")} == {0.25}
    studies = ("stability", "mechanism", "long")
    assert {budget_settings(study, "synthetic")["width"] for study in studies} == {1 / 8}
    page = " ".join((ROOT / "book" / "index.md").read_text(encoding="utf-8").split())
    assert "a quarter of the paper's width, an eighth in most studies" in page
    assert f"{side} pixels instead of {track_defaults('paper')['image_size']}" in page
    of_verdicts = f"{full:,} or {short:,} for most verdicts"
    assert f"{of_verdicts}, {longest:,} in our longest runs, instead of {paper:,}" in page
