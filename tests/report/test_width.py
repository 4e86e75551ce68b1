"""The page on width answers by its rules, from runs whose losses are known, and says what it leaves out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import Analysis, load
from trsfnet.analysis.width import (
    LARGE,
    NARROW,
    SMALL,
    TRAINED_FROM_LARGE,
    TRAINED_FROM_SMALL,
    WIDE,
    answers,
    largest_factors,
    width_runs,
)
from trsfnet.experiments.budgets import budget_of, budget_settings
from trsfnet.experiments.record import read_records
from trsfnet.experiments.studies import planned_configs
from trsfnet.experiments.variants import variant_key, variant_of
from trsfnet.report import studies, width
from trsfnet.report.display import Picture
from trsfnet.report.mechanism import factor_text

AT_THE_END, OVER_TRAINING = "held-out loss at the end", "held-out loss over training"
SEEDS, RATES = (20, 21, 22), (0.05, 0.1, 0.2)
ENDS = {
    (WIDE, SMALL): 0.3,
    (WIDE, LARGE): 0.9,
    (WIDE, TRAINED_FROM_SMALL): 0.35,
    (WIDE, TRAINED_FROM_LARGE): 0.6,
    (NARROW, SMALL): 0.5,
    (NARROW, LARGE): 0.6,
}
"""The loss at the end over chance level, by study and variant: width impairs training with the constant 1."""


def write(root, study, variant, end, seed, rate, *, status="done", epochs=10):
    """A run whose loss falls evenly from chance level to about `end`; seeds and rates differ a little."""
    trained = variant_of(variant)
    settings = budget_settings(study, "synthetic") | {"learning_rate": rate}
    if trained.scale_init is not None:
        settings["scale_init"] = trained.scale_init
    base = "v1-trsf-relu" if trained.trsf else "v1-relu"
    run = fake_run(root, base, seed=seed, status=status, **settings)
    # The records of these tests have 40 identities.
    losses = np.linspace(1, end + 0.002 * (seed - 21) + 0.1 * (rate - 0.1), 10)[:epochs] * math.log(40)
    rows = run.history().to_dict("records")[:epochs]
    run.write_history([r | {"held_out_loss": x} for r, x in zip(rows, losses, strict=True)])


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """The records of all runs that the questions compare."""
    root = tmp_path_factory.mktemp("width")
    for (study, variant), end in ENDS.items():
        for rate in RATES:
            for seed in SEEDS:
                write(root, study, variant, end, seed, rate)
    found, problems = read_records([root])
    assert not problems
    return found


@pytest.fixture(scope="module")
def everything(records):
    return Analysis(records)


def key(record):
    config = record.config
    return budget_of(config), variant_key(config), config["learning_rate"], config["seed"]


def decided(table):
    return {answer.question: answer.decided for answer in answers(table)}


def words(text):
    return str(text).replace("\u00a0", " ")


def test_each_narrow_run_has_a_wide_one_that_differs_in_width_alone():
    wide, narrow = (planned_configs(study, "synthetic") for study in (WIDE, NARROW))
    assert ({c.width for c in wide}, {c.width for c in narrow}) == ({1.0}, {0.125})
    constants = [config for config in wide if not config.trsf]
    assert [replace(config, width=1.0) for config in narrow] == constants


def test_clear_effects_answer_each_question(everything):
    assert decided(width_runs(everything.runs)) == {
        "wide-1": True,
        "wide-0.1": False,
        "constant": True,
        "penalty": True,
        "trained-0.1": True,
        "trained-1": True,
    }


def test_the_page_shows_all_runs_factors_and_answers(everything):
    text = words(width.questions(everything))
    assert "as means over 9 pairs of runs" in text
    assert "left out" not in text
    (row,) = (line for line in text.splitlines() if line.startswith("| With the constant 1,"))
    # 0.9 over 0.6 at the end; over training, 0.95 over 0.8.
    assert f"{AT_THE_END}: 1.50 (" in row
    assert f"{OVER_TRAINING}: 1.19 (" in row
    assert row.endswith("| 3 | **yes** |")
    (row,) = (line for line in text.splitlines() if "raise the loss more" in line)
    # About (0.9 / 0.3) / (0.6 / 0.5); over training, (0.95 / 0.65) / (0.8 / 0.75).
    assert f"{AT_THE_END}: 2.49 (" in row
    assert f"{OVER_TRAINING}: 1.37 (" in row
    figure = width.losses_figure(everything)
    assert isinstance(figure, Picture)
    assert "with the constant 1, 90.2 % at full width and 60.2 % at an eighth (means over 9 pairs)" in words(
        figure.caption
    )
    table = words(studies.outcomes(everything, WIDE, NARROW))
    rows = {tuple(row[:2]): row[3] for line in table.splitlines() if len(row := line[2:].split(" | ")) == 5}
    assert rows["v1, scale 1", "1"] == "90.0 % / 95.0 % (3 seeds)"
    assert rows["v1, scale 1", "1/8"] == "60.0 % / 80.0 % (3 seeds)"
    assert "**All 36 have ended.**" in str(studies.about(everything, WIDE))
    assert "**All 18 have ended.**" in str(studies.about(everything, NARROW))


def test_the_papers_claims_are_judged_at_full_width(everything):
    line = str(studies.verdicts(everything, WIDE)).splitlines()[1]
    assert line.startswith("- v1 + TRSF trains further than v1 + TRSF from 1 ([")
    assert "**Supported.**" in line


def test_the_opposite_effect_answers_no(everything):
    table = width_runs(everything.runs)
    found = decided(table.assign(study=table["study"].map({WIDE: NARROW, NARROW: WIDE})))
    assert {name: found[name] for name in ("wide-1", "wide-0.1", "penalty")} == {
        "wide-1": False,
        "wide-0.1": True,
        "penalty": False,
    }


def test_outcomes_that_disagree_answer_nothing(everything):
    """At the end the wide runs are behind, but on average over training they are ahead."""
    table = width_runs(everything.runs)
    table.loc[table["study"] == WIDE, OVER_TRAINING] /= 2
    assert decided(table)["wide-1"] is None


@pytest.mark.parametrize("seeds", [(20,), (20, 21)])
def test_fewer_than_three_seeds_are_too_few(records, seeds):
    """Three learning rates do not replace seeds."""
    text = str(width.questions(Analysis([record for record in records if record.seed in seeds])))
    assert text.count("**too few seeds**") == 6
    assert "**yes**" not in text


def test_a_missing_twin_leaves_its_pair_out_and_is_named(records):
    missing = (NARROW, SMALL, 0.1, 21)
    found = Analysis([record for record in records if key(record) != missing])
    text = words(width.questions(found))
    assert "as means over 8 to 9 pairs of runs" in text
    assert [line for line in text.splitlines() if line.startswith("- ")] == [
        "- With the constant 0.1, is the loss higher at full width than at an eighth? Seed 21 at rate 0.1.",
        "- Does the constant 1 raise the loss more at full width than at an eighth? Seed 21 at rate 0.1.",
    ]
    assert decided(width_runs(found.runs))["penalty"] is True


def test_while_many_runs_are_missing_pairs_are_counted_and_widths_compared_at_equal_rates(records):
    first = [r for r in records if key(r)[0] == NARROW or (r.seed, key(r)[1:3]) == (20, (LARGE, 0.05))]
    found = Analysis(first)
    text = words(width.questions(found))
    assert "as means over up to 1 pair of runs" in text
    assert "Up to 9 pairs of a question are left out" in text
    figure = width.losses_figure(found)
    assert isinstance(figure, Picture)
    # 0.6 and 0.9 over chance level, less 0.007 at this seed and rate.
    assert (
        "level: with the constant 1, 89.3 % at full width and 59.3 % at an eighth (means over 1 pair)."
        in (words(figure.caption))
    )


def test_runs_that_were_not_planned_are_left_out(records, tmp_path):
    settings = budget_settings(WIDE, "synthetic") | {"learning_rate": 0.1}
    fake_run(tmp_path, "v1-relu", seed=20, **settings)
    write(tmp_path, WIDE, LARGE, 0.1, 30, 0.1)
    more, problems = read_records([tmp_path])
    assert (len(more), problems) == (2, [])
    alone, joined = Analysis(records), Analysis([*records, *more])
    pd.testing.assert_frame_equal(joined.width, alone.width)
    assert isinstance(width.losses_figure(joined), Picture)


def test_a_collapsed_run_counts_as_chance(records, tmp_path):
    collapsed = (WIDE, LARGE, 0.2, 22)
    write(tmp_path, WIDE, LARGE, 0.9, 22, 0.2, status="collapsed", epochs=2)
    others = [record for record in records if key(record) != collapsed]
    found = Analysis([*others, *read_records([tmp_path])[0]])
    table = width_runs(found.runs).set_index(["study", "variant", "learning_rate", "seed"])
    assert table.loc[collapsed, AT_THE_END] == 1
    # The first two epochs are known: 1 and a ninth of the way to 0.912; the other eight count as 1.
    assert table.loc[collapsed, OVER_TRAINING] == pytest.approx((9 + 1 - 0.088 / 9) / 10)
    assert "as means over 9 pairs of runs" in str(width.questions(found))
    assert "(3 seeds, 1 collapsed)" in str(studies.outcomes(found, WIDE, NARROW))


CHANCE = {AT_THE_END: 1.0, OVER_TRAINING: 1.0}


def state(everything, **tables):
    """An analysis of which the table of runs is another one."""
    found = Analysis([])
    found.width = width_runs(everything.runs).assign(**tables)
    return found


def test_the_conclusion_without_a_collapse(everything):
    text = str(width.verdict(everything))
    of = {answer.question: answer.effects[AT_THE_END] for answer in everything.width_answers}
    factors = (
        "At full width with the constant 1, the held-out loss at the end is "
        f"{factor_text(of['wide-1'])} times that at an eighth of the width and "
        f"{factor_text(of['constant'])} times that with the constant 0.1."
    )
    assert text == (
        "Of 36 runs at full width, none collapsed; of 18 at an eighth of the width, none did. Width impairs "
        "training: with the constant 1, the loss on held-out images is higher at full width than at an "
        "eighth. The constant 0.1 reduces this effect; it prevents it, because with this constant the loss "
        f"is lower at full width. {factors} At full width, scales trained from 0.1 and from 1 lower the loss "
        "below that with the constant 1."
    )
    assert text.startswith(width.finding(everything))


def test_the_conclusion_names_the_rates_of_collapses(everything):
    table = everything.width
    fast = (table["study"] == WIDE) & (table["learning_rate"] == 0.2)
    found = state(everything, collapsed=fast)
    found.width.loc[fast, list(CHANCE)] = 1.0
    text = str(width.verdict(found))
    assert text.startswith(
        "Of 36 runs at full width, 12 collapsed, all at the learning rate 0.2 (6 with constant and 6 with "
        "trained scales); of 18 at an eighth of the width, none did. Width impairs training"
    )
    # With a third of its pairs at chance, the constant 0.1 is no longer better at full width.
    assert "reduces this effect; whether it prevents it remains open. At full width with the" in text
    found.width.loc[(table["study"] == WIDE) & (table["learning_rate"] == 0.05), "collapsed"] = True
    assert "24 collapsed, 12 at the learning rate 0.05 and 12 at 0.2 (" in str(width.verdict(found))


def test_the_conclusion_if_every_wide_run_collapses(everything):
    wide = everything.width["study"] == WIDE
    found = state(everything, collapsed=wide)
    found.width.loc[wide, list(CHANCE)] = 1.0
    text = str(width.verdict(found))
    assert "36 collapsed, 12 at the learning rate 0.05, 12 at 0.1 and 12 at 0.2 (18 with" in text
    assert "Width impairs training" in text
    assert "The constant 0.1 does not reduce this effect; it does not prevent it." in text
    assert "it remains open whether scales trained from 0.1 or from 1 lower the loss" in text


def test_the_conclusion_if_width_helps_or_nothing_is_clear(everything):
    swapped = everything.width["study"].map({WIDE: NARROW, NARROW: WIDE})
    assert "Width does not impair training here" in str(width.verdict(state(everything, study=swapped)))
    text = str(width.verdict(state(everything, **CHANCE)))
    assert "It remains open whether width impairs training with the constant 1. At full width with" in text
    assert "reduces" not in text


@pytest.mark.parametrize(("seeds", "words"), [((20,), "before runs with 3 seeds"), (SEEDS[:0], None)])
def test_the_conclusion_waits_for_runs(records, seeds, words):
    found = Analysis([record for record in records if record.seed in seeds])
    text = width.verdict(found)
    assert text is None if words is None else words in str(text)
    assert not width.finding(found)


def test_the_first_page_waits_for_all_runs(records):
    assert "of the width, none did. Width impairs" in width.finding(Analysis(records))
    assert width.finding(Analysis(records[1:])) == ""
    assert "full width that have ended, none collapsed" in str(width.verdict(Analysis(records[1:])))


def test_runs_that_all_fail_answer_nothing(everything):
    table = width_runs(everything.runs).assign(**{AT_THE_END: 1.0, OVER_TRAINING: 1.0})
    assert set(decided(table).values()) == {None}


def test_before_the_first_run_and_with_one_width_alone(records):
    nothing = Analysis([])
    assert "No run has ended yet" in str(width.questions(nothing))
    assert width.losses_figure(nothing) is None
    assert "| v1, scale 1 | 1/8 | not run |" in str(studies.outcomes(nothing, WIDE, NARROW))
    wide = Analysis([record for record in records if key(record)[0] == WIDE])
    text = str(width.questions(wide))
    assert (text.count("**yes**"), text.count("**not run**")) == (3, 3)
    assert isinstance(width.losses_figure(wide), Picture)


def test_the_largest_factor_that_can_be_found_follows_from_the_narrow_runs(everything):
    runs = everything.width
    narrow = runs[(runs["study"] == NARROW) & (runs["variant"] == LARGE)]["held-out loss at the end"]
    found = largest_factors(runs)["wide-1"]["held-out loss at the end"]
    assert found.value == pytest.approx(np.exp(-np.log(narrow).mean()))
    assert found.low < found.value < found.high
    text = str(width.ceilings(everything))
    factor = f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
    assert f"with the constant 1, {factor} at the end and " in text
    assert largest_factors(runs[runs["study"] == WIDE]) == {}


def test_runs_that_all_collapse_in_the_first_epoch_put_the_scales_out_of_reach(tmp_path):
    """The schedule follows from the configuration, as there is no epoch."""
    for seed in SEEDS:
        write(tmp_path, WIDE, TRAINED_FROM_SMALL, 0.5, seed, 0.1, status="collapsed", epochs=1)
    for history in tmp_path.glob("*/*/history.csv"):
        history.unlink()
    found = load(tmp_path)
    (campaign,) = found.campaigns
    assert campaign.regime.steps == 600
    assert campaign.verdicts["scales-grow"].outcome == "out of reach"
    text = str(width.verdict(found))
    assert "3 runs at full width that have ended, 3 collapsed, all at the learning rate 0.1 (0 with" in text
