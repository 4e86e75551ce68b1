"""Figures and the words with them come from the records, whatever these lack."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from tests.report.fakes import fake_run
from trsfnet.report import curves, figures, parameters, style, tables
from trsfnet.report.collection import Collection
from trsfnet.report.display import Exhibit, exhibit

mpl.use("agg")

GROUP_FIGURES = [
    curves.validation,
    curves.loss,
    parameters.scales_over_training,
    parameters.final_scales,
    parameters.slopes_over_training,
    parameters.final_slopes,
]


@pytest.fixture(scope="module")
def groups(tmp_path_factory):
    """Two seeds of two settings on one track; a run at its middle on the other."""
    runs = tmp_path_factory.mktemp("runs")
    for seed in range(2):
        fake_run(runs, "v1-prelu", seed=seed)
        fake_run(runs, "v1-trsf-prelu", seed=seed, tar=0.3)
    fake_run(runs, "v1-trsf-prelu", track="lfw", status="running")
    return Collection.read(runs).groups(1)


@pytest.mark.parametrize("draw", GROUP_FIGURES)
def test_exhibits_are_svg_with_words_in_the_pages_ink(groups, draw):
    for group in groups:
        shown = draw(group)
        assert isinstance(shown, Exhibit)
        element = ET.fromstring(shown.svg)
        assert element.get("role") == "img"
        assert len(element.get("aria-label")) > 40
        assert len(shown.caption) > 40
        assert "currentColor" in shown.svg
        assert style.INK not in shown.svg
        words = [text for node in element.iter() if node.tag.endswith("text") and (text := node.text)]
        assert any("poch" in word or "output" in word for word in words), "an axis must be named"
        assert draw(group).svg == shown.svg, "equal records must give equal bytes"


@pytest.mark.parametrize("draw", GROUP_FIGURES)
def test_nothing_to_draw_is_said(tmp_path, draw):
    (synthetic, _) = Collection.read(tmp_path).groups(1)
    assert "has finished an epoch yet" in str(draw(synthetic))


def test_captions_state_the_finding(groups):
    synthetic, lfw = groups
    assert "v1 + TRSF + PReLU stands highest" in curves.validation(synthetic).caption
    assert "seed 0 (running)" in curves.validation(lfw).caption
    counts = parameters.final_slopes(synthetic).caption
    assert all(int(a) + int(b) == 131 for a, b in re.findall(r"(\d+) positive and (\d+) negative", counts))
    assert "from 0.10 to" in parameters.scales_over_training(synthetic).caption


def test_the_papers_numbers_stand_beside_ours(groups):
    scales, signs = str(parameters.mean_scales(groups)), str(parameters.slope_signs(groups))
    assert "1.014" in scales
    assert "1.029" in scales
    assert "69\u00a0/\u00a062" in signs
    assert "42\u00a0/\u00a089" in signs
    assert "(running, 12 of 24 epochs done" in signs
    assert "the scales grew in 2 of 2 finished runs" in str(parameters.verdict(groups))


def test_own_runs_of_other_settings_are_drawn(tmp_path):
    fake_run(tmp_path, "v1-trsf-prelu", epochs=2)
    text = str(parameters.other_runs(Collection.read(tmp_path), 1))
    assert "epochs 2" in text
    assert "<svg" in text
    assert "\n\n<" not in text.partition("<figure")[2], "a blank line would end the raw HTML"


@pytest.mark.parametrize("track", ["synthetic", "lfw"])
def test_figures_and_summary_of_one_run(tmp_path, track):
    record = fake_run(tmp_path, "v1-trsf-prelu", track=track, tar=0.25)
    assert len(figures.training_curves(record).axes) == 2
    assert len(figures.learned_parameters(record).axes) == 3  # scales, slopes, their key
    text = str(tables.run_summary(record))
    assert "25.0\u00a0%" in text
    assert record.info["command"] in text
    assert "131 slopes" in text


def test_one_run_without_scales_slopes_or_history(tmp_path):
    record = fake_run(tmp_path, "v1-relu")
    (axes,) = figures.learned_parameters(record).axes
    assert "recorded no parameters" in axes.texts[0].get_text()
    (record.path / "history.csv").unlink()
    assert "no epoch was finished" in figures.training_curves(record).axes[0].texts[0].get_text()
    record.write_info(status="collapsed", message="The loss became nan.", metrics={})
    assert "The loss became nan." in str(tables.run_summary(record))


def test_drawing_leaves_the_readers_settings_alone(groups):
    before, open_figures = dict(mpl.rcParams), plt.get_fignums()
    curves.validation(groups[0])
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == open_figures, "an exhibit must not be shown a second time by Jupyter"


def test_alternative_text_is_escaped():
    shown = exhibit(figures.message("nothing"), alt='a "quoted" <word>', caption="a < b")
    assert ET.fromstring(shown.svg).get("aria-label") == 'a "quoted" <word>'
    assert "a &lt; b" in shown._repr_html_()
