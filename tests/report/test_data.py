"""The pages on the data count, render and compare without any data set."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from tests.report import fakes
from trsfnet.analysis import benchmarks, load
from trsfnet.report.data import lfw, overview, paper, synthetic
from trsfnet.synthetic import RENDERER_VERSION

mpl.use("agg")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def benchmark(monkeypatch, tmp_path):
    """Puts a result where the benchmarks' are looked for, in an empty folder."""
    monkeypatch.setattr(benchmarks, "RESULTS", tmp_path)

    def write(name: str, result: dict[str, object]) -> None:
        (tmp_path / f"{name}.json").write_text(json.dumps(result))

    return write


def test_the_tracks_are_counted():
    text = str(overview.tracks())
    assert "200 others, 6,000 pairs in ten folds or all 1.3\u00a0million pairs" in text
    assert "*TAR at FAR 1e-3* with `smoke`, `quick` and `short` and *TAR, all pairs at FAR 1e-3*" in text
    assert "1,163 people of LFW, 6,225 images | 1,790 others, all 8.9\u00a0million pairs" in text


def test_lfw_is_counted():
    text = str(lfw.parts())
    assert "| all of LFW | 5,749 | 13,233 | 242,257 | 87,307,271 |" in text
    assert re.search(r"test: sets 8 to 10 \| 1,790 \| 4,212 \| 156,519 \| 8,711,847 \|", text)


def test_pairs_of_a_part():
    part = lfw.Part(np.array([1, 2, 4]))
    assert part.same_pairs.tolist() == [0, 1, 6]
    assert part.different_pairs == 1 * 2 + 1 * 4 + 2 * 4


def test_one_person_makes_most_of_the_pairs():
    shown = lfw.concentration()
    assert "140,185 of the 156,519" in shown.caption
    assert "with 1 image 71.1\u00a0% of the people" in shown.alt
    for kind in ("people", "images", "same-person pairs"):
        shares = [float(share) for share in re.findall(rf"([\d.]+)\u00a0% of the {kind}\b", shown.alt)]
        assert len(shares) == 5
        assert sum(shares) == pytest.approx(100, abs=0.3)


def test_alignment_comes_from_the_benchmark(benchmark):
    assert "python -m benchmarks.align" in str(lfw.alignment())
    counts = {"found": 6, "chosen": 2, "none": 1, "failed": 1}
    benchmark("align", {"version": "funneled", "images": 10, "counts": counts})
    text = str(lfw.alignment())
    assert "10 of the 13,233 images (funneled)" in text
    assert "| several faces found, one chosen | 2 | 20.0\u00a0% |" in text


def test_the_papers_sets_say_what_became_of_them():
    rows = str(paper.sets()).splitlines()
    for name in ("VGGFace2", "MS1MV2", "IJB-B"):
        assert any(row.startswith(f"| {name}") and "withdrawn" in row for row in rows)
    assert any("LFW" in row and "| 5,749 | 13,233 | public |" in row for row in rows)


def test_factors_grow_from_nothing_to_their_extremes():
    text = str(synthetic.factors())
    assert "| yaw | 0° | −24 to 24° | −40 to 40° |" in text
    assert "| glasses | never | in 15\u00a0% of images | in 25\u00a0% of images |" in text


def test_the_contact_sheet_shows_every_nuisance_it_names():
    shown = synthetic.contact_sheet()
    element = ET.fromstring(shown.svg)
    words = [text for node in element.iter() if node.tag.endswith("text") and (text := node.text)]
    for word in ("frontal", "yaw", "pitch", "roll", "glasses", "cap", "occluder"):
        assert word in words
        assert word in shown.alt
    assert any(node.tag.endswith("image") for node in element.iter())


def test_what_differs_more_is_recognised_less(monkeypatch):
    monkeypatch.setattr(synthetic, "_FIGURE_PEOPLE", 12)
    shown = synthetic.invariance()
    assert "Raw pixels: " in shown.caption
    assert "Untrained v1: " in shown.caption


def test_recognition_is_a_share_of_same_person_pairs():
    one = np.eye(200, dtype=np.float32)
    other = one.copy()
    other[:50] = one[50:100]  # a quarter of the people look like others
    assert synthetic._recognised(one, one) == 1.0
    assert synthetic._recognised(one, other) == 0.75


@pytest.mark.parametrize("renderer", [RENDERER_VERSION, RENDERER_VERSION - 1])
def test_difficulty_comes_from_the_benchmark_of_this_renderer(benchmark, monkeypatch, tmp_path, renderer):
    result = {
        "renderer": renderer,
        "speed": {"fastest": 321.0, "size": 112},
        "detection": {"found": 987, "of": 1000, "size": 160, "difficulty": 1.0},
        "without_learning": {"tar@1e-2": {"raw pixels": 0.123}, "difficulty": 0.6, "limit": 0.2},
    }
    benchmark("rendering", result)
    monkeypatch.setitem(fakes.IMAGES, "synthetic", f"renderer-{RENDERER_VERSION}")
    fakes.fake_run(tmp_path / "runs", "v1-relu", tar=0.3)
    text = str(synthetic.difficulty(load(tmp_path / "runs")))
    if renderer == RENDERER_VERSION:
        assert "987 of 1,000" in text
        assert "12.3\u00a0%" in text
        assert "trained v1, 1 run" in text
        assert "| 45.0\u00a0% to 45.0\u00a0% | should lie in 50.0\u00a0% to 95.0\u00a0%: 0 of 1 do" in text
        assert "The task is too hard for these runs" in text
    else:
        assert "python -m benchmarks.rendering" in text


def test_schedules_state_people_and_images_of_their_training_sets():
    rows = [line for line in str(overview.schedules()).splitlines() if line.startswith("| ")]
    (full,) = (row for row in rows if row.startswith("| `full`, rendered faces |"))
    assert full.startswith("| `full`, rendered faces | 1,000 | 20,000 | 1,248 | 4.0 | cosine |")
    (papers,) = (row for row in rows if row.startswith("| The paper, VGGFace2 |"))
    assert "| constant rates |" in papers
