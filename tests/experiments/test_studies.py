"""The grid is the paper's, and what the pipeline is asked for becomes just these runs."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from trsfnet.errors import ConfigError
from trsfnet.experiments.budgets import BUDGETS, budget_of, configs, departures, first_seed, varies
from trsfnet.experiments.pilot import pilot_configs
from trsfnet.experiments.studies import STUDIES, configs_of_budget, planned_configs, planned_runs
from trsfnet.experiments.variants import CONTROLS, GRID, STABILITY, variants_in
from trsfnet.training.budget import regime
from trsfnet.training.config import TrainConfig


def test_the_grid_has_the_papers_18_runs():
    assert len({setting.key for setting in GRID}) == len(GRID) == 18
    exhibits = [f"table {n}" for n in range(1, 7)] + [f"figure {n}" for n in range(3, 12)]
    assert {exhibit for setting in GRID for exhibit in setting.exhibits} == set(exhibits)
    assert [len(variants_in(f"table {n}")) for n in range(1, 7)] == [6, 6, 2, 3, 3, 5]
    assert [len(variants_in(f"figure {n}")) for n in range(3, 12)] == [12, 2, 6, 3, 3, 4, 2, 2, 5]


def test_settings_keep_apart_and_say_what_they_are():
    keys = [setting.key for setting in (*GRID, *STABILITY)]
    assert len(set(keys)) == len(keys) - 2, "v1-relu and v1-trsf-relu are in both"
    assert len({setting.name for setting in GRID}) == 18


def test_a_budget_varies_settings_that_exist():
    settings = {setting.name for setting in fields(TrainConfig)}
    varied = {budget: set(varies(budget)) for budget in BUDGETS}
    assert all(names <= settings for names in varied.values())
    assert {budget for budget, names in varied.items() if names} == {"mechanism", "matched-pilot"}
    assert not varies(None)


@pytest.mark.parametrize("budget", BUDGETS)
def test_each_budget_is_recognised(budget):
    seeds = [first_seed(budget)] if "own_seeds" in BUDGETS[budget] else [0, 3]
    for track in set(BUDGETS[budget]) & {"synthetic"}:
        for config in configs(GRID, budget=budget, track=track, seeds=seeds):
            resolved = config.resolved(None).recorded
            assert set(departures(resolved)) <= {"learning_rate"}
            assert budget_of(resolved) == budget
            assert budget_of({**resolved, "learning_rate": 0.06}) is None


def test_planned_runs():
    quick = planned_runs({}, None)
    assert len(quick) == 18
    assert {track for track, _ in quick} == {"synthetic"}
    assert len(planned_runs({"seeds": "0,1", "exhibit": "table 1"}, None)) == 12
    assert len(planned_runs({"seeds": 2, "exhibit": "table 6"}, None)) == 5
    assert {c.seed for c in planned_runs({"seeds": 2}, None).values()} == {2}
    half = planned_runs({"precision": "bfloat16"}, None)
    assert {c.precision for c in half.values()} == {"bfloat16"}
    assert not half.keys() & planned_runs({"precision": "float32"}, None).keys()
    stability = planned_runs({"study": "stability", "seeds": 0}, None)
    assert len(stability) == 12 * 6
    assert {c.learning_rate for c in stability.values()} == {0.05, 0.1, 0.15, 0.2, 0.25, 0.3}


def test_the_study_has_more_seeds_at_the_rates_that_can_tell():
    runs = planned_runs({"study": "stability"}, None).values()
    assert len(runs) == len(planned_configs("stability", "synthetic")) == 12 * (3 * 5 + 3 * 10)
    assert {config.learning_rate for config in runs if config.seed >= 5} == {0.2, 0.25, 0.3}


@pytest.mark.parametrize(
    ("budget", "track", "first"), [("short", "lfw", 0), ("full", "lfw", 300), ("full", "synthetic", 300)]
)
def test_tables_1_and_2_have_more_seeds(budget, track, first, tmp_path):
    """Eight of v1's six settings, five of v2's, three of the rest; the first seeds of all come first."""
    (tmp_path / "lfw-deepfunneled.tgz").touch()
    runs = list(planned_runs({"budget": budget, "track": track}, tmp_path).values())
    assert len(runs) == len(planned_configs(budget, track)) == 6 * 8 + 6 * 5 + 6 * 3
    assert [config.seed for config in runs] == sorted(config.seed for config in runs)
    assert min(config.seed for config in runs) == first
    assert {config.arch for config in runs if config.seed >= first + 5} == {"v1"}
    assert {config.slope_init for config in runs if config.seed >= first + 3} == {0.2}


def test_the_seeds_of_full_are_new():
    """No run of an earlier study shares initial weights or image order with the runs that decide."""
    seeds = {
        budget: {c.seed for track in ("synthetic", "lfw") for c in _planned(budget, track)}
        for budget in BUDGETS
        if budget not in ("smoke", "quick", "paper")
    }
    assert all(seeds["full"].isdisjoint(others) for budget, others in seeds.items() if budget != "full")


def _planned(budget, track):
    return planned_configs(budget, track) if track in BUDGETS[budget] else ()


@pytest.mark.parametrize("study", STUDIES)
def test_runs_of_a_study_are_known_as_those_of_its_budget(study, tmp_path):
    (tmp_path / "lfw-deepfunneled.tgz").touch()
    runs = planned_runs({"study": study}, tmp_path).values()
    budgets = {budget_of(config.resolved(tmp_path).recorded) for config in runs}
    assert budgets == {STUDIES[study].budget}


@pytest.mark.parametrize(("track", "steps"), [("synthetic", 312), ("lfw", 97)])
def test_a_pilot_shares_settings_with_no_run_that_it_decides_on(track, steps):
    """Its own seeds tell its runs from those of the budget that may get the same schedule."""
    pilot = pilot_configs(None, track)
    assert {c.seed for c in pilot} == {200, 201}
    assert {c.variant for c in pilot} == {"v1-relu"}
    assert {budget_of(c.recorded) for c in pilot} == {"matched-pilot"}
    # With another seed, its two schedules are that of `full` and one that no budget has.
    assert {budget_of(replace(c, seed=300).recorded) for c in pilot} == {"full", None}
    assert [regime(c, steps).decay_budget for c in pilot] == pytest.approx([12.45] * 4, abs=0.05)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"budget": "huge"}, "budget must be one of 'smoke'"),
        (
            {"budget": "smoke", "track": "paper"},
            "budget smoke is defined for the track synthetic, got 'paper'",
        ),
        (
            {"budget": "stability", "track": "lfw"},
            "budget stability is defined for the track synthetic, got 'lfw'",
        ),
        *(
            ({"budget": "short", "track": name}, f"track must be one of 'synthetic', .* got '{name}'")
            for name in ("about", "seeds", "more_seeds")
        ),
        ({"study": "mechanism", "seeds": "100,103"}, "seeds must be among 100, 101, 102, got 103"),
        ({"exhibit": "table 9"}, "exhibit must be one of figure 10"),
        ({"study": "control", "exhibit": "table 1"}, "study control has its own variants"),
        ({"seeds": "many"}, "seeds must be whole numbers such as 0,1,2, got 'many'"),
        ({"seed": 1}, "option must be one of 'study'"),
    ],
)
def test_wrong_options_are_one_sentence(options, says):
    with pytest.raises(ConfigError, match=says):
        planned_runs(options, None)


@pytest.mark.parametrize("track", ["synthetic", "lfw"])
def test_controls_are_planned_on_both_public_tracks(track):
    keys = {control.key for control in CONTROLS}
    seeds = [config.seed for config in configs_of_budget("full", track) if config.variant in keys]
    assert sorted(seeds) == sorted([300, 301, 302] * len(keys))
