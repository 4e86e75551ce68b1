"""`trsfnet verify`, `export` and `info` as a user meets them."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import safetensors
from PIL import Image

import trsfnet
from tests.experiments.untrained import write_run
from tests.interop.networks import images, tiny_weights
from trsfnet.cli import main
from trsfnet.experiments.record import read_record

ARCHIVE = Path(os.environ.get("TRSFNET_DATA", "nowhere"), "lfw", "lfw-deepfunneled.tar")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def run(tmp_path, tiny_config) -> str:
    """A run of which one in a hundred pairs of different people is more similar than 0."""
    path, _ = write_run(tmp_path, tiny_config)
    same = np.arange(2000) < 1000
    scores = np.where(same, 1, np.where(np.arange(2000) < 1010, 0.9, -0.9)).astype(np.float32)
    fold = np.tile(np.arange(10), 200).astype(np.int8)
    read_record(path).write_scores(
        {"score": scores, "same": same, "fold": fold, "left": np.arange(2000), "right": np.arange(2000)}
    )
    return str(path)


@pytest.fixture
def faces(tmp_path) -> list[str]:
    for name, pixels in zip("ab", images(2), strict=True):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    return [str(tmp_path / "a.png"), str(tmp_path / "b.png")]


def test_verify_prints_a_decision_that_flips_with_the_threshold(run, faces, capsys):
    command = ["verify", run, *faces, "--images", "crop"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["a"], found["b"]) == tuple(faces)
    for step, words in ((-1e-4, "the same person"), (1e-4, "different people")):
        assert main([*command, f"--threshold={found['similarity'] + step}"]) == 0
        assert capsys.readouterr().out.endswith(f": {words}.\n")


def test_verify_takes_its_threshold_from_the_scores_at_the_far(run, faces, capsys):
    limits = {}
    for far in ("1e-3", "2e-2"):
        assert main(["verify", run, *faces, "--images", "crop", "--json", "--far", far]) == 0
        limits[far] = json.loads(capsys.readouterr().out)["threshold"]
    assert limits == {"1e-3": pytest.approx(0.9), "2e-2": pytest.approx(-0.9)}


def test_the_python_api_gives_the_same(run, faces, capsys):
    assert main(["verify", run, *faces, "--images", "crop", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    decision = trsfnet.verify(run, *faces, images="crop")
    assert decision.to_dict() == {name: found[name] for name in ("similarity", "threshold", "far", "same")}
    a, b = trsfnet.load(run, precision="float32").embed(faces)
    assert float(a @ b) == pytest.approx(found["similarity"], abs=1e-6)


@pytest.mark.skipif(not ARCHIVE.is_file(), reason="TRSFNET_DATA names no folder with the real LFW")
def test_a_real_pair_of_lfw_whose_faces_mtcnn_finds(run, tmp_path, capsys):
    with tarfile.open(ARCHIVE) as archive:
        photographs = [tmp_path / f"Aaron_Peirsol_000{number}.jpg" for number in (1, 2)]
        for path in photographs:
            path.write_bytes(archive.extractfile(f"lfw-deepfunneled/Aaron_Peirsol/{path.name}").read())
    assert main(["verify", run, *map(str, photographs), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert trsfnet.verify(run, *photographs).similarity == found["similarity"]
    assert found["similarity"] != trsfnet.verify(run, *photographs, images="lfw").similarity
    assert main(["verify", run, str(photographs[0]), str(photographs[0])]) == 0
    assert capsys.readouterr().out.startswith(
        "Similarity 1.000, above the threshold 0.900 of this run at FAR 1e-3"
    )


def test_export_names_what_it_wrote(run, tmp_path, capsys):
    file = tmp_path / "tiny.safetensors"
    assert main(["export", run, str(file)]) == 0
    assert capsys.readouterr().out.startswith(f"wrote {file} (")
    assert file.with_suffix(".md").is_file()
    assert not list(tmp_path.glob(".*"))


def test_what_was_exported_keeps_its_name_and_can_be_embedded_with(run, tmp_path, faces):
    assert main(["export", run, str(tmp_path / "tiny.safetensors")]) == 0
    with safetensors.safe_open(tmp_path / "tiny.safetensors", framework="pt") as file:
        assert file.metadata()["name"] == read_record(tmp_path / "synthetic" / run.split("/")[-1]).run_id
    embedded = (trsfnet.load(source).embed(faces) for source in (run, tmp_path / "tiny.safetensors"))
    np.testing.assert_array_equal(*embedded)


@pytest.mark.parametrize(
    ("model", "scales", "slopes", "parameters"),
    [("v1", 20, 131, 23_467_975), ("v2", 40, 243, 55_063_419)],
)
def test_info_counts_the_papers_networks(model, scales, slopes, parameters, capsys):
    assert main(["info", model, "--json", "--size", "112"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["trainable_scales"], found["trainable_slopes"]) == (scales, slopes)
    assert found["activations"] == slopes
    assert found["parameters"] == parameters == sum(stage["parameters"] for stage in found["stages"])
    assert found["size"] == 112
    stem = found["stages"][0]
    assert stem["name"] == "stem"
    assert stem["macs"] > 0
    assert found["macs"] == sum(stage["macs"] for stage in found["stages"])


def test_info_counts_multiply_accumulates_by_hand(tmp_path, capsys):
    """One layer whose count is plain: the linear one."""
    trsfnet.export(tiny_weights(), tmp_path / "tiny.safetensors")
    assert main(["info", str(tmp_path / "tiny.safetensors"), "--json"]) == 0
    stages = json.loads(capsys.readouterr().out)["stages"]
    channels, embedding = stages[-2]["output"][0], stages[-1]["output"][0]
    assert stages[-1]["macs"] == channels * embedding
    assert main(["info", str(tmp_path / "tiny.safetensors")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "tiny, 75 x 75 pixels"
    assert [line.split("  ")[0] for line in lines[-2:]] == ["Inception-ResNet C", "embedding"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["verify", "MODEL", "A", "B"], "has no scores from which to derive a threshold at FAR 1e-3"),
        (["verify", "RUN", "A", "B", "--far", "1e-9"], "far must be at least 1 / 1,000, got 1e-9"),
        (["verify", "RUN", "A", "none.png", "--images", "crop"], "Cannot read none.png: No such file"),
        (["verify", "RUN", "A", "B", "--threshold", "7"], "threshold must be a cosine, -1 to 1, got 7."),
        (["export", "RUN", "model.zip"], "must end in one of .safetensors, .onnx, .pt2"),
        (["export", "nowhere", "model.pt2"], "There is no nowhere: expected the folder of a run"),
        (["info", "v3"], "There is no v3: expected the folder of a run"),
        (["info", "v1", "--size", "1000000000000"], "size must be at most 4096 pixels, got 1000000000000."),
        (["info", "v1", "--preprocessing", "hello"], "preprocessing of v1 is known: omit --preprocessing."),
        (["info", "v1", "--size", "20"], "input_size must be at least 75 pixels, got 20."),
    ],
)
def test_wrong_input_is_one_sentence(run, faces, tmp_path, monkeypatch, capsys, words, says):
    monkeypatch.chdir(tmp_path)
    if "MODEL" in words:
        trsfnet.export(tiny_weights(), tmp_path / "tiny.safetensors")
    places = {"MODEL": "tiny.safetensors", "RUN": run, "A": faces[0], "B": faces[1]}
    assert main([places.get(word, word) for word in words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("trsfnet: ")
    assert says in said
    assert said.count("\n") == 1
