"""A network in 8-bit integers is calibrated and measured on its track, and refused if it loses too much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import trsfnet
from tests.interop.networks import images, tiny_weights
from trsfnet.cli import main
from trsfnet.errors import ConfigError
from trsfnet.interop import int8
from trsfnet.interop.int8 import Loss
from trsfnet.interop.models import read_model

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def model(tmp_path, tiny_config, tiny_data, monkeypatch):
    """A file exported from a run, whose track has the tiny faces."""
    monkeypatch.setattr(int8, "load_track", lambda track, **_: tiny_data)
    weights = tiny_weights()
    training = {"track": "synthetic", "config": tiny_config.recorded}
    file = tmp_path / "tiny.safetensors"
    trsfnet.export(replace(weights, description=replace(weights.description, training=training)), file)
    return file


def test_the_file_is_small_agrees_and_says_what_it_costs(model, tmp_path, capsys):
    file, exact = tmp_path / "int8.onnx", tmp_path / "float32.onnx"
    assert main(["export", str(model), str(file), "--int8"]) == 0
    trsfnet.export(model, exact)
    assert file.stat().st_size < 0.6 * exact.stat().st_size
    pixels = images(4)
    embedders = [trsfnet.load(path) for path in (file, exact)]
    assert [embedder.engine.precision for embedder in embedders] == ["int8", "float32"]
    ours, theirs = (embedder.embed(pixels) for embedder in embedders)
    assert 0.9 < (ours * theirs).sum(axis=1).min() < 1 - 1e-6
    description = read_model(file).description
    assert description.name == "tiny-int8"
    loss = Loss(**description.training["int8"])
    assert loss.kept
    assert (loss.faces, loss.int8) == (64, description.metrics["tar@1e-3"])
    assert set(description.thresholds) <= {"1e-1", "1e-2", "1e-3", "1e-4"}
    assert capsys.readouterr().out.splitlines()[-1] == str(loss)
    assert str(loss) in file.with_suffix(".md").read_text()


def test_what_leaves_the_interval_is_refused(model, tmp_path, monkeypatch):
    calibrated = int8.calibrated
    # Black pictures tell nothing about the range of activations.
    monkeypatch.setattr(int8, "calibrated", lambda graph, faces: calibrated(graph, np.zeros_like(faces)))
    narrow = Loss("tar@1e-3", 0.9, 0.85, 0.95, 0.5, 64)
    monkeypatch.setattr(Loss, "kept", property(lambda loss: loss.int8 == narrow.float32))
    with pytest.raises(
        ConfigError, match=r"tiny loses too much in 8-bit integers\. On the track's test faces tar@"
    ):
        trsfnet.export(model, tmp_path / "int8.onnx", int8=True)
    assert not list(tmp_path.glob("*.onnx"))
    assert str(narrow).endswith("0.9000 in float32, outside the interval of the latter, 0.8500 to 0.9500.")


def test_what_cannot_be_calibrated_is_one_sentence(model, tmp_path):
    with pytest.raises(ConfigError, match=r"Only an \.onnx file can be in int8"):
        trsfnet.export(model, tmp_path / "int8.pt2", int8=True)
    with pytest.raises(
        ConfigError, match="int8 is calibrated on the faces of a run's track, but tiny is not from a run"
    ):
        trsfnet.export(tiny_weights(), tmp_path / "int8.onnx", int8=True)
