"""Figures 3 and 4: what is drawn and said is in the records, and what is not there is said."""

from __future__ import annotations

import re

import matplotlib as mpl
import pandas as pd
import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.experiments.budgets import budget_settings
from trsfnet.experiments.pilot import pilot_configs
from trsfnet.report import curves
from trsfnet.report.display import Picture

mpl.use("agg")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Two seeds of two settings of v1, a run of v2 that goes on, one that collapsed, and one with ArcFace."""
    runs = tmp_path_factory.mktemp("runs")
    for seed in range(2):
        fake_run(runs, "v1-relu", seed=seed)
        fake_run(runs, "v1-trsf-prelu", seed=seed, tar=0.3 + 0.1 * seed)
    fake_run(runs, "v2-prelu", status="running")
    fake_run(runs, "v1-prelu", status="collapsed")
    fake_run(runs, "v2-prelu", loss="arcface", tar=0.5)
    return load(runs)


def test_the_caption_has_the_ends_their_range_and_what_is_missing(found):
    (synthetic, lfw) = found.tables_by_track(1, 2)
    shown, loss = curves.over_training(synthetic, 3)
    ends = {s: [r.history["tar@1e-3"].iloc[-1] for r in cell] for s, cell in synthetic[0].cells.items()}
    low, high = sorted(ends["v1-trsf-prelu"])
    mean = (low + high) / 2
    text = shown.caption.replace("\u00a0", " ")
    start = "Our version of figure 3, on rendered faces (budget short: decay budget 0.06, travel 60)"
    assert text.startswith(
        f"{start}, TAR@FAR=1e-3, ten folds: Of the v1 networks, v1 + TRSF + PReLU ends highest at "
    )
    assert f"{100 * mean:.1f} % ({100 * low:.1f} % to {100 * high:.1f} %)" in text
    assert "v2 + PReLU, seed 0 (running)" in text
    assert "v1 + PReLU, seed 0 (collapsed)" in text
    # Of figure 3 alone: settings with ArcFace or other starting slopes are not missing here.
    missing = ["v1 + TRSF", "v1 + Leaky ReLU", "v1 + TRSF + Leaky ReLU", "v2", "v2 + TRSF", "v2 + Leaky ReLU"]
    assert f"Not run yet: {', '.join(missing)}, v2 + TRSF + Leaky ReLU and v2 + TRSF + PReLU. " in text
    assert "Training loss" in str(loss)
    (empty,) = curves.over_training(lfw, 3)
    assert "on Labeled Faces in the Wild: no run of v1, v1 + TRSF" in str(empty)


def test_arcface_is_figure_4(found):
    synthetic, _ = found.tables_by_track(3)
    shown, _ = curves.over_training(synthetic, 4)
    start = r"Our version of figure 4, on rendered faces \(budget short: .*\), TAR@FAR=1e-3, ten folds: "
    assert re.match(start + r"v2 \+ PReLU, ArcFace ends at \d", shown.caption)
    assert "Not run yet: v2 + TRSF + PReLU, ArcFace." in shown.caption


def test_a_setting_whose_only_run_collapsed_is_drawn_as_such(found):
    (synthetic, _) = found.tables_by_track(1)
    shown, _ = curves.over_training(synthetic, 3)
    assert isinstance(shown, Picture)
    assert ">PReLU (collapsed)<" in shown.svg
    assert ">TRSF + PReLU<" in shown.svg


def test_curves_that_end_alike_are_not_ranked(tmp_path):
    """Neither is highest if both round to the same number."""
    for setting, tar in (("v2-prelu", 0.2), ("v2-trsf-prelu", 0.20001)):
        folder = fake_run(tmp_path, setting, loss="arcface")
        folder.write_history([{"epoch": 1, "step": 60, "loss": 1.0, "tar@1e-3": tar}])
    synthetic, _ = load(tmp_path).tables_by_track(3)
    shown, _ = curves.over_training(synthetic, 4)
    text = shown.caption.replace("\u00a0", " ")
    assert "v2 + PReLU, ArcFace and v2 + TRSF + PReLU, ArcFace both end at 20.0 %." in text
    assert "highest" not in text


def test_convergence_is_that_of_the_baselines(tmp_path):
    for seed in range(2):
        fake_run(tmp_path, "v1-relu", seed=seed, tar=0.8)
        fake_run(tmp_path, "v1-trsf-relu", seed=seed, tar=0.8)
    found = load(tmp_path)
    runs = found.table(1, "synthetic").cells["v1-relu"]
    tars = pd.concat([run.history.set_index("epoch")["tar@1e-3"] for run in runs], axis=1).mean(axis=1)
    text = str(curves.convergence(found.tables_by_track(1, 2)))
    half, three_quarters, every = (f"{100 * tars[epoch]:.1f}\u00a0%" for epoch in (2, 3, 4))
    assert f"| v1 | TAR@FAR=1e-3, ten folds | {half} | {three_quarters} | {every} |" in text
    assert text.count("Rendered faces") == 1
    rise = f"{100 * (tars[4] - tars[3]):.1f}"
    last = sum(run.history["train_accuracy"].iloc[-1] for run in runs) / len(runs)
    assert f"every baseline still gains {rise} points of TAR, and {100 * last:.1f}\u00a0% of" in text
    assert "training has not converged." in text
    assert "No baseline has finished yet." in str(curves.convergence([]))


def test_curves_that_no_longer_rise_are_not_said_to(tmp_path):
    record = fake_run(tmp_path, "v1-relu")
    rows = record.history().to_dict("records")
    record.write_history([row | {"tar@1e-3": 0.5, "learning_rate": 1e-9} for row in rows])
    flat = str(curves.convergence(load(tmp_path).tables_by_track(1)))
    assert "no baseline improves any more" in flat
    assert "not converged" not in flat


@pytest.mark.parametrize(("track", "prefix"), [("lfw", ""), ("synthetic", "all_pairs_")])
def test_the_pilot_shows_both_schedules(tmp_path, track, prefix):
    assert "has not been run" in str(curves.pilot(load(tmp_path)))
    for config, tar in zip(pilot_configs([200], track), (0.3, 0.4), strict=True):
        varied = {name: getattr(config, name) for name in ("schedule", "weight_decay", "milestones")}
        settings = budget_settings("matched-pilot", track) | {k: v for k, v in varied.items() if v}
        record = fake_run(tmp_path, "v1-relu", track=track, seed=200, **settings)
        record.write_info(metrics=record.metrics | {f"{prefix}tar@1e-2": tar, f"{prefix}tar@1e-3": 0.2})
    text = str(curves.pilot(load(tmp_path))).replace("\u00a0", " ")
    first, second = (f"{config.weight_decay:g}" for config in pilot_configs([200], track))
    assert f"| cosine | {first} | 200 | 30.0 % | 20.0 % |" in text
    assert f"| five constant rates | {second} | 200 | 40.0 % | 20.0 % |" in text
    assert "at FAR 1e-2 is 40.0 % (five constant rates) against 30.0 % (cosine)." in text
