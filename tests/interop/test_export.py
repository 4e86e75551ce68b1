"""Exported files compute the same elsewhere and say what they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors
import torch

import trsfnet
from tests.experiments.untrained import write_run
from tests.interop.networks import expected, images, tiny_weights
from trsfnet.data.tracks import TRACKS, TRAIN_SETS
from trsfnet.errors import ConfigError, DataError
from trsfnet.interop.description import CROPS, DATA_TERMS, Description
from trsfnet.interop.int8 import Loss
from trsfnet.interop.weights import Weights
from trsfnet.models.folding import fold

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def weights() -> Weights:
    return tiny_weights()


def assert_others_may_read(file: Path) -> None:
    """As the umask has it, like the card beside it."""
    assert file.stat().st_mode & 0o777 == file.with_suffix(".md").stat().st_mode & 0o777


def test_safetensors_come_back_whole(weights, tmp_path):
    file = tmp_path / "tiny.safetensors"
    assert trsfnet.export(weights, file) == tmp_path / "tiny.md"
    again = trsfnet.read_weights(file)
    assert again.description == weights.description
    assert again.state.keys() == weights.state.keys()
    assert all(torch.equal(again.state[name], value) for name, value in weights.state.items())
    with safetensors.safe_open(file, framework="np") as opened:
        header = opened.metadata()
    assert json.loads(header["architecture"])["activation"] == "prelu"
    assert json.loads(header["preprocessing"])["divisor"] == 128.0
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.safetensors", "tiny.md"}
    assert_others_may_read(file)


def test_onnx_agrees_for_any_number_of_images(tmp_path):
    weights = tiny_weights()
    file = tmp_path / "tiny.onnx"
    trsfnet.export(weights, file)
    session = onnxruntime.InferenceSession(file)
    (given,) = session.get_inputs()
    assert (given.name, given.type, given.shape) == ("images", "tensor(uint8)", ["batch", 75, 75, 3])
    pixels = images(3)
    for count in (1, 3):
        (got,) = session.run(None, {"images": pixels[:count]})
        np.testing.assert_allclose(got, expected(weights, pixels[:count]), atol=1e-4)
    header = session.get_modelmeta().custom_metadata_map
    assert json.loads(header["preprocessing"])["channels"] == "RGB"
    assert header["input"].startswith("images: uint8 [N, 75, 75, 3], RGB, 0 to 255")
    assert "BatchNormalization" not in {node.op_type for node in onnx.load(file).graph.node}
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument, match="uint8"):
        session.run(None, {"images": pixels.astype(np.float32)})


def test_the_only_other_layer_of_v2_agrees_in_onnx(tmp_path):
    """Its average leaves the padding out."""
    part = fold(tiny_weights(version="v2").build()).features.mixed_5b
    x = torch.randn(2, part.branches[0].conv.in_channels, 7, 7).abs()
    torch.onnx.export(part, (x,), tmp_path / "part.onnx", dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "part.onnx")
    (got,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    np.testing.assert_allclose(got, part(x).numpy(), atol=1e-4)


def test_a_program_of_torch_export(weights, tmp_path):
    trsfnet.export(weights, tmp_path / "tiny.pt2")
    assert_others_may_read(tmp_path / "tiny.pt2")
    files = {"trsfnet.json": ""}
    program = torch.export.load(tmp_path / "tiny.pt2", extra_files=files)
    pixels = images(3)
    for count in (1, 3):
        got = program.module()(torch.from_numpy(pixels[:count])).numpy()
        np.testing.assert_allclose(got, expected(weights, pixels[:count]), atol=1e-5)
    assert json.loads(files["trsfnet.json"])["name"] == "tiny"
    with pytest.raises(RuntimeError, match="dtype mismatch"):
        program.module()(torch.from_numpy(pixels) / 255)
    assert "(pixel - 127.5) / 128, by the network in the file" in (tmp_path / "tiny.md").read_text()


def test_a_run_with_its_card(tmp_path, tiny_config):
    run, _ = write_run(tmp_path / "runs", tiny_config)
    info = json.loads((run / "run.json").read_text())
    train = {"identities": 8, "images": 1234, "size": 75, "fingerprint": "0"}
    info |= {"metrics": {"tar@1e-3": 0.25}, "data": {"train": train}, "source_hash": "abc"}
    (run / "run.json").write_text(json.dumps(info))
    text = trsfnet.export(run, tmp_path / "face.safetensors").read_text()
    for words in (
        f"# {tiny_config.run_id}",
        "| residual scales | 20 trainable |",
        "131 trainable slopes",
        "(pixel - 127.5) / 128, by `trsfnet.load`",
        "| images | 1,234 of 8 people |",
        "| track | synthetic |",
        "| tar@1e-3 | 0.2500 |",
        "show nobody",
        'trsfnet.load("face.safetensors")',
    ):
        assert words in text, words
    assert trsfnet.read_weights(tmp_path / "face.safetensors").description.training["source_hash"] == "abc"


def test_every_track_says_how_its_faces_are_cropped_and_on_what_terms_they_are():
    assert set(CROPS) == {*TRACKS, *TRAIN_SETS} - {"paper"}
    assert set(CROPS) <= set(DATA_TERMS)


def test_made_trainable_and_trained_weights_are_exported(tmp_path):
    weights = tiny_weights(residual_scale="fixed", activation="relu").made_trainable(
        trsf=True, activation="prelu"
    )
    network = weights.build()
    with torch.no_grad():
        network.block35[0].up.scale.fill_(0.7)
    trsfnet.export(replace(weights, state=network.state_dict()), tmp_path / "mine.safetensors")
    again = trsfnet.load_network(tmp_path / "mine.safetensors")
    assert again.block35[0].up.scale.item() == pytest.approx(0.7)


FULL_DISK = """
import resource, sys
from pathlib import Path
import trsfnet
from trsfnet.errors import DataError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    trsfnet.export(Path(sys.argv[1]), Path(sys.argv[2]))
except DataError as error:
    print(error)
"""


@pytest.mark.parametrize("suffix", [".safetensors", ".pt2"])
def test_a_full_disk_ends_in_a_sentence_and_leaves_nothing(weights, tmp_path, suffix):
    trsfnet.export(weights, tmp_path / "whole.safetensors")
    folder = tmp_path / "full"
    folder.mkdir()
    words = [sys.executable, "-c", FULL_DISK, str(tmp_path / "whole.safetensors"), str(folder / f"t{suffix}")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.stdout == f"Cannot write to {folder}/t{suffix}: File too large.\n", done.stderr
    assert not list(folder.iterdir())


def test_names_that_cannot_be_written(weights, tmp_path):
    with pytest.raises(DataError, match=r"must be UTF-8, got .*caf%E9\.pt2"):
        trsfnet.export(weights, tmp_path / "caf\udce9.pt2")
    for name in (f"{'n' * 250}.safetensors", f"{'n' * 300}/tiny.pt2"):
        with pytest.raises(DataError, match=r"Cannot write to .*: File name too long"):
            trsfnet.export("no weights are read", tmp_path / name)
    with pytest.raises(DataError, match=r"Cannot write to .*: embedded null byte"):
        trsfnet.export("no weights are read", tmp_path / "a\0b.pt2")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_said(weights, tmp_path):
    with pytest.raises(ConfigError, match=r"must end in one of \.safetensors, \.onnx, \.pt2, got "):
        trsfnet.export(weights, tmp_path / "tiny.h5")
    with pytest.raises(DataError, match=r"There is no folder .*nowhere to write to"):
        trsfnet.export(weights, tmp_path / "nowhere" / "tiny.safetensors")
    (tmp_path / "tiny.safetensors").mkdir()
    with pytest.raises(DataError, match=r"Cannot write to .*tiny\.safetensors: it is a folder"):
        trsfnet.export(weights, tmp_path / "tiny.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.safetensors"]
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(DataError, match=r"Cannot write to .*pipe\.onnx: it is a device or a pipe"):
        trsfnet.export(weights, tmp_path / "pipe.onnx")
    assert (tmp_path / "pipe.onnx").is_fifo()


RUN = {"track": "lfw", "config": {}}


@pytest.mark.parametrize(
    ("part", "changes", "says"),
    [
        ("architecture", {"version": "v9"}, "version must be one of 'v1', 'v2', got 'v9'"),
        ("architecture", {"version": None}, "version must be text, got None"),
        ("architecture", {"depth": 3}, "architecture has the unknown setting 'depth'"),
        ("architecture", {"width": float("inf")}, "width must be a finite number, got inf"),
        ("architecture", {"width": 1e12}, "architecture describes a network that exceeds any memory"),
        ("architecture", {"embedding_size": 10**30}, "architecture describes a network that exceeds any"),
        ("architecture", {"input_size": 80.5}, "input_size must be a whole number, got 80.5"),
        ("architecture", {"bn_gamma": "no"}, "bn_gamma must be true or false, got 'no'"),
        ("architecture", {"slope_init": "steep"}, "slope_init must be a finite number, got 'steep'"),
        ("architecture", {"fixed_scales": 0.1}, "fixed_scales must be a list, got 0.1"),
        ("architecture", {"fixed_scales": ["x"]}, "fixed_scales must be a finite number, got 'x'"),
        (
            "architecture",
            {"fixed_scales": [0.1], "residual_scale": "fixed"},
            "fixed_scales of v1 must have 20 numbers, got 1",
        ),
        ("architecture", {"scale_init": "small"}, "scale_init must be a finite number, got 'small'"),
        ("preprocessing", {"size": 0}, "size must be at least 1 pixel, got 0"),
        ("preprocessing", {"size": 41}, "size must be 75 to 4096 pixels, got 41"),
        ("preprocessing", {"size": 10**7}, "size must be 75 to 4096 pixels, got 10000000"),
        ("preprocessing", {"size": "big"}, "size must be a whole number, got 'big'"),
        ("preprocessing", {"mean": True}, "mean must be a finite number, got True"),
        ("preprocessing", {"mean": 10**400}, "mean must be a finite number, got 1000"),
        ("preprocessing", {"divisor": 0}, "divisor must not be 0"),
        ("preprocessing", {"crop": 3}, "crop must be text, got 3"),
        ("training", {"seed": 1}, "training: track must be text, got None"),
        ("training", {"track": "lfw"}, "training: config must be a JSON object, got None"),
        ("training", {**RUN, "data": 3}, "training: data must be a JSON object, got 3"),
        ("training", {**RUN, "data": {"train": 3}}, "training: data: train must be a JSON object, got 3"),
        (
            "training",
            {**RUN, "data": {"train": {"images": 9, "identities": "x"}}},
            "training: data: train: identities must be a whole number, got 'x'",
        ),
        ("metrics", {"tar@1e-3": "much"}, "metrics: tar@1e-3 must be a finite number, got 'much'"),
        ("thresholds", {"1e-3": float("nan")}, "thresholds: 1e-3 must be a finite number, got nan"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused_by_its_field(weights, part, changes, says):
    header = weights.description.to_metadata()
    header[part] = json.dumps(json.loads(header[part]) | changes)
    with pytest.raises(DataError) as refused:
        Description.from_metadata(header, "odd.safetensors")
    assert str(refused.value).startswith(f"The header of odd.safetensors does not describe a network: {says}")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"architecture": "[]"},
            r"odd\.safetensors does not .* architecture must be a JSON object, got \[\]",
        ),
        ({"metrics": "{"}, r"metrics must be a JSON object, got '\{'"),
        ({"preprocessing": "{}"}, r"size must be a whole number, got None"),
        ({"schema": "2"}, r"has format 2, but this version of trsfnet reads 1"),
    ],
)
def test_a_header_that_is_not_ours_is_refused(weights, tmp_path, changes, says):
    from safetensors.torch import save_file

    header = weights.description.to_metadata() | changes
    save_file(dict(weights.state), tmp_path / "odd.safetensors", header)
    with pytest.raises(DataError, match=says):
        trsfnet.load_network(tmp_path / "odd.safetensors")


@pytest.mark.parametrize("settings", [{"width": 1e6}, {"embedding_size": 10**9}])
def test_a_network_far_larger_than_its_tensors_takes_no_memory(weights, settings):
    described = replace(weights.description, settings={**weights.description.settings, **settings})
    with pytest.raises(
        DataError, match="tiny is not an Inception-ResNet v1 as described: it has the misshapen"
    ):
        Weights(described, weights.state).build()


def test_the_loss_of_an_int8_file_is_checked(weights):
    loss = Loss("tar@1e-3", 0.9, 0.8, 0.95, 0.89, 256).to_dict()
    header = weights.description.to_metadata()
    training = {"track": "lfw", "config": {}}
    for changed, says in (
        (loss | {"int8": "high"}, "training: int8: int8 must be a finite number"),
        (loss | {"more": 1}, "training: int8 must have the fields metric, float32, low, high, int8, faces"),
        (1, "training: int8 must be a JSON object"),
    ):
        with pytest.raises(DataError, match=says):
            Description.from_metadata(
                header | {"training": json.dumps(training | {"int8": changed})}, "a.onnx"
            )
    found = Description.from_metadata(header | {"training": json.dumps(training | {"int8": loss})}, "a.onnx")
    assert Loss(**found.training["int8"]).faces == 256


def test_a_missing_part_of_a_header_is_named(weights):
    for part in ("name", "origin", "architecture", "licence_of_the_data", "thresholds"):
        header = weights.description.to_metadata()
        del header[part]
        with pytest.raises(DataError, match=f"does not describe a network: {part} is missing"):
            Description.from_metadata(header, "odd.safetensors")


def test_two_exports_at_once_keep_out_of_each_others_way(weights, tmp_path, monkeypatch):
    """The second begins and ends while the first is about to put its files in place."""
    whole, second = os.replace, []

    def replaced(source, target):
        if not second:
            second.append(trsfnet.export)
            trsfnet.export(weights, tmp_path / "tiny.safetensors")
        whole(source, target)

    monkeypatch.setattr(os, "replace", replaced)
    trsfnet.export(weights, tmp_path / "tiny.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.md", "tiny.safetensors"]


def test_the_longest_name_has_a_card_too(weights, tmp_path):
    file = tmp_path / f"{'n' * 243}.safetensors"
    assert trsfnet.export(weights, file).is_file()
    assert sorted(tmp_path.iterdir()) == sorted([file, file.with_suffix(".md")])


def test_a_card_that_cannot_be_written_leaves_nothing_aside(weights, tmp_path):
    (tmp_path / "tiny.md").mkdir()
    with pytest.raises(DataError, match=r"Cannot write to .*tiny\.md: it is a folder"):
        trsfnet.export(weights, tmp_path / "tiny.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.md"]
