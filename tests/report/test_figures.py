"""Figures and the words with them come from the records, whatever these lack."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.analysis.run import Run
from trsfnet.report import curves, run_summary, scales, slopes, starts, style
from trsfnet.report.display import Picture, picture

mpl.use("agg")

GROUP_FIGURES = [
    lambda found: curves.over_training([found.table(1, "synthetic"), found.table(2, "synthetic")], 3),
    lambda found: curves.over_training([found.table(3, "synthetic")], 4),
    lambda found: scales.over_training([found.table(1, "synthetic"), found.table(2, "synthetic")]),
    lambda found: [scales.after_training(found.table(1, "synthetic"), 6)],
    lambda found: slopes.over_training(found.table(1, "synthetic")),
    lambda found: [slopes.after_training(found.table(1, "synthetic"), 9)],
    lambda found: starts.after_training(found.table(6, "synthetic")),
    lambda found: [starts.over_training(found.table(6, "synthetic"))],
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A run for every figure."""
    runs = tmp_path_factory.mktemp("runs")
    fake_run(runs, "v1-trsf-prelu")
    fake_run(runs, "v2-prelu")
    fake_run(runs, "v2-prelu", loss="arcface")
    return load(runs)


@pytest.mark.parametrize("draw", GROUP_FIGURES)
def test_exhibits_are_svg_with_words_in_the_pages_ink(found, draw):
    shown, *_ = draw(found)
    assert isinstance(shown, Picture)
    element = ET.fromstring(shown.svg)
    assert element.get("role") == "img"
    assert len(element.get("aria-label")) > 40
    assert re.match(r"Our version of figure \d+, on rendered faces", shown.caption)
    assert "currentColor" in shown.svg
    assert style.INK not in shown.svg
    words = [text for node in element.iter() if node.tag.endswith("text") and (text := node.text)]
    assert {"Epoch", "TRSF after training", "Slope α", "Slope α after training"} & set(words), "name the axes"


def test_other_constants_are_drawn_unlike_facenets():
    original = style.look("v2-relu")
    assert style.look("v2-scales0.1-relu") == style.look("v1-scale0.1-relu") != original


def test_equal_records_give_equal_bytes(found):
    draw = GROUP_FIGURES[3]
    assert draw(found)[0].svg == draw(found)[0].svg


@pytest.mark.parametrize("draw", GROUP_FIGURES)
def test_nothing_to_draw_is_said(tmp_path, draw):
    (words,) = draw(load(tmp_path))
    assert re.match(
        r"Our version of figure \d+, on rendered faces: no run of v[12].* has finished", str(words)
    )


@pytest.mark.parametrize("track", ["synthetic", "lfw"])
def test_figures_and_summary_of_one_run(tmp_path, track):
    run = Run(fake_run(tmp_path, "v1-trsf-prelu", track=track, tar=0.25))
    assert len(run_summary.training_curves(run).axes) == 2
    assert len(run_summary.learned_parameters(run).axes) == 3  # scales, slopes, their key
    text = str(run_summary.summary(run))
    assert "25.0\u00a0%" in text
    assert run.info["command"] in text
    assert "131 slopes" in text


def test_one_run_without_scales_slopes_or_history(tmp_path):
    record = fake_run(tmp_path, "v1-relu")
    (axes,) = run_summary.learned_parameters(Run(record)).axes
    assert "recorded no parameters" in axes.texts[0].get_text()
    (record.path / "history.csv").unlink()
    assert "no epoch has finished" in run_summary.training_curves(Run(record)).axes[0].texts[0].get_text()
    record.write_info(status="collapsed", message="The loss became nan.", metrics={})
    assert "The loss became nan." in str(run_summary.summary(Run(record)))


def test_drawing_leaves_the_readers_settings_alone(found):
    before, open_figures = dict(mpl.rcParams), plt.get_fignums()
    scales.after_training(found.table(1, "synthetic"), 6)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == open_figures, "an exhibit must not be shown a second time by Jupyter"


def test_alternative_text_is_escaped():
    shown = picture(plt.figure(), alt='a "quoted" <word>', caption="a < b")
    assert ET.fromstring(shown.svg).get("aria-label") == 'a "quoted" <word>'
    assert "a &lt; b" in shown.html()
