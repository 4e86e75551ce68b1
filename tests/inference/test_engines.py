"""Engines give the same embeddings, and graphs are read only from where this user put them."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

import trsfnet
from tests.experiments.untrained import write_run
from tests.interop.networks import images, tiny_weights
from trsfnet.errors import ConfigError, DataError
from trsfnet.inference import engines, graphs
from trsfnet.inference.embedder import Embedder
from trsfnet.interop.weights import read_weights

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def model(tmp_path, monkeypatch):
    """The smallest network in a file, and a cache of the user's own."""
    monkeypatch.setenv("TRSFNET_CACHE", str(tmp_path / "cache"))
    (tmp_path / "model").mkdir()
    trsfnet.export(tiny_weights(), tmp_path / "model" / "tiny.safetensors")
    return tmp_path / "model" / "tiny.safetensors"


def kept(model) -> list:
    return list(model.parent.glob(".trsfnet-*.onnx"))


@pytest.fixture
def made(monkeypatch) -> list:
    """Notes every graph that is made."""
    found, build = [], graphs.build_graph

    def noted(*arguments, **options):
        found.append(arguments)
        return build(*arguments, **options)

    monkeypatch.setattr(graphs, "build_graph", noted)
    return found


def test_engines_agree_and_the_graph_is_made_once(model, made):
    pixels = images(3)
    by_torch = trsfnet.load(model, engine="torch", precision="float32")
    assert not made
    first, second = (trsfnet.load(model, engine="onnxruntime") for _ in range(2))
    assert (by_torch.engine.name, first.engine.name) == ("torch", "onnxruntime")
    assert len(made) == len(kept(model)) == 1
    for embedder in (first, second):
        np.testing.assert_allclose(embedder.embed(pixels), by_torch.embed(pixels), atol=1e-4)


def test_a_graph_that_this_user_did_not_make_is_not_read(model, made):
    honest = trsfnet.load(model, engine="onnxruntime").embed(images(1))
    (file,) = kept(model)
    trsfnet.export(tiny_weights(residual_scale="fixed"), model.parent / "other.onnx")
    file.write_bytes((model.parent / "other.onnx").read_bytes())  # as another's archive could hold it
    np.testing.assert_array_equal(trsfnet.load(model, engine="onnxruntime").embed(images(1)), honest)
    assert len(made) == 2
    (note,) = (model.parent.parent / "cache" / "graphs").glob("*.sha256")
    note.chmod(0o666)  # anybody could have written it
    trsfnet.load(model, engine="onnxruntime")
    assert len(made) == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_folder_that_cannot_be_written_to_has_its_graph_in_the_users_cache(model, made):
    model.parent.chmod(0o555)
    for _ in range(2):
        trsfnet.load(model, engine="onnxruntime")
    model.parent.chmod(0o755)
    assert len(made) == 1
    assert not kept(model)


def test_a_run_keeps_the_graph_of_its_last_network_alone(tmp_path, tiny_config, monkeypatch):
    monkeypatch.setenv("TRSFNET_CACHE", str(tmp_path / "cache"))
    run, _ = write_run(tmp_path / "runs", tiny_config)
    earlier = run / "checkpoints" / ".trsfnet-0123456789abcdef-1.onnx"
    earlier.write_bytes(b"of an earlier epoch")
    trsfnet.load(run, engine="onnxruntime")
    (kept_one,) = (run / "checkpoints").glob(".trsfnet-*.onnx")
    assert kept_one != earlier


def test_the_default_type_of_pytorch_does_not_matter(model, made):
    before = trsfnet.load(model, engine="torch", precision="float32").embed(images(2))
    torch.set_default_dtype(torch.float64)
    try:
        for engine in ("onnxruntime", "torch"):
            found = trsfnet.load(model, engine=engine, precision="float32").embed(images(2))
            np.testing.assert_allclose(found, before, atol=1e-4)
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_graph_that_cannot_be_loaded_is_not_kept(model, monkeypatch):
    def damaged(*arguments, **options):
        graph = build(*arguments, **options)
        graph.graph.node[0].op_type = "Nothing"
        return graph

    build = graphs.build_graph
    monkeypatch.setattr(graphs, "build_graph", damaged)
    with pytest.raises(DataError, match="onnxruntime cannot load tiny"):
        trsfnet.load(model, engine="onnxruntime")
    assert not kept(model)


def test_where_nothing_can_be_kept_the_graph_is_made_each_time(model, made, monkeypatch):
    def refused(*_):
        raise OSError("read-only")

    monkeypatch.setattr(graphs, "_write", refused)
    for number in (1, 2):
        trsfnet.load(model, engine="onnxruntime")
        assert len(made) == number
    assert not kept(model)


def test_a_network_is_not_built_where_its_graph_is_kept(model, monkeypatch):
    trsfnet.load(model, engine="onnxruntime")
    monkeypatch.setattr(graphs, "folded", None)
    trsfnet.load(model, engine="onnxruntime")


def test_auto_takes_what_is_fast_here(model, monkeypatch):
    weights = read_weights(model)
    cpu = {"device": "cpu"}
    assert Embedder(weights, **cpu, precision="float32").engine.name == "onnxruntime"
    assert Embedder(weights, **cpu, precision="bfloat16").engine.name == "torch"
    monkeypatch.setattr(engines, "best_precision", lambda _: "bfloat16")  # as with AMX
    assert Embedder(weights, **cpu).engine.name == "torch"
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda name: None)
    assert Embedder(weights, **cpu, precision="float32").engine.name == "torch"
    with pytest.raises(ConfigError, match=r"needs onnx and onnxruntime: pip install 'trsfnet\[export\]'"):
        Embedder(weights, engine="onnxruntime")


def test_what_does_not_go_together_is_named(model):
    for options, says in [
        ({"engine": "tensorrt"}, "engine must be one of 'auto', 'torch', 'onnxruntime', got 'tensorrt'"),
        ({"engine": "onnxruntime", "precision": "bfloat16"}, "onnxruntime computes in float32 here, got the"),
        ({"engine": "onnxruntime", "device": "nowhere"}, "device must be available here"),
    ]:
        with pytest.raises(ConfigError, match=says):
            trsfnet.load(model, **options)
    trsfnet.export(model, model.with_suffix(".onnx"))
    with pytest.raises(ConfigError, match="tiny runs only in onnxruntime"):
        trsfnet.load(model.with_suffix(".onnx"), engine="torch")


def test_a_generator_of_faces_with_progress(model, capsys):
    embedder = trsfnet.load(model)
    pixels = images(5)
    got = embedder.embed((face for face in pixels), batch_size=2, progress=True)
    np.testing.assert_allclose(got, embedder.embed(pixels), atol=1e-6)
    assert "embedding" in capsys.readouterr().err
    assert isinstance(got, np.ndarray)
    assert not isinstance(got, torch.Tensor)
