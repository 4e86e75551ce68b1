"""The explorer's controls verify two images by a run's network and its own threshold."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import torch
from PIL import Image

from tests.experiments.untrained import write_run
from tests.inference.test_verification import png
from trsfnet.analysis import load
from trsfnet.evaluation.embed import embed
from trsfnet.evaluation.names import far_name
from trsfnet.evaluation.protocol import evaluate
from trsfnet.experiments.record import read_record
from trsfnet.experiments.threshold import threshold
from trsfnet.interop.models import read_model
from trsfnet.report.explore import verification, verification_widgets

pytestmark = pytest.mark.usefixtures("one_thread")


def upload(name: str, content: bytes) -> tuple[dict, ...]:
    """A value of ipywidgets' FileUpload."""
    file = {"name": name, "type": "image/png", "size": len(content), "content": memoryview(content)}
    return (file | {"last_modified": datetime(2026, 1, 1, tzinfo=UTC)},)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, tiny_config, tiny_data):
    """A run with its network and the scores of its evaluation, and the metrics that these gave."""
    root = tmp_path_factory.mktemp("runs")
    path, model = write_run(root, tiny_config)
    # Each pair fifty times: enough of different people for FAR 1e-3.
    names = ("left", "right", "same", "folds")
    pairs = replace(tiny_data.pairs, **{name: np.tile(getattr(tiny_data.pairs, name), 50) for name in names})
    outcome = evaluate(tiny_data.test, pairs, embed(model, tiny_data.test.images, dtype=torch.float32))
    record = read_record(path)
    record.write_info(metrics=outcome.metrics)
    record.write_scores(outcome.scores)
    scales = model.scales().items()
    record.write_parameters(
        [{"epoch": 0, "kind": "trsf", "name": k, "channel": 0, "value": float(v)} for k, v in scales]
    )
    record.write_history([{"epoch": 1, "step": 4, "learning_rate": 0.1, "loss": 1.0, **outcome.metrics}])
    return root, record, model


def test_controls_drive_the_decision(evaluated):
    root, record, model = evaluated
    verifier = verification_widgets.verifier(load(root))
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
    assert verifier.decision.threshold == threshold(record, 1e-3)
    verifier.files[0].value = upload("<b>.png", b"broken")
    assert verifier.decision is None
    assert verifier.answer.value.startswith("&lt;b&gt;.png is not an image")


def test_the_network_that_comes_along_tells_rendered_people_apart_and_says_what_it_is(tmp_path):
    verifier = verification_widgets.verifier(load(tmp_path))
    ((name, _),) = verifier.network.options
    assert "only on rendered faces, never on a photograph" in name
    right = 0
    for people in [(i, i) for i in range(8)] + [(i, i + 1) for i in range(8)]:
        verifier._crops = lambda of, pair=people: verification.rendered(pair, of.preprocessing.size)
        verifier.images.value = "other" if verifier.images.value == "same" else "same"
        right += verifier.decision.same == (people[0] == people[1])
    assert right >= 15, "of 16"
    assert "little" not in verifier.answer.value
    verifier.images.value = "crop"
    assert verifier.answer.value.endswith("was trained on photographs.")


def test_files_that_come_are_taken_for_photographs(tmp_path, monkeypatch):
    verifier = verification_widgets.verifier(load(tmp_path))
    monkeypatch.setattr(verifier, "_decide", lambda: None)
    verifier.files[0].value = upload("a.png", png(verification.rendered((0, 0), 75)[0]))
    assert verifier.images.value == "photograph"


def test_photographs_are_cropped_as_in_the_training_of_the_network(tmp_path, monkeypatch):
    verifier = verification_widgets.verifier(load(tmp_path))
    monkeypatch.setattr(verifier, "_decide", lambda: None)
    asked = []

    def prepare(encoded, name, preparation, size):
        asked.append(preparation)
        return np.zeros((size, size, 3), np.uint8)

    monkeypatch.setattr(verification_widgets, "prepare", prepare)
    for uploader in verifier.files:
        uploader.value = upload("a.png", b"")
    network = read_model(verification.example().source).description
    verifier._crops(network)
    verifier._crops(replace(network, training={"config": {"train_set": "ms1mv2"}}))
    assert asked == ["photograph"] * 2 + ["warp"] * 2


def test_its_file_is_small_and_says_what_it_was_trained_on():
    network = verification.example()
    assert network.source.stat().st_size < 2 * 2**20
    description = read_model(network.source).description
    assert description.training["track"] == "synthetic"
    assert description.data_terms.startswith("The faces are rendered by this project's code")
    assert set(map(far_name, verification.FARS)) <= set(description.thresholds)
