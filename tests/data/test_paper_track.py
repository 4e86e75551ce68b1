"""The paper's track on small stand-ins for its data, in the layouts that their holders have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.memory import MemorySource, encoded, pattern
from tests.data.verification_files import write_verification_bin
from trsfnet.data.faces import Pairs
from trsfnet.data.recordio import write_records
from trsfnet.data.tracks import images_version, load_track
from trsfnet.errors import DataError
from trsfnet.experiments.run import run
from trsfnet.training.config import TrainConfig

SIZES = {"size": 80, "identities": 0, "images_per_identity": 1}


def faces(people: int, images: int, *, first: int = 0) -> dict[str, bytes]:
    """JPEGs by name, of a pattern per person and a bit of noise."""
    content = {}
    for person in range(first, first + people):
        for number in range(1, images + 1):
            rng = np.random.default_rng([person, number])
            noisy = pattern(person, 80) * 0.9 + rng.uniform(0, 25, (80, 80, 1))
            content[f"n{person:06d}/n{person:06d}_{number:04d}.jpg"] = encoded(
                noisy.astype(np.uint8), "JPEG", quality=95
            )
    return content


def write(root: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


@pytest.fixture(scope="module")
def holdings(tmp_path_factory) -> Path:
    """A data root with VGGFace2, MS1MV2 and LFW as their holders have them, very small."""
    root = tmp_path_factory.mktemp("holdings")
    write(root / "vggface2" / "train", faces(8, 4))
    write(root / "lfw-aligned", faces(20, 2, first=100))
    lines = ["10\t1"]
    for fold in range(10):
        left, right = (f"n{100 + 2 * fold + i:06d}" for i in range(2))
        lines += [f"{left}\t1\t2", f"{left}\t1\t{right}\t2"]
    (root / "lfw").mkdir()
    (root / "lfw" / "pairs.txt").write_text("\n".join(lines) + "\n")
    write_records(MemorySource(faces(8, 4)), root / "ms1mv2")
    test = MemorySource(faces(20, 2, first=100))
    numbers = np.arange(20)
    pairs = Pairs(numbers * 2, numbers * 2 + 1, numbers % 2 == 0, numbers // 2)
    write_verification_bin(root / "ms1mv2" / "lfw.bin", test, pairs)
    return root


@pytest.mark.parametrize("train_set", ["vggface2", "ms1mv2"])
def test_the_faces_are_those_of_the_holder(holdings, train_set):
    data = load_track("paper", **SIZES, root=holdings, train_set=train_set)
    assert data.train.images.shape == (32, 80, 80, 3)
    assert np.bincount(data.train.labels).tolist() == [4] * 8
    assert len(data.pairs.same) == 20
    assert data.pairs.folds.tolist() == sorted(data.pairs.folds)
    assert data.train.fingerprint != data.test.fingerprint
    version = images_version("paper", root=holdings, train_set=train_set)
    assert version == images_version("paper", root=holdings, train_set=train_set)


def test_the_pairs_are_of_the_images_that_pairs_txt_names(holdings):
    data = load_track("paper", **SIZES, root=holdings, train_set="vggface2")
    labels = data.test.labels
    np.testing.assert_array_equal(labels[data.pairs.left] == labels[data.pairs.right], data.pairs.same)


@pytest.mark.parametrize(("loss", "train_set"), [("softmax", "vggface2"), ("arcface", "ms1mv2")])
def test_a_training_on_the_papers_data(holdings, tmp_path, one_thread, loss, train_set):
    small = {"width": 0.125, "image_size": 80, "batch_size": 8, "epochs": 1, "steps_per_epoch": 2}
    config = TrainConfig(track="paper", loss=loss, precision="float32", embedding_size=16, **small)
    record = run(config, runs=tmp_path, data_root=str(holdings))
    assert record.config["train_set"] == train_set
    assert record.info["data"]["train"]["identities"] == 8
    assert set(record.metrics) >= {"accuracy", "tar@1e-3"}


def test_who_holds_nothing_is_told_what_is_missing(holdings, tmp_path):
    with pytest.raises(DataError, match=r"needs VGGFace2's training part.* no longer distributed"):
        TrainConfig(track="paper").resolved(tmp_path)
    with pytest.raises(DataError, match=r"needs insightface's MS1MV2 .*DATA_ROOT/ms1mv2"):
        TrainConfig(track="paper", loss="arcface").resolved(None)
    write(tmp_path / "vggface2" / "train", faces(2, 1))
    with pytest.raises(DataError, match=r"run `trsfnet align .*lfw .*lfw-aligned`"):
        TrainConfig(track="paper").resolved(tmp_path)
