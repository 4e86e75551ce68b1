"""Pages of the studies on collapse, width and length say what is planned, what is there and what it shows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from tests.analysis.test_length import row
from tests.report.fakes import fake_run
from trsfnet.analysis import Analysis, load
from trsfnet.analysis.length import BOTH, LONG, SLOPES
from trsfnet.analysis.travel import by_travel
from trsfnet.experiments.budgets import budget_settings
from trsfnet.report import landing, length, studies, travel
from trsfnet.report.display import Picture

NOTHING = Analysis([])


@pytest.mark.parametrize(
    ("study", "planned"),
    [("collapse", 90), ("width", 36), ("width-narrow", 18), ("long", 12), ("long-usual-decay", 6)],
)
def test_without_runs_the_page_says_how_many_are_planned(study, planned):
    text = str(studies.about(NOTHING, study))
    assert f"The study consists of {planned} runs on rendered faces" in text
    assert "**None has ended yet.**" in text
    assert "Training starts from the learning rate" in text
    assert f"`make runs STUDY={study}`" in text


def test_names_of_scales_are_explained():
    trained = "“TRSF” is trained from 0.1, “TRSF from 1” from 1."
    assert f"“Scale 0.1” is a constant scale; {trained}" in str(studies.about(NOTHING, "collapse"))
    assert "“TRSF” is trained" not in str(studies.about(NOTHING, "width-narrow"))
    assert "is a constant scale" not in str(studies.about(NOTHING, "long"))


def test_without_runs_nothing_is_decided():
    assert str(studies.verdicts(NOTHING, "collapse")).count("**Not run.**") == 4
    assert "| v1 + TRSF | not run | not run | not run |" in str(studies.outcomes(NOTHING, "width"))
    assert "No run" in str(travel.travel_figure(NOTHING))
    assert travel.travel_table(NOTHING) is None
    assert "No long run" in str(length.ends_table(NOTHING))
    assert "No long run" in str(length.questions(NOTHING))
    assert "No long run" in str(length.course_figure(NOTHING))
    assert not length.findings(NOTHING)


def test_runs_of_a_study_are_counted_and_judged(tmp_path):
    for seed in range(10, 15):
        for variant, end in (("v1-relu", 0.9), ("v1-trsf-relu", 0.5)):
            settings = budget_settings("collapse", "synthetic")
            run = fake_run(tmp_path, variant, seed=seed, learning_rate=0.1, **settings)
            rows = run.history().to_dict("records")
            losses = np.linspace(1, end - 0.001 * seed, len(rows)) * math.log(40)
            run.write_history([r | {"held_out_loss": x} for r, x in zip(rows, losses, strict=True)])
    fake_run(tmp_path, "v1-relu", seed=99, learning_rate=0.1, **settings)
    found = load(tmp_path)
    assert "**10 of 90 have ended.**" in str(studies.about(found, "collapse")), "seed 99 is not planned"
    table = str(studies.outcomes(found, "collapse")).replace("\u00a0", " ")
    assert "| v1 + TRSF | not run | 48.8 % / 74.4 % (5 seeds) | not run |" in table
    line = str(studies.verdicts(found, "collapse")).splitlines()[0]
    assert line.startswith("- v1 + TRSF trains further than v1 (")
    assert "(#claim-trainable-more-stable)" in line
    assert "Held-out loss at the end, v1 + TRSF − v1: −40.0 points" in line


def test_only_claims_whose_variants_a_study_trains_are_listed():
    lines = str(studies.verdicts(NOTHING, "width")).splitlines()
    assert [line.split(" ([")[0] for line in lines] == [
        "- v1 + TRSF trains further than v1, scale 0.1",
        "- v1 + TRSF trains further than v1 + TRSF from 1",
    ]


def test_the_course_of_long_training_is_shown_from_run_to_end(tmp_path):
    fake_run(tmp_path, "v1-trsf-prelu")
    long = fake_run(tmp_path, "v1-trsf-prelu", seed=50, **budget_settings("long", "synthetic"))
    long.write_info(metrics=long.metrics | {"all_pairs_tar@1e-3": 0.2})
    branches = [
        {"epoch": epoch, "kind": kind, "name": f"{kind}_{module}", "channel": 0, "value": 0.2 + epoch / 1000}
        for epoch in range(101)
        for kind in ("kernel", "ratio")
        for module in range(21)
    ]
    long.write_parameters(long.parameters().to_dict("records") + branches)
    found = load(tmp_path)
    table = by_travel(found.runs)
    assert len(table) == 1 + 10
    course = table[table["budget"] == "long"]
    assert course["travel"].is_monotonic_increasing
    # The first epoch in which each tenth of the travel is reached: 20 epochs make up the first 80 %.
    percent = 100 * course["travel"] / course["travel"].iloc[-1]
    assert percent.round().tolist() == [12, 20, 32, 40, 52, 60, 72, 80, 90, 100]
    assert "Rows of the budget long are stages of the same runs." in str(travel.travel_table(found))
    ends = str(length.ends_table(found)).replace("\u00a0", " ")
    assert "| v1 + TRSF + PReLU | the paper's decay budget | 0.1 → " in ends
    assert "| 0.2 → 0.3 | 0.2 → 0.3 | 0.2 → 0.3 | 0.2 → 0.3 |" in ends
    signed = found.length["signed_scale"].iloc[0]
    assert f" | 0.1 → {signed:.2g} | 0.2 → 0.3 |".replace("-", "−") in ends
    asked = str(length.questions(found))
    assert (asked.count("**too few seeds**"), asked.count("**not run**")) == (1, 3)
    course = length.course_figure(found)
    assert isinstance(course, Picture)
    assert "kernels 1.5 and branches 1.5 times the start" in course.caption
    said = length.findings(found)
    assert said["scales"].startswith(
        "In our long run of v1 with TRSF and PReLU, at the paper's decay budget and"
    )
    assert said["branches"].endswith(
        "relative to their trunk grows to at least 1.50 times its start, by each of three averages."
    )
    assert str(length.scales(found)) == f"{said['scales']} See [the length of training](length.ipynb)."
    assert length.scales(NOTHING) is None
    answer = landing.findings(found.campaigns, found)
    assert all(sentence in answer for sentence in said.values())
    figure = travel.travel_figure(found)
    assert isinstance(figure, Picture)
    assert "43.2" in figure.caption
    assert "at 12,496" in figure.caption


def branches_said(grown, compared, seeds=3, *, scale=0.9, other_average=1.0):
    """What is said of branches that grow by a factor, where those with constants grow by another."""
    rows = [row(LONG, BOTH, seed, scale, grown) for seed in range(seeds)]
    for one in rows:
        one["ratio_median"] *= other_average
    rows += [row(LONG, SLOPES, seed, np.nan, compared * (1 + 0.02 * seed)) for seed in range(seeds)]
    shared = {"travel": 2500.0, "negative_slopes": 0.4, "signed_scale": 0.5}
    found = Analysis([])
    found.length = pd.DataFrame([one | shared for one in rows])
    return length.findings(found)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            (1.5, 0.5),
            "at least 1.51 times its start, by each of three averages; it ends at 2.94 (2.80 to 3.09) times "
            "that with constant scales and PReLU (the average with the lowest lower bound)",
        ),
        (
            (0.5, 1.5),
            "at most 0.50 times its start, by each of three averages; it ends at 0.33 (0.31 to 0.34) times",
        ),
        ((1.5, 0.5, 2), "bound; two pairs of runs, too few to decide)."),
        ((1.5, 1.48), "bound; three pairs of runs, undecided)."),
        ((1.5, 0.5), "that with constant scales and PReLU (the average with the lowest lower bound)."),
    ],
)
def test_long_training_is_described_by_its_numbers_and_its_verdict(arguments, words):
    assert words in branches_said(*arguments)["branches"]


def test_averages_that_disagree_on_long_training_are_both_given():
    said = branches_said(1.5, 1.0, other_average=0.5)["branches"]
    assert "ends, depending on the average, at 0.76 to 1.51 times its start" in said
    assert (
        "; it ends at 0.74 to 1.47 times that with constant scales and PReLU (three pairs of runs, undecided)"
        in said
    )


def test_scales_that_shrink_are_not_said_to_grow():
    assert "scales shrinks from 0.1 to 0.0;" in branches_said(1.5, 1.5, scale=0.04)["scales"]
