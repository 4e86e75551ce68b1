"""One MODEL for every command: whatever it comes as, and whatever somebody hid in it."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

import trsfnet
from tests.interop.networks import expected, images, tiny_weights
from tests.interop.onnx_files import WIDTH, others
from tests.interop.onnx_files import expected as expected_of_others
from trsfnet.cli import main
from trsfnet.errors import ConfigError, DataError
from trsfnet.interop import files
from trsfnet.interop.files import tensors_in
from trsfnet.interop.models import read_model
from trsfnet.interop.preprocessing import Preprocessing

pytestmark = pytest.mark.usefixtures("one_thread")

STATED = Preprocessing(8, 100.0, 60.0)


@pytest.mark.parametrize(
    ("wrap", "says"),
    [
        (lambda state: {"epoch": 3, "state_dict": state}, "used the weights under 'state_dict'."),
        (lambda state: {"net": {"model_state_dict": state}}, "under 'net' / 'model_state_dict'."),
        (lambda state: {"checkpoint": {"state_dict": state}}, "under 'checkpoint' / 'state_dict'."),
        (lambda state: {"arc_backbone": state, "arc_head": {"w": torch.ones(1)}}, "under 'arc_backbone'."),
        (lambda state: {"model_ema": state, "state": {"model": state}}, "under 'model_ema'."),
        (lambda state: {"optimizer": {"state": {0: {"step": torch.ones(1)}}}, "params": state}, "'params'."),
        (
            lambda state: {
                "state_dict": {f"model.{name}": value for name, value in state.items()},
                "hyper_parameters": {"lr": 0.1},
                "optimizer_states": [{"state": {}}],
                "callbacks": {},
            },
            "used the weights under 'state_dict'. face.pth: removed the prefix 'model.' from the names.",
        ),
        (
            lambda state: {f"module._orig_mod.{name}": value for name, value in state.items()},
            "removed the prefix 'module._orig_mod.' from the names.",
        ),
        (
            lambda state: {f"backbone.{n}": v for n, v in state.items()} | {"head.weight": torch.ones(1)},
            "removed the prefix 'backbone.' from the names, and left out head.weight.",
        ),
    ],
)
def test_containers_are_opened_and_prefixes_stripped_and_that_is_said(wrap, says):
    state = {"repeat_3.0.conv2d.bias": torch.arange(4.0), "conv2d_1a.conv.weight": torch.ones(2)}
    found = tensors_in(wrap(state), "face.pth")
    assert found.by_name.keys() == state.keys()
    assert all(torch.equal(found.by_name[name], value) for name, value in state.items())
    assert says in " ".join(found.notes)


def test_containers_in_which_no_network_is_the_one_meant_are_refused():
    state = {"repeat_3.0.conv2d.bias": torch.ones(4)}
    with pytest.raises(DataError, match=r"face\.pth holds several state dicts, .* 'student' and 'teacher'"):
        tensors_in({"student": state, "teacher": dict(state)}, "face.pth")
    endless: dict[str, object] = {"epoch": 3}
    endless["state_dict"] = endless
    with pytest.raises(DataError, match=r"face\.pth does not hold a state dict"):
        tensors_in(endless, "face.pth")


def test_a_torchscript_program_is_refused(tmp_path):
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "script.pt")
    with pytest.raises(DataError, match=r"script\.pt is a TorchScript program: expected the state dict"):
        files.read_tensors(tmp_path / "script.pt")


def test_a_pth_tar_is_read_and_a_module_that_was_saved_whole_is_not(tmp_path):
    state = {"module.repeat_3.0.conv2d.bias": torch.ones(2)}
    torch.save({"state_dict": state, "best": 0.5}, tmp_path / "face.pth.tar")
    assert list(files.read_tensors(tmp_path / "face.pth.tar").by_name) == ["repeat_3.0.conv2d.bias"]
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pth")
    with pytest.raises(DataError, match=r"whole\.pth contains more than tensors"):
        files.read_tensors(tmp_path / "whole.pth")


def test_our_onnx_is_a_model_like_any_other(tmp_path):
    weights = tiny_weights()
    trsfnet.export(weights, tmp_path / "tiny.onnx")
    embedder = trsfnet.load(tmp_path / "tiny.onnx")
    np.testing.assert_allclose(embedder.embed(images(3)), expected(weights, images(3)), atol=1e-4)
    assert embedder.description.metrics == {"tar@1e-3": 0.5}
    with pytest.raises(ConfigError, match="states its own preprocessing"):
        trsfnet.load(tmp_path / "tiny.onnx", preprocessing=STATED)
    with pytest.raises(ConfigError, match="tiny is already exported"):
        trsfnet.export(tmp_path / "tiny.onnx", tmp_path / "again.onnx")


@pytest.mark.parametrize(("batch", "channels"), [(None, "RGB"), (2, "BGR")])
def test_others_onnx_runs_with_the_preprocessing_that_is_stated(tmp_path, batch, channels):
    others(tmp_path / "others.onnx", batch=batch)
    stated = Preprocessing(8, 100.0, 60.0, channels=channels)
    pixels = images(3, 8)
    got = trsfnet.load(tmp_path / "others.onnx", preprocessing=stated).embed(pixels)
    bgr = channels == "BGR"
    np.testing.assert_allclose(got, expected_of_others(pixels, 100.0, 60.0, bgr=bgr), atol=1e-5)


def test_others_onnx_that_takes_pixels(tmp_path):
    others(tmp_path / "others.onnx", kind=TensorProto.UINT8)
    pixels = images(3, 8)
    for channels in ("RGB", "BGR"):
        stated = Preprocessing(8, 0, 1, channels=channels)
        got = trsfnet.load(tmp_path / "others.onnx", preprocessing=stated).embed(pixels)
        np.testing.assert_allclose(got, expected_of_others(pixels, 0, 1, bgr=channels == "BGR"), atol=1e-5)
    with pytest.raises(ConfigError, match="MEAN must be 0 and DIVISOR 1, got 100 and 60"):
        read_model(tmp_path / "others.onnx", STATED)


def test_our_onnx_that_was_trained_on_bgr_takes_rgb(tmp_path):
    weights = tiny_weights()
    bgr = replace(weights.description.preprocessing, channels="BGR")
    weights = replace(weights, description=replace(weights.description, preprocessing=bgr))
    trsfnet.export(weights, tmp_path / "tiny.onnx")
    by_torch = trsfnet.load(weights, engine="torch", precision="float32").embed(images(2))
    np.testing.assert_allclose(trsfnet.load(tmp_path / "tiny.onnx").embed(images(2)), by_torch, atol=1e-4)
    np.testing.assert_allclose(
        trsfnet.load(weights, engine="onnxruntime").embed(images(2)), by_torch, atol=1e-4
    )


def test_others_onnx_in_the_commands(tmp_path, capsys):
    others(tmp_path / "others.onnx")
    model = str(tmp_path / "others.onnx")
    assert main(["info", model, "--preprocessing", "8,127.5,128"]) == 0
    assert f"{12 * WIDTH} parameters, in an ONNX file of others" in capsys.readouterr().out
    for words, says in [
        ([], "does not state its preprocessing: give it as --preprocessing SIZE,MEAN,DIVISOR"),
        (["--preprocessing", "8,127.5"], "--preprocessing must be SIZE,MEAN,DIVISOR[,BGR], got '8,127.5'."),
        (["--preprocessing", "8,1,1,BGR,1"], "must be SIZE,MEAN,DIVISOR[,BGR], got '8,1,1,BGR,1'."),
        (["--preprocessing", "8,nan,128"], "mean must be a finite number, got nan."),
        (["--preprocessing", "8,1,inf"], "divisor must be a finite number, got inf."),
        (["--preprocessing", "-8,1,1"], "size must be at least 1 pixel, got -8."),
        (["--preprocessing", "9,127.5,128"], "takes images of 8 pixels, not of 9."),
        (["--preprocessing", "8,127.5,128,GBR"], "channels must be one of 'RGB', 'BGR', got 'GBR'."),
    ]:
        assert main(["info", model, *words]) == 2
        assert says in capsys.readouterr().err


def external(model: onnx.ModelProto, location: str, **place: int) -> None:
    """Let the weights of `others` lie in another file."""
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **place}.items():
        tensor.external_data.add(key=key, value=str(value))


def test_tensors_beside_an_onnx_are_read(tmp_path):
    model = others(tmp_path / "others.onnx")
    (tmp_path / "others.data").write_bytes(b"\0" * 8 + model.graph.initializer[0].raw_data)
    external(
        model, "others.data", offset=8, length=len(model.graph.initializer[0].raw_data) or 12 * WIDTH * 4
    )
    onnx.save(model, tmp_path / "others.onnx")
    got = trsfnet.load(tmp_path / "others.onnx", preprocessing=STATED).embed(images(2, 8))
    np.testing.assert_allclose(got, expected_of_others(images(2, 8), 100.0, 60.0), atol=1e-5)


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "sub/secret", "link", "..", "pipe"])
def test_an_onnx_reads_nothing_outside_its_folder(tmp_path, location):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    for secret in (tmp_path / "secret", folder / "sub" / "secret"):
        secret.write_bytes(b"x" * 12 * WIDTH * 4)
    (folder / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe")
    model = others(folder / "others.onnx")
    external(model, location)
    onnx.save(model, folder / "others.onnx")
    with pytest.raises(DataError, match=r"files in its own folder are read|there is no such file"):
        read_model(folder / "others.onnx", STATED)


def test_an_onnx_that_lies_is_refused(tmp_path):
    def refused(model: onnx.ModelProto, says: str) -> None:
        onnx.save(model, tmp_path / "odd.onnx")
        with pytest.raises(DataError, match=says):
            trsfnet.load(tmp_path / "odd.onnx", preprocessing=STATED).embed(images(1, 8))

    model = others(tmp_path / "odd.onnx")
    (tmp_path / "short").write_bytes(b"1234")
    external(model, "short", length=10**9)
    refused(model, "is damaged: 'short' is shorter than it says")

    model = others(tmp_path / "odd.onnx")
    model.graph.node.append(
        helper.make_node("Loop", ["", ""], ["x"], body=helper.make_graph([], "b", [], []))
    )
    refused(model, "contains a Loop, which may never end")

    model = others(tmp_path / "odd.onnx")
    model.graph.node[0].op_type = "RunThis"
    refused(model, r"onnxruntime cannot load odd\.onnx")

    model = others(tmp_path / "odd.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 5
    refused(model, r"must take images of float32 or uint8")

    (tmp_path / "odd.onnx").write_bytes(b"\x08\x08no protobuf")
    with pytest.raises(DataError, match="is damaged or not an ONNX file"):
        read_model(tmp_path / "odd.onnx", STATED)


def test_the_tensors_of_a_safetensors_whose_header_lies_are_not_read(tmp_path):
    header = b'{"x":{"dtype":"F32","shape":[4],"data_offsets":[0,1000000]}}'
    (tmp_path / "lies.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"1234")
    (tmp_path / "long.safetensors").write_bytes((2**62).to_bytes(8, "little") + header)
    for name in ("lies", "long"):
        with pytest.raises(DataError, match=rf"{name}\.safetensors is damaged"):
            read_model(tmp_path / f"{name}.safetensors")
