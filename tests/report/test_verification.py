"""Two images in, decision out: what `trsfnet.evaluation` says of the same network."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from tests.conftest import blobs
from tests.experiments.untrained import write_run
from trsfnet.data.align import Face
from trsfnet.data.crops import central_crop
from trsfnet.data.lfw import CROP
from trsfnet.errors import ConfigError, DataError, RecordError
from trsfnet.evaluation.embed import embed
from trsfnet.evaluation.protocol import evaluate
from trsfnet.experiments.evaluate.network import load_network
from trsfnet.experiments.record import read_record
from trsfnet.report.collection import Collection
from trsfnet.report.explore import verification, verification_widgets

pytestmark = pytest.mark.usefixtures("one_thread")


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def upload(name: str, content: bytes) -> tuple[dict, ...]:
    """A value of ipywidgets' FileUpload."""
    file = {"name": name, "type": "image/png", "size": len(content), "content": memoryview(content)}
    return (file | {"last_modified": datetime(2026, 1, 1, tzinfo=UTC)},)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, tiny_config, tiny_data):
    """A run with its network and the scores of its evaluation, and the metrics that these gave."""
    root = tmp_path_factory.mktemp("runs")
    path, model = write_run(root, tiny_config)
    outcome = evaluate(
        tiny_data.test, tiny_data.pairs, embed(model, tiny_data.test.images, dtype=torch.float32)
    )
    record = read_record(path)
    record.write_info(metrics=outcome.metrics)
    record.write_scores(outcome.scores)
    scales = model.scales().items()
    record.write_parameters(
        [{"epoch": 0, "kind": "trsf", "name": k, "channel": 0, "value": float(v)} for k, v in scales]
    )
    record.write_history([{"epoch": 1, "step": 4, "learning_rate": 0.1, "loss": 1.0, **outcome.metrics}])
    return root, record, model


def test_the_decision_is_the_evaluations(evaluated, tiny_data):
    _, record, _ = evaluated
    network = load_network(record.path)
    scores = pd.read_parquet(record.path / "scores.parquet")
    for pair in range(4):
        left, right = tiny_data.pairs.left[pair], tiny_data.pairs.right[pair]
        found = verification.verify(network, tiny_data.test.images[[left, right]], 1e-2)
        assert found.similarity == pytest.approx(scores["score"][pair], abs=1e-5)
        assert found.same == (found.similarity > found.threshold)
    assert f"{found.similarity:.3f}" in str(found)
    assert ("the same person" in str(found)) == found.same


@pytest.mark.parametrize(("far", "accepted"), [(0.1, 2), (1e-3, 0)])
def test_the_threshold_of_ten_folds_accepts_the_stated_share(evaluated, far, accepted):
    _, record, _ = evaluated
    scores = record.scores()
    different = scores["score"][~scores["same"]]
    # A little above it: the similarity on which it lies comes back from a distance.
    above = verification.threshold(record, far) + 1e-6
    assert (different > above).sum() == accepted == int(far * len(different))


def test_the_threshold_of_all_pairs_is_the_recorded_one(evaluated, tmp_path, tiny_config):
    path, model = write_run(tmp_path, tiny_config)
    faces = blobs(30, 4, seed=3)
    outcome = evaluate(faces, None, embed(model, faces.images, dtype=torch.float32))
    record = read_record(path)
    record.write_info(evaluation={"protocol": outcome.protocol, "results": outcome.details})
    record.write_scores(outcome.scores)
    for far, details in zip((1e-2, 1e-3), outcome.details, strict=False):
        assert verification.threshold(record, far) == details["threshold"]


def test_a_run_without_scores_says_so(tmp_path, tiny_config):
    path, _ = write_run(tmp_path, tiny_config)
    with pytest.raises(RecordError, match=r"has no scores\.parquet"):
        verification.threshold(read_record(path), 1e-2)


def test_images_are_prepared_as_the_tracks_prepare_theirs():
    rng = np.random.default_rng(0)
    crop, large = (rng.integers(0, 256, (n, n, 3), dtype=np.uint8) for n in (75, 250))
    np.testing.assert_array_equal(verification.prepare(png(crop), "a.png", "crop", 75), crop)
    middle = verification.prepare(png(large), "a.png", "lfw", 75)
    np.testing.assert_array_equal(middle, central_crop(large, 75, CROP))
    with pytest.raises(DataError, match=r"a\.png is not an image"):
        verification.prepare(b"no image", "a.png", "crop", 75)
    with pytest.raises(ConfigError, match="preparation must be one of"):
        verification.prepare(png(crop), "a.png", "guess", 75)


@pytest.mark.parametrize("faces", [0, 1])
def test_a_face_in_a_photograph_is_found_or_missed(monkeypatch, faces):
    box = np.array([40.0, 30.0, 80.0, 80.0])
    found = [Face(box, np.zeros((5, 2)), 1.0)] * faces
    monkeypatch.setattr(verification, "Mtcnn", lambda: lambda images: [found])
    photograph = png(np.full((120, 140, 3), 90, np.uint8))
    if not faces:
        with pytest.raises(DataError, match=r"finds no face in a\.png"):
            verification.prepare(photograph, "a.png", "photograph", 75)
    else:
        assert verification.prepare(photograph, "a.png", "photograph", 75).shape == (75, 75, 3)


def test_controls_drive_the_decision(evaluated):
    root, record, model = evaluated
    verifier = verification_widgets.verifier(Collection.read(root))
    first = verifier.decision
    crops = verification.rendered((0, 0), 75)
    unit = embed(model, crops, dtype=torch.float32)
    assert first.similarity == pytest.approx(float(unit[0] @ unit[1]), abs=1e-5)
    assert str(first) in verifier.answer.value
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(verifier.crops[1].value))), crops[1])

    verifier.images.value = "crop"
    assert (verifier.decision, verifier.answer.value) == (None, "Choose two image files.")
    for place, files in enumerate(verifier.files):
        files.value = upload(f"{place}.png", png(crops[place]))
    assert verifier.decision.similarity == first.similarity
    verifier.far.value = 1e-3
    assert verifier.decision.threshold == verification.threshold(record, 1e-3)
    verifier.files[0].value = upload("<b>.png", b"broken")
    assert verifier.decision is None
    assert verifier.answer.value.startswith("&lt;b&gt;.png is not an image")


def test_without_a_network_one_sentence_says_what_to_do(evaluated, tmp_path):
    _, record, _ = evaluated
    copy = tmp_path / record.info["track"] / record.run_id
    copy.mkdir(parents=True)
    for name in ("run.json", "history.csv", "parameters.parquet", "scores.parquet"):
        (copy / name).write_bytes((record.path / name).read_bytes())
    verifier = verification_widgets.verifier(Collection.read(tmp_path))
    assert "papermill notebooks/train.ipynb" in verifier.value
