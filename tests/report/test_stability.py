"""The study on collapse: every run is counted where it belongs, with how and when it ended."""

from __future__ import annotations

import math
from itertools import product

import pytest
from scipy import stats

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.analysis.stability import Ending
from trsfnet.experiments.budgets import budget_settings
from trsfnet.experiments.variants import STABILITY
from trsfnet.report import stability
from trsfnet.report.display import Picture
from trsfnet.report.stability.labels import label
from trsfnet.training.collapsed import Collapsed

MESSAGE = "The loss became nan."

AT_CHANCE, NAN = Collapsed("chance"), Collapsed("loss", 47)
EXPLOSION, BEFORE = Collapsed("explosion", 121), Collapsed("gradient", 60)


def run(root, setting, rate, seed=0, collapse=None, losses=(4.0, 2.0), accuracy=0.6, **others):
    """A run of the study."""
    trainable = "trsf" in setting
    faces = {"identities": 100, "images": 2000, "size": 75, "fingerprint": "0"}
    record = fake_run(
        root,
        setting,
        seed=seed,
        status=others.pop("status", "collapsed" if collapse else "done"),
        tar=0.02,
        info={
            "message": MESSAGE if collapse else "",
            "collapse": collapse and collapse.to_dict(),
            "data": {"train": faces, "test": faces},
        }
        | others.pop("info", {}),
        **budget_settings("stability", "synthetic") | {"learning_rate": rate} | others,
    )
    rows = [
        {
            "epoch": i,
            "step": 31 * i,
            "learning_rate": rate,
            "loss": loss,
            "train_accuracy": accuracy * i / len(losses),
        }
        for i, loss in enumerate(losses, start=1)
    ]
    record.write_history([row | {"tar@1e-3": 0.02} for row in rows])
    assert trainable == record.config["trsf"]
    return record


def find(root):
    found = load(root)
    assert not found.problems
    return found.study, found


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two settings at two rates: at the larger one the constant of 1 collapses in three ways."""
    root = tmp_path_factory.mktemp("study")
    for seed, collapse in enumerate((AT_CHANCE, NAN, EXPLOSION)):
        run(root, "v1-trsf-relu", 0.05, seed)
        run(root, "v1-trsf-relu", 0.4, seed, losses=(4.0, 3.0))
        run(root, "v1-relu", 0.05, seed, scale_init=1.0)
        run(root, "v1-relu", 0.4, seed, collapse, losses=(17.0, 4.0, 6.0), scale_init=1.0)
    run(root, "v1-relu", 0.4, seed=3, status="running", scale_init=1.0)
    fake_run(root, "v1-relu", tar=0.3)  # the paper's grid, another protocol
    return find(root)


@pytest.mark.parametrize(
    ("collapse", "ending", "step"),
    [
        (AT_CHANCE, Ending.CHANCE, None),
        (NAN, Ending.NOT_FINITE, 47),
        (EXPLOSION, Ending.EXPLODED, 121),
        (BEFORE, Ending.NOT_FINITE, 60),
    ],
)
def test_how_and_when_a_run_collapsed_is_what_its_record_says(tmp_path, collapse, ending, step):
    run(tmp_path, "v1-relu", 0.4, collapse=collapse)
    run(tmp_path, "v1-relu", 0.05)
    found, _ = find(tmp_path)
    (trained,), (collapsed,) = found.cells["v1-relu", 0.05], found.cells["v1-relu", 0.4]
    assert (trained.ending, trained.step) == (Ending.NOT_COLLAPSED, None)
    assert (collapsed.ending, collapsed.step) == (ending, step)


def test_the_map_counts_every_run(study):
    found, _ = study
    assert found.rates == [0.05, 0.4]
    figure = stability.endings_grid(found)
    assert "3 of 12 runs collapsed (0 of 6 at 0.05 and 3 of 6 at 0.4)" in figure.caption
    assert (
        "1 at chance level at the end, 1 with exploding gradients and 1 with a non-finite loss"
        in figure.caption
    )
    assert "10 of 12 variants were not run" in figure.caption
    assert figure.svg.count("0 of 3 collapsed") == 3
    assert figure.svg.count("3 of 3 collapsed") == 1
    assert ">not collapsed</text>" in figure.svg
    assert "steps 47 to 121, the end" in figure.svg


def test_limits_and_what_has_not_ended(study):
    found, _ = study
    text = str(stability.limits(found))
    assert "| Constant | 1 | 0.05 | 0.4 | 3 of 6 |" in text
    assert "| from 0.1 (TRSF) | 0.4 | none tried | 0 of 6 |" in text
    about = str(stability.about(found))
    assert about.startswith("The study has 12 runs on rendered faces: 2 variants of v1 at 1/8 of its width")
    assert "learning rates 0.05 and 0.4 (3 seeds)." in about
    assert "1 run has not ended yet." in about


def test_where_a_setting_has_fewer_seeds_it_is_up_to_so_many(tmp_path):
    for seed in range(2):
        run(tmp_path, "v1-relu", 0.1, seed)
        run(tmp_path, "v1-relu", 0.1, seed, scale_init=1.0)
        run(tmp_path, "v1-relu", 0.2, seed)
    found, _ = find(tmp_path)
    assert "learning rates 0.1 (2 seeds) and 0.2 (up to 2 seeds)." in str(stability.about(found))


def test_every_collapse_has_its_message_and_a_link_to_its_run(study):
    found, _ = study
    text = str(stability.collapses(found))
    assert text.startswith("::::::{dropdown} 3 collapses")
    assert MESSAGE in text
    lines = [line for line in text.splitlines() if line.startswith("| v1, scale 1 | 0.4 |")]
    assert len(lines) == 3
    assert all("v1-scale1-relu-seed" in line and "from epoch 3 on" in line for line in lines)
    # An epoch more than were finished, or the last one where the end showed it.
    assert "step 47, epoch 4" in lines[1]
    assert "the end, epoch 3" in lines[0]


def test_a_loss_slightly_below_chance_is_not_called_chance(tmp_path):
    """Records of earlier versions say so; a loss above chance keeps its message."""
    old = "The loss ended at {}, no better than chance, 4.61."
    for seed, loss in enumerate((4.57, 4.68)):
        info = {"message": old.format(loss)}
        run(tmp_path, "v1-relu", 0.4, seed, AT_CHANCE, losses=(4.0, loss), info=info)
    run(tmp_path, "v1-relu", 0.05)
    text = str(stability.collapses(find(tmp_path)[0])).replace("\u00a0", " ")
    assert "| The loss ended at 4.57, only 0.76 % below chance (4.61). |" in text
    assert f"| {old.format(4.68)} |" in text


def test_speed_is_that_of_the_runs_that_trained(study):
    found, _ = study
    text = str(stability.speed(found))
    trained, collapsed = (
        [line for line in text.splitlines() if line.startswith(f"| {name} |")]
        for name in ("v1 + TRSF", "v1, scale 1")
    )
    # Half lies two thirds of the way from 0.3 after one epoch to 0.6 after two.
    assert trained[0] == "| v1 + TRSF | 1.7 | 1.7 |"
    assert [line.split("|")[3].strip() for line in collapsed] == ["collapsed"] * 2


def test_training_accuracy_is_compared_over_all_seeds_with_intervals(tmp_path):
    """At 0.05 a constant of 1 learns less; at 0.4 it collapses, and counts with what it had learned."""
    small, large = [0.85, 0.9, 0.95], [0.25, 0.3, 0.35]
    for seed in range(3):
        run(tmp_path, "v1-trsf-relu", 0.05, seed, accuracy=small[seed])
        run(tmp_path, "v1-trsf-relu", 0.05, seed, accuracy=large[seed], scale_init=1.0)
        run(tmp_path, "v1-trsf-relu", 0.4, seed, accuracy=large[seed])
        run(tmp_path, "v1-trsf-relu", 0.4, seed, AT_CHANCE, accuracy=large[seed], scale_init=1.0)
    found, _ = find(tmp_path)
    half = stats.t.interval(0.95, 4, scale=100 * 0.05 * (2 / 3) ** 0.5)[1]
    difference = f"+60.0 (+{60 - half:.1f} to +{60 + half:.1f})"
    (row,) = (line for line in str(stability.differences(found)).splitlines() if "from 1 |" in line)
    assert row.split("|")[2].strip() == difference
    assert row.split("|")[3].strip() == f"0.0 (−{half:.1f} to +{half:.1f})"
    figure = stability.accuracy_figure(found)
    assert "differ most at rate 0.05: from 30.0\N{NO-BREAK SPACE}% (v1 + TRSF from 1)" in figure.caption


def test_a_run_that_finished_no_epoch_has_learned_nothing(tmp_path):
    for rate in (0.05, 0.4):
        for seed in range(2):
            record = run(tmp_path, "v1-relu", rate, seed, NAN if rate == 0.4 else None)
            if rate == 0.4:
                (record.path / "history.csv").unlink()
    found, _ = find(tmp_path)
    assert [run.accuracy for run in found.cells["v1-relu", 0.4]] == [0.0, 0.0]
    assert isinstance(stability.accuracy_figure(found), Picture)


def test_curves_end_where_the_runs_did(study):
    found, _ = study
    figure = stability.loss_curves(found)
    assert isinstance(figure, Picture)
    assert "2.00 to 2.00 at rate 0.05 and 3.00 to 3.00 at rate 0.4" in figure.caption


def test_the_answers_are_the_judges(study):
    found, everything = study
    text = str(stability.verdict(found))
    assert found.campaign in everything.campaigns
    for claim in ("small-start-stable", "large-constant-diverges"):
        verdict = found.campaign.verdicts[claim]
        assert f"**{verdict.outcome.capitalize()}**" in text
        assert verdict.reason in text
    assert "ended differently at 0.4" in text
    table = str(stability.stability_claims(everything))
    assert "(#claim-small-start-stable)" in table
    assert "(#claim-still-risk-of-collapse)" in table


def test_losses_at_chance_are_no_proof_that_a_longer_run_fails(tmp_path, study):
    run(tmp_path, "v1-relu", 0.4, collapse=AT_CHANCE)
    run(tmp_path, "v1-relu", 0.05)
    assert "might have recovered" in str(stability.verdict(find(tmp_path)[0]))
    assert "might have recovered" not in str(stability.verdict(study[0]))


def test_a_run_without_an_epoch_and_a_loss_that_is_not_finite(tmp_path):
    (run(tmp_path, "v1-relu", 0.8, collapse=NAN).path / "history.csv").unlink()
    run(tmp_path, "v1-relu", 1.6, collapse=AT_CHANCE, losses=(3.0, math.inf))
    found, _ = find(tmp_path)
    assert isinstance(stability.loss_curves(found), Picture)
    assert found.cells["v1-relu", 0.8][0].epoch == 1
    assert found.cells["v1-relu", 1.6][0].astray_since == 2
    assert "collapsed" in str(stability.speed(found))


def test_before_the_study_the_page_says_what_is_planned(tmp_path):
    run(tmp_path, "v1-relu", 0.4)
    fake_run(tmp_path, "v1-relu", track="lfw")
    study, everything = find(tmp_path)
    assert study is None
    assert "12 variants at the learning rates" in str(stability.about(None))
    assert "nothing to compare" in str(stability.endings_grid(None))
    exhibits = (stability.limits, stability.collapses, stability.loss_curves, stability.speed)
    assert [show(None) for show in exhibits] == [None] * 4
    assert "there is no result" in str(stability.verdict(None))
    assert "no-crash" in str(stability.stability_claims(everything))


def test_runs_of_another_study_are_not_the_stability_studys(tmp_path):
    """The study on collapse trains the same variants at several learning rates, and may have more runs."""
    graded = budget_settings("collapse", "synthetic")
    for seed, rate in product(range(10, 13), (0.07, 0.1)):
        fake_run(tmp_path, "v1-relu", seed=seed, **graded | {"learning_rate": rate})
    assert find(tmp_path)[0] is None
    for rate in (0.05, 0.4):
        run(tmp_path, "v1-relu", rate)
    assert find(tmp_path)[0].rates == [0.05, 0.4]


def test_every_setting_of_the_study_has_a_label_of_its_own():
    labels = {(setting.trsf, setting.trsf_per_channel, label(setting)) for setting in STABILITY}
    assert len(labels) == len(STABILITY)
    assert "0.17, 0.1, 0.2 (facenet)" in {text for *_, text in labels}
