"""Tracks: disjoint people, LFW's protocol on rendered faces, and the cache."""

from __future__ import annotations

import os
import stat

import numpy as np
import pytest

from tests.conftest import blobs
from tests.data.full_disk import full_disk
from trsfnet.data import tracks
from trsfnet.data.cache import cached_faces
from trsfnet.data.lfw import read_people
from trsfnet.data.tracks import lfw as lfw_track
from trsfnet.data.tracks.synthetic import synthetic_pairs
from trsfnet.errors import ConfigError, DataError


def test_synthetic_pairs_follow_lfws_protocol():
    labels = np.repeat(np.arange(200), 8)
    pairs = synthetic_pairs(labels)
    assert len(pairs.same) == 6000
    assert pairs.folds.tolist() == sorted(pairs.folds)
    assert pairs.same.reshape(10, 2, 300).all(axis=(0, 2)).tolist() == [True, False]
    assert np.array_equal(labels[pairs.left] == labels[pairs.right], pairs.same)
    assert (pairs.left != pairs.right).all()
    assert len({frozenset(p) for p in zip(pairs.left, pairs.right, strict=True)}) == 6000
    people = [
        set(labels[pairs.left[pairs.folds == k]]) | set(labels[pairs.right[pairs.folds == k]])
        for k in range(10)
    ]
    assert len(set.union(*people)) == sum(map(len, people)) <= 200


def test_lfw_track_trains_and_verifies_disjoint_people():
    sets = read_people()
    train = {p.name for i in lfw_track.TRAIN_SETS for p in sets[i]}
    test = {p.name for i in lfw_track.TEST_SETS for p in sets[i]}
    assert len(train | test) == len(train) + len(test) == 5749


def test_synthetic_track_renders_other_people_for_the_test():
    data = tracks.load_track("synthetic", size=75, identities=3, images_per_identity=2, root=None)
    assert data.train.images.shape == (6, 75, 75, 3)
    assert not set(data.train.identities) & set(data.test.identities)
    again = tracks.load_track("synthetic", size=75, identities=3, images_per_identity=2, root=None)
    assert again.train.fingerprint == data.train.fingerprint


def test_data_root(monkeypatch, tmp_path):
    monkeypatch.delenv("TRSFNET_DATA", raising=False)
    assert tracks.data_root() is None
    monkeypatch.setenv("TRSFNET_DATA", str(tmp_path))
    assert tracks.data_root() == tmp_path
    assert tracks.data_root(str(tmp_path / "..")) == tmp_path / ".."
    with pytest.raises(DataError, match="data_root must name an existing folder"):
        tracks.data_root("/nowhere/at/all")
    monkeypatch.setenv("TRSFNET_DATA", "/nowhere/at/all")
    with pytest.raises(DataError, match="TRSFNET_DATA must name an existing folder"):
        tracks.data_root()
    with pytest.raises(ConfigError, match="track must be one of"):
        tracks.images_version("webface", root=None)


def test_the_cache_builds_once_and_a_failure_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("TRSFNET_CACHE", str(tmp_path / "cache"))

    def fail():
        raise DataError("no faces")

    with pytest.raises(DataError):
        cached_faces({"name": "x"}, fail)
    faces = blobs(2, 3, seed=5)
    first = cached_faces({"name": "x"}, lambda: faces)
    second = cached_faces({"name": "x"}, fail)
    assert first.fingerprint == second.fingerprint == faces.fingerprint
    assert second.identities == faces.identities
    assert len(list((tmp_path / "cache").iterdir())) == 1
    with pytest.raises(DataError):
        cached_faces({"name": "x", "size": 2}, fail)


def test_the_cache_is_for_all_whom_the_umask_lets_read(monkeypatch, tmp_path):
    monkeypatch.setenv("TRSFNET_CACHE", str(tmp_path / "cache"))
    before = os.umask(0o027)
    try:
        cached_faces({"name": "x"}, lambda: blobs(2, 3, seed=5))
    finally:
        os.umask(before)
    (folder,) = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o640}


@pytest.mark.parametrize("place", ["/dev/null", "/proc/cache"])
def test_a_cache_that_cannot_be_written_to_is_told_with_the_remedy(monkeypatch, place):
    monkeypatch.setenv("TRSFNET_CACHE", place)
    built = []
    with pytest.raises(DataError, match=r"The cache of crops /.* cannot be used: .* Set TRSFNET_CACHE to a"):
        cached_faces({"name": "x"}, lambda: built.append(1))
    assert not built, "said before the work"


def test_a_full_disk_behind_the_cache_is_told_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("TRSFNET_CACHE", str(tmp_path / "cache"))
    faces = blobs(20, 3, seed=5)
    with full_disk(1000), pytest.raises(DataError, match=r"the disk may be full .*\. Set TRSFNET_CACHE"):
        cached_faces({"name": "x"}, lambda: faces)
    assert list((tmp_path / "cache").iterdir()) == []
    assert cached_faces({"name": "x"}, lambda: faces).fingerprint == faces.fingerprint


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "faces.json"])
@pytest.mark.parametrize("left", [0, 60])
def test_a_damaged_cache_is_named_with_the_remedy(monkeypatch, tmp_path, name, left):
    monkeypatch.setenv("TRSFNET_CACHE", str(tmp_path / "cache"))
    cached_faces({"name": "x"}, lambda: blobs(2, 3, seed=5))
    (folder,) = (tmp_path / "cache").iterdir()
    file = folder / name
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(DataError, match=rf"^The cache of crops {folder} is damaged \(.*\): remove it"):
        cached_faces({"name": "x"}, lambda: blobs(2, 3, seed=5))


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "faces.json"])
def test_an_incomplete_cache_is_named_before_the_work(monkeypatch, tmp_path, name):
    monkeypatch.setenv("TRSFNET_CACHE", str(tmp_path / "cache"))
    cached_faces({"name": "x"}, lambda: blobs(2, 3, seed=5))
    (folder,) = (tmp_path / "cache").iterdir()
    (folder / name).unlink()
    with pytest.raises(DataError, match=rf"{folder} is damaged \(it lacks {name}\): remove it"):
        cached_faces({"name": "x"}, lambda: pytest.fail("made again"))


def test_the_fingerprint_sees_pixels_labels_and_names():
    faces = blobs(2, 3, seed=5)
    pixels = faces.images.copy()
    pixels[0, 0, 0, 0] ^= 1
    others = [
        type(faces)(pixels, faces.labels, faces.identities),
        type(faces)(faces.images, 1 - faces.labels, faces.identities),
        type(faces)(faces.images, faces.labels, ("a", "b")),
    ]
    assert len({f.fingerprint for f in [faces, *others]}) == 4
