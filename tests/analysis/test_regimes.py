"""Travel and decay budget of the schedules here, as the facts of the project state them."""

from __future__ import annotations

import pytest

from trsfnet.analysis.regimes import regimes


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
