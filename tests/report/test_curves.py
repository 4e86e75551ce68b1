"""Figures 3 and 4: what is drawn and said is in the records, and what is not there is said."""

from __future__ import annotations

import re

import matplotlib as mpl
import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import load
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
    start = "The paper's figure 3 on rendered faces (budget short: decay budget 0.06, travel 60)"
    assert text.startswith(f"{start}, TAR@FAR=1e-3, ten folds: v1 + TRSF + PReLU ends highest at ")
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
    start = r"The paper's figure 4 on rendered faces \(budget short: .*\), TAR@FAR=1e-3, ten folds: "
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
