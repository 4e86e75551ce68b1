"""Travel and decay budget of the schedules here, as the facts of the project state them."""

from __future__ import annotations

import pytest

from trsfnet.analysis.regimes import regimes


@pytest.mark.parametrize(
    ("budget", "track", "travel", "decay_budget"),
    [
        ("vggface2", "paper", 12_496, 12.5),
        ("ms1mv2", "paper", 53_400, 53.4),
        ("full", "lfw", 388, 0.388),
        ("full", "synthetic", 62, 0.062),
    ],
)
def test_known_schedules(budget, track, travel, decay_budget):
    table = regimes()
    (row,) = table[(table["budget"] == budget) & (table["track"] == track)].to_dict("records")
    assert row["travel"] == pytest.approx(travel, rel=0.01)
    assert row["decay_budget"] == pytest.approx(decay_budget, rel=0.01)


def test_the_study_reaches_the_papers_decay_budget_and_no_other_budget_does():
    ours = regimes().query("track != 'paper'").groupby("budget")["decay_budget"].max()
    assert ours.pop("mechanism") == pytest.approx(12.4, rel=0.01)
    assert (ours < 1).all()
