"""Two images in, decision out: what `trsfnet.evaluation` says of the same network."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import trsfnet
from tests.conftest import blobs
from tests.experiments.untrained import write_run
from tests.interop.networks import tiny_weights
from trsfnet.data.align import Face
from trsfnet.data.crops import central_crop
from trsfnet.data.lfw import CROP
from trsfnet.data.warp import TEMPLATE, warp_face
from trsfnet.errors import ConfigError, DataError, RecordError
from trsfnet.evaluation.embed import embed
from trsfnet.evaluation.protocol import evaluate
from trsfnet.experiments.record import read_record, reading
from trsfnet.inference import preparation
from trsfnet.inference.preparation import preparation_for, prepare
from trsfnet.inference.verification import compare, threshold_at
from trsfnet.interop.description import Description
from trsfnet.interop.models import read_model
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.weights import read_weights
from trsfnet.models import InceptionResnet
from trsfnet.training.config import TrainConfig

pytestmark = pytest.mark.usefixtures("one_thread")


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def pairs(tiny_data):
    """Each pair fifty times: enough of different people for FAR 1e-3."""
    names = ("left", "right", "same", "folds")
    return replace(tiny_data.pairs, **{name: np.tile(getattr(tiny_data.pairs, name), 50) for name in names})


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny_config, tiny_data, pairs):
    """A run with its network and the scores of its evaluation."""
    path, model = write_run(tmp_path_factory.mktemp("runs"), tiny_config)
    outcome = evaluate(tiny_data.test, pairs, embed(model, tiny_data.test.images, dtype=torch.float32))
    read_record(path).write_scores(outcome.scores)
    return path


@pytest.fixture
def files(tmp_path, tiny_data, pairs):
    """The images of the first pair, which shows one person."""
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, image in zip(paths, (pairs.left[0], pairs.right[0]), strict=True):
        path.write_bytes(png(tiny_data.test.images[image]))
    return paths


def test_the_similarity_is_the_evaluations(run, tiny_data, pairs):
    embedder = trsfnet.load(run, precision="float32")
    scores = pd.read_parquet(run / "scores.parquet")
    for pair in range(4):
        crops = tiny_data.test.images[[pairs.left[pair], pairs.right[pair]]]
        assert compare(embedder, crops, 0.5, None).similarity == pytest.approx(
            scores["score"][pair], abs=1e-5
        )


@pytest.mark.parametrize("far", [0.1, 1e-3])
def test_the_threshold_of_ten_folds_accepts_the_stated_share(run, far):
    scores = read_record(run).scores()
    different = scores["score"][~scores["same"]]
    # A little above it: the similarity on which it lies comes back from a distance.
    limit = threshold_at(read_model(run), far)
    assert (different > limit + 1e-6).sum() <= int(far * len(different)) < (different >= limit - 1e-6).sum()


def test_the_threshold_of_all_pairs_is_the_recorded_one(tmp_path, tiny_config):
    path, model = write_run(tmp_path, tiny_config)
    faces = blobs(30, 4, seed=3)
    outcome = evaluate(faces, None, embed(model, faces.images, dtype=torch.float32))
    record = read_record(path)
    record.write_info(evaluation={"protocol": outcome.protocol, "results": outcome.details})
    record.write_scores(outcome.scores)
    for far, details in zip((1e-2, 1e-3), outcome.details, strict=False):
        assert threshold_at(read_model(path), far) == details["threshold"]


def test_the_decision_flips_with_the_threshold(run, files):
    similarity = trsfnet.verify(run, *files, threshold=0, images="crop").similarity
    below, above = (
        trsfnet.verify(run, *files, threshold=similarity + step, images="crop") for step in (-1e-3, 1e-3)
    )
    assert (below.same, above.same) == (True, False)
    assert str(below).endswith(f"above the threshold {below.threshold:.3f}: the same person.")
    assert str(above).endswith("different people.")


def test_no_similarity_is_above_1():
    class Fixed:
        """Gives unit vectors whose product is rounded up."""

        def embed(self, crops):
            return np.repeat(np.array([[np.sqrt(0.5), np.sqrt(0.5) * (1 + 1e-6)]], np.float32), 2, axis=0)

    assert compare(Fixed(), np.zeros((2, 75, 75, 3), np.uint8), 0.5, None).similarity == 1


def test_a_far_decides_by_the_runs_scores(run, files):
    found = trsfnet.verify(run, *files, far=1e-2, images="crop")
    assert found.threshold == threshold_at(read_model(run), 1e-2)
    assert f"the threshold {found.threshold:.3f} of this run at FAR 1e-2" in str(found)


def test_a_decision_reads_the_record_and_its_scores_once_and_makes_one_network(run, files, monkeypatch):
    seen = []

    def noted(name, function):
        def call(*arguments, **options):
            seen.append(name)
            return function(*arguments, **options)

        return call

    monkeypatch.setattr(reading, "read_folder", noted("record", reading.read_folder))
    monkeypatch.setattr(pd, "read_parquet", noted("scores", pd.read_parquet))
    monkeypatch.setattr(InceptionResnet, "__init__", noted("network", InceptionResnet.__init__))
    trsfnet.verify(run, *files, far=1e-2, images="crop", engine="torch")
    assert sorted(seen) == ["network", "record", "scores"]


def test_an_exported_file_decides_as_its_run(run, files, tmp_path):
    exported = tmp_path / "tiny.safetensors"
    trsfnet.export(run, exported)
    for far in (1e-1, 1e-2, 1e-3):
        theirs = trsfnet.verify(exported, *files, far=far, images="crop")
        ours = trsfnet.verify(run, *files, far=far, images="crop")
        assert (theirs.threshold, theirs.far, theirs.same) == (ours.threshold, far, ours.same)
        assert theirs.similarity == pytest.approx(ours.similarity, abs=1e-6)


def test_what_cannot_decide_says_so(run, files, tmp_path, tiny_config):
    for far, says in [
        (
            1e-4,
            r"far must be at least 1 / 1,000, got 1e-4: v1-\S+ was evaluated on that many",
        ),
        (0, "far must lie between 0 and 1, got 0"),
    ]:
        with pytest.raises(ConfigError, match=says):
            trsfnet.verify(run, *files, far=far, images="crop")
    with pytest.raises(ConfigError, match="threshold must be a cosine"):
        trsfnet.verify(run, *files, threshold=2, images="crop")
    exported = tmp_path / "tiny.safetensors"
    trsfnet.export(run, exported)
    with pytest.raises(
        ConfigError, match=r"far must be one of 1e-1, 1e-2, 1e-3, at which .* got 5e-3; the fol"
    ):
        trsfnet.verify(exported, *files, far=5e-3, images="crop")
    foreign = tmp_path / "foreign.safetensors"
    trsfnet.export(tiny_weights(), foreign)
    with pytest.raises(ConfigError, match=r"has no scores .* exported from one, or your own threshold"):
        trsfnet.verify(foreign, *files, images="crop")
    assert trsfnet.verify(foreign, *files, threshold=-1, images="crop").same
    unfinished, _ = write_run(tmp_path, tiny_config)
    with pytest.raises(RecordError, match="has no scores"):
        trsfnet.verify(unfinished, *files, images="crop")
    with pytest.raises(DataError, match=r"Cannot read .*none\.png: No such file"):
        trsfnet.verify(run, files[0], tmp_path / "none.png", images="crop")
    (tmp_path / "black.png").write_bytes(png(np.zeros((75, 75, 3), np.uint8)))
    with pytest.raises(DataError, match=r"black\.png has no pixel value above 1"):
        trsfnet.verify(run, files[0], tmp_path / "black.png", images="crop")


def test_images_are_prepared_as_the_tracks_prepare_theirs(tmp_path):
    rng = np.random.default_rng(0)
    crop, large = (rng.integers(0, 256, (n, n, 3), dtype=np.uint8) for n in (75, 250))
    np.testing.assert_array_equal(prepare(png(crop), "a.png", "crop", 75), crop)
    middle = prepare(png(large), "a.png", "lfw", 75)
    np.testing.assert_array_equal(middle, central_crop(large, 75, CROP))
    wide = png(rng.integers(0, 256, (75, 90, 3), dtype=np.uint8))
    embedder = trsfnet.load(tiny_weights(), engine="torch", precision="float32")
    (tmp_path / "wide.png").write_bytes(wide)
    as_embedded = embedder.embed([prepare(wide, "wide.png", "crop", 75), tmp_path / "wide.png"])
    np.testing.assert_array_equal(as_embedded[0], as_embedded[1])
    with pytest.raises(DataError, match=r"a\.png is not an image"):
        prepare(b"no image", "a.png", "crop", 75)
    with pytest.raises(DataError, match=r"a\.png has 75 x 75 pixels, not 250 x 250 .* choose 'photograph'"):
        prepare(png(crop), "a.png", "lfw", 75)
    with pytest.raises(ConfigError, match="images must be one of 'photograph', 'warp', 'lfw', 'crop'"):
        prepare(png(crop), "a.png", "guess", 75)


@pytest.mark.parametrize("faces", [0, 1])
def test_a_face_in_a_photograph_is_found_or_missed(monkeypatch, faces):
    box = np.array([40.0, 30.0, 80.0, 80.0])
    found = [Face(box, np.zeros((5, 2)), 1.0)] * faces
    monkeypatch.setattr(preparation, "_detector", lambda: lambda images: [found])
    photograph = png(np.full((120, 140, 3), 90, np.uint8))
    if not faces:
        with pytest.raises(DataError, match=r"finds no face in a\.png"):
            prepare(photograph, "a.png", "photograph", 75)
    else:
        assert prepare(photograph, "a.png", "photograph", 75).shape == (75, 75, 3)


@pytest.mark.parametrize(("train_set", "warped"), [("vggface2", False), ("ms1mv2", True)])
def test_a_photograph_is_cropped_as_in_the_training(monkeypatch, tmp_path, train_set, warped):
    found = Face(np.array([40.0, 30.0, 80.0, 80.0]), TEMPLATE / 2 + 35, 1.0)
    monkeypatch.setattr(preparation, "_detector", lambda: lambda images: [[found]])
    photograph = np.random.default_rng(0).integers(0, 256, (120, 140, 3), dtype=np.uint8)
    config = TrainConfig(track="paper", train_set=train_set, width=0.125, image_size=80, embedding_size=16)
    path, _ = write_run(tmp_path, config)
    exported = tmp_path / "run.safetensors"
    trsfnet.export(path, exported)
    for source in (path, exported):
        description = read_model(source).description
        crop = prepare(png(photograph), "a.png", preparation_for(description, "photograph"), 80)
        assert np.array_equal(crop, warp_face(photograph, found.points, 80)) is warped
        assert ("--crop warp" in description.preprocessing.crop) is warped


def test_photographs_need_a_network_that_states_how_to_crop_them():
    foreign = Description("w600k.onnx", "onnx", {}, Preprocessing(112))
    with pytest.raises(ConfigError, match=r"w600k\.onnx does not state how .* must be 'warp' for phot"):
        preparation_for(foreign, "photograph")
    assert preparation_for(foreign, "warp") == "warp"
    in_memory = read_weights(InceptionResnet(version="v1", width=0.125)).description
    with pytest.raises(ConfigError, match="does not state how the faces of its training were cropped"):
        preparation_for(in_memory, "photograph")


def test_a_detector_that_stumbles_names_the_image(monkeypatch):
    def stumble(images: np.ndarray) -> None:
        raise DataError("MTCNN failed on it: lost count.")

    monkeypatch.setattr(preparation, "_detector", lambda: stumble)
    with pytest.raises(DataError, match=r"out of a\.png\. MTCNN failed"):
        prepare(png(np.full((120, 140, 3), 90, np.uint8)), "a.png", "photograph", 75)


def test_a_name_with_a_nul_is_an_image_that_cannot_be_read(run):
    with pytest.raises(DataError, match="Cannot read a\0b: embedded null byte"):
        trsfnet.verify(run, "a\0b", "a\0b", threshold=0.5, images="crop")
