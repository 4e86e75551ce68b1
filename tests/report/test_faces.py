"""The page about the data counts, renders and compares without any data set."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from tests.report import fakes
from trsfnet.data.synthetic import RENDERER_VERSION
from trsfnet.report import faces
from trsfnet.report.collection import Collection

mpl.use("agg")
pytestmark = pytest.mark.usefixtures("one_thread")


def test_sizes_are_counted():
    text = str(faces.sizes())
    assert re.search(r"`synthetic` \| verified \| 200 \| 1,600", text)
    assert "5,749 people, 13,233 images" in text


def test_the_contact_sheet_shows_every_nuisance_it_names():
    shown = faces.contact_sheet()
    element = ET.fromstring(shown.svg)
    words = [text for node in element.iter() if node.tag.endswith("text") and (text := node.text)]
    for word in ("frontal", "yaw", "pitch", "roll", "glasses", "cap", "occluder"):
        assert word in words
        assert word in shown.alt
    assert any(node.tag.endswith("image") for node in element.iter())


def test_what_differs_more_is_recognised_less(monkeypatch):
    monkeypatch.setattr(faces, "_FIGURE_PEOPLE", 12)
    shown = faces.invariance()
    assert "Raw pixels: " in shown.caption
    assert "Untrained v1: " in shown.caption


def test_recognition_is_a_share_of_same_person_pairs():
    one = np.eye(200, dtype=np.float32)
    other = one.copy()
    other[:50] = one[50:100]  # a quarter of the people look like others
    assert faces._recognised(one, one) == 1.0
    assert faces._recognised(one, other) == 0.75


@pytest.mark.parametrize("renderer", [RENDERER_VERSION, RENDERER_VERSION - 1])
def test_difficulty_comes_from_the_benchmark_of_this_renderer(monkeypatch, tmp_path, renderer):
    result = {
        "renderer": renderer,
        "speed": {"fastest": 321.0, "size": 112},
        "detection": {"found": 987, "of": 1000, "size": 160, "difficulty": 1.0},
        "without_learning": {"tar@1e-2": {"raw pixels": 0.123}, "difficulty": 0.6, "limit": 0.2},
    }
    (tmp_path / "rendering.json").write_text(json.dumps(result))
    monkeypatch.setattr(faces, "BENCHMARK", tmp_path / "rendering.json")
    monkeypatch.setitem(fakes.IMAGES, "synthetic", f"renderer-{RENDERER_VERSION}")
    fakes.fake_run(tmp_path / "runs", "v1-relu", tar=0.3)
    text = str(faces.difficulty(Collection.read(tmp_path / "runs")))
    if renderer == RENDERER_VERSION:
        assert "987 of 1,000" in text
        assert "12.3\u00a0%" in text
        assert "trained v1, 1 run" in text
    else:
        assert "python -m benchmarks.rendering" in text
