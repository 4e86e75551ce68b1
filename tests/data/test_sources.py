"""Any path is recognised for what it holds."""

from __future__ import annotations

import pickle
import tarfile
from pathlib import Path

import pytest

from tests.data.test_folder import write
from trsfnet.data import lfw
from trsfnet.data.folder import FolderSource
from trsfnet.data.lfw import LfwSource
from trsfnet.data.lfw_files import Person
from trsfnet.data.pack import PackSource, write_pack
from trsfnet.data.recordio import RecordSource, write_records
from trsfnet.data.sources import open_source
from trsfnet.data.verification_bin import VerificationBin
from trsfnet.errors import ConfigError, DataError


@pytest.fixture
def faces(tmp_path) -> Path:
    return write(tmp_path / "faces", *(f"{name}/{i}.jpg" for name in ("ann", "bo") for i in range(2)))


def images(source) -> set[bytes]:
    return {source.encoded(i) for i in range(len(source))}


def test_a_folder_of_identities(faces):
    source = open_source(faces, part="train")
    assert type(source) is FolderSource
    assert source.identities == ("ann", "bo")
    (faces / "bo/3.jpg").touch()
    with pytest.raises(DataError, match=r"bo/3\.jpg is empty"):
        open_source(faces)
    assert images(open_source(faces, skip=True)) == images(source)


def test_vggface2(tmp_path):
    root = write(tmp_path / "vggface2", "train/n000002/1_01.jpg", "test/n000001/1_01.jpg")
    assert open_source(root, part="test").identities == ("n000001",)
    assert open_source(root / "train").identities == ("n000002",)
    with pytest.raises(ConfigError, match=r"give .*vggface2/train or .*vggface2/test\.$"):
        open_source(root)
    (root / "train").rename(tmp_path / "train")
    with pytest.raises(ConfigError, match=r"give [^ ]*vggface2/test\.$"):
        open_source(root)
    people = write(tmp_path / "people", "ann/1.jpg", "test/1.jpg")
    assert open_source(people, part="train").identities == ("ann", "test")


def test_an_insightface_pack_and_a_pack_of_our_own(faces, tmp_path, monkeypatch):
    folder = open_source(faces)
    record = write_records(folder, tmp_path / "records")
    write_pack(folder, tmp_path / "pack", size=16)
    for path in (record, tmp_path / "records"):
        source = open_source(path)
        assert type(source) is RecordSource
        assert images(source) == images(folder)
    assert type(open_source(tmp_path / "pack")) is PackSource
    monkeypatch.chdir(tmp_path / "records")
    assert type(open_source(Path("."))) is RecordSource


def test_a_verification_set(tmp_path):
    path = tmp_path / "lfw.bin"
    path.write_bytes(pickle.dumps(([b"image"] * 20, [True] * 10)))
    assert type(open_source(path)) is VerificationBin


def test_lfw_by_its_official_names(tmp_path, monkeypatch):
    people = [Person("ann", 1), Person("bo", 1)]
    monkeypatch.setattr(lfw, "read_people", lambda: [people])
    root = write(tmp_path / "lfw" / "lfw-deepfunneled", "ann/ann_0001.jpg", "bo/bo_0001.jpg")
    archive = tmp_path / "archives" / "lfw-funneled.tgz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(root, "lfw_funneled")
    for path in (root, root.parent, archive, archive.parent):
        source = open_source(path)
        assert type(source) is LfwSource
        assert source.identities == ("ann", "bo")


def test_some_people_of_lfw_are_told_to_take_another_name(tmp_path):
    some = write(tmp_path / "lfw", "Aaron_Peirsol/Aaron_Peirsol_0001.jpg")
    with pytest.raises(DataError, match=r"missing in .*lfw\. A folder of some .* needs another name\."):
        open_source(some)
    assert open_source(some.rename(tmp_path / "swimmers")).identities == ("Aaron_Peirsol",)


@pytest.mark.parametrize("dataset", ["ijbb", "ijbc"])
def test_ijb(tmp_path, dataset):
    from trsfnet.data.ijb import IjbImages

    (tmp_path / "meta").mkdir()
    (tmp_path / "loose_crop").mkdir()
    with pytest.raises(DataError, match="must hold the files of IJB-B"):
        open_source(tmp_path)
    (tmp_path / "meta" / f"{dataset}_face_tid_mid.txt").write_text("1.jpg 7 3\n")
    points = " ".join(["1.5"] * 11)
    (tmp_path / "meta" / f"{dataset}_name_5pts_score.txt").write_text(f"1.jpg {points}\n")
    source = open_source(tmp_path)
    assert type(source) is IjbImages
    assert source.identities == ("7",)


def test_what_is_nothing_known_is_told_what_is(tmp_path):
    (tmp_path / "faces.zip").write_bytes(b"PK")
    for path, says in [("faces.zip", "is not a source of faces"), ("none", "There is no")]:
        with pytest.raises(
            DataError, match=rf"{says}.*subfolder of images.*\.rec.*\.bin.*LFW.*IJB.*pack\.json"
        ):
            open_source(tmp_path / path)
    with pytest.raises(DataError, match="holds no identities"):
        open_source(tmp_path)
