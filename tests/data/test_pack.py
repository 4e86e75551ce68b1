"""A pack gives what its source gave, and never anything else."""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.data.full_disk import full_disk
from tests.data.memory import MemorySource, encoded, pattern
from tests.data.test_decode import JPEG_METADATA
from tests.data.test_folder import write
from trsfnet.data.faces import FaceSet
from trsfnet.data.folder import FolderSource
from trsfnet.data.lazy import LazyImages
from trsfnet.data.pack import PackSource, write_pack
from trsfnet.data.pack import writer as pack_writer
from trsfnet.errors import ConfigError, DataError

FILES = ("images.bin", "labels.npy", "offsets.npy", "pack.json")


@pytest.fixture
def source() -> MemorySource:
    """Nine images of three people, of several sizes."""
    return MemorySource(
        {f"p{i % 3}/{i}.png": encoded(pattern(i, height=40 + i, width=60 - i)) for i in range(9)}
    )


@pytest.fixture
def pack(source, tmp_path) -> PackSource:
    return write_pack(source, tmp_path / "pack", size=32)


def test_images_labels_and_names_come_back(source, pack):
    assert pack.identities == source.identities
    np.testing.assert_array_equal(pack.labels, source.labels)
    for index in range(len(source)):
        whole = Image.fromarray(source.image(index))
        side = min(whole.size)
        left, top = (whole.width - side) / 2, (whole.height - side) / 2
        box = (left, top, left + side, top + side)
        square = np.asarray(whole.resize((32, 32), Image.Resampling.BICUBIC, box))
        assert np.abs(pack.image(index).astype(int) - square).mean() < 3
    assert sorted(file.name for file in pack.folder.iterdir()) == sorted(FILES)
    assert [path.name for path in pack.folder.parent.iterdir()] == ["pack"]


def test_a_jpeg_of_the_size_is_kept_byte_for_byte_unless_readers_may_differ_on_it(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    plain, grey = encoded(pattern(0, 32), "JPEG", quality=70), encoded(pattern(0, 32)[:, :, 0], "JPEG")
    turned = encoded(pattern(0, 32), "JPEG", exif=exif)
    source = MemorySource({"a/0.jpg": plain, "a/1.jpg": grey, "a/2.jpg": turned})
    pack = write_pack(source, tmp_path / "pack", size=32)
    assert pack.encoded(0) == plain
    for index in (1, 2):
        with Image.open(io.BytesIO(pack.encoded(index))) as image:
            assert image.mode == "RGB"
            assert 0x0112 not in image.getexif()
        assert np.abs(pack.image(index).astype(int) - source.image(index)).mean() < 2


@pytest.mark.parametrize("name", JPEG_METADATA)
def test_a_jpeg_with_damaged_metadata_is_packed(tmp_path, name):
    sound = encoded(pattern(0, 32), "JPEG")
    source = MemorySource({"a/0.jpg": sound[:2] + JPEG_METADATA[name] + sound[2:]})
    pack = write_pack(source, tmp_path / "pack", size=32)
    assert np.abs(pack.image(0).astype(int) - source.image(0)).mean() < 2


def test_crop_keeps_the_middle(tmp_path):
    framed = np.zeros((64, 80, 3), dtype=np.uint8)
    framed[12:52, 20:60] = 255
    source = MemorySource({"a/0": encoded(framed)})
    assert write_pack(source, tmp_path / "pack", size=16, crop=32).image(0).min() > 250
    assert write_pack(source, tmp_path / "whole", size=16).image(0)[0].max() < 50


def test_quality_changes_the_bytes_and_the_version(source, pack, tmp_path):
    coarse = write_pack(source, tmp_path / "coarse", size=32, quality=30)
    assert (coarse.folder / "images.bin").stat().st_size < (pack.folder / "images.bin").stat().st_size
    assert coarse.version != pack.version
    shutil.copytree(pack.folder, tmp_path / "copy")
    assert PackSource(tmp_path / "copy").version == pack.version


def test_lazy_images_of_a_pack_are_an_array_for_training(pack):
    images = LazyImages(pack, 32)
    rows = np.array([7, 0, 7])
    np.testing.assert_array_equal(images[rows], np.stack([pack.image(i) for i in rows]))


def test_the_fingerprint_of_its_faces_comes_from_the_version_without_decoding(source, pack, tmp_path):
    def fingerprint(of: PackSource, labels: np.ndarray) -> str:
        return FaceSet(LazyImages(of, 32), labels, of.identities, of.version).fingerprint

    other = write_pack(pack, tmp_path / "other", size=32, quality=95)
    first = fingerprint(pack, pack.labels)
    assert fingerprint(other, other.labels) == first  # kept byte for byte
    (pack.folder / "images.bin").write_bytes(bytes((pack.folder / "images.bin").stat().st_size))
    assert fingerprint(PackSource(pack.folder), pack.labels) == first
    assert fingerprint(pack, pack.labels[::-1]) != first
    coarse = write_pack(source, tmp_path / "coarse", size=32, quality=30)
    assert fingerprint(coarse, pack.labels) != first


def test_forks_and_pickles_read_the_same(pack):
    expected = [pack.encoded(i) for i in range(len(pack))]
    pool = multiprocessing.get_context("fork").Pool(2)
    assert pool.map(pack.encoded, [*range(len(pack))] * 5, chunksize=1) == expected * 5
    # Not `with pool`, which ends the forks by SIGTERM: they may have inherited a handler that ignores it.
    pool.close()
    pool.join()
    copy = pickle.loads(pickle.dumps(pack))
    assert [copy.encoded(i) for i in range(len(copy))] == expected


class Interrupting(MemorySource):
    """Is interrupted at image 5, as often as `times` says."""

    times = 1

    def encoded(self, index: int) -> bytes:
        if index == 5 and self.times:
            self.times -= 1
            raise KeyboardInterrupt
        return super().encoded(index)


@pytest.mark.parametrize("damage", ["none", "torn line", "images lost"])
def test_after_an_interruption_it_goes_on_and_the_pack_is_the_same(
    source, pack, tmp_path, monkeypatch, damage
):
    monkeypatch.setattr(pack_writer, "_BLOCK", 2)
    target, aside = tmp_path / "again", tmp_path / ".again.partial"
    interrupted = Interrupting(source.images)
    with pytest.raises(KeyboardInterrupt):
        write_pack(interrupted, target, size=32)
    assert not target.exists()
    if damage == "torn line":
        (aside / "journal.txt").write_text((aside / "journal.txt").read_text()[:-2])
    if damage == "images lost":
        (aside / "images.bin").write_bytes((aside / "images.bin").read_bytes()[:-1])
    interrupted.images = {**source.images, "p0/0.png": None}  # is not read again
    again = write_pack(interrupted, target, size=32)
    assert {f: (again.folder / f).read_bytes() for f in FILES[:3]} == {
        f: (pack.folder / f).read_bytes() for f in FILES[:3]
    }
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_on_a_full_disk_it_says_so_and_goes_on_later(source, pack, tmp_path, monkeypatch):
    monkeypatch.setattr(pack_writer, "_BLOCK", 2)
    target, read = tmp_path / "again", []
    monkeypatch.setattr(
        source, "encoded", lambda index: read.append(index) or MemorySource.encoded(source, index)
    )
    room = (pack.folder / "images.bin").stat().st_size // 2
    for _ in range(2):
        with (
            full_disk(room),
            pytest.raises(DataError, match=rf"^Cannot write to {target}: File too large\.$"),
        ):
            write_pack(source, target, size=32)
    assert read.count(0) == 1
    assert write_pack(source, target, size=32).version == pack.version


def test_a_pack_that_does_not_get_its_name_is_not_made_again(source, pack, tmp_path, monkeypatch):
    def busy(aside: Path, target: Path) -> None:
        raise OSError(16, "Busy")

    target = tmp_path / "again"
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", busy)
        with pytest.raises(DataError, match=r"Cannot write to .*again: Busy"):
            write_pack(source, target, size=32)
    source.images = dict.fromkeys(source.images)  # is not read again
    assert write_pack(source, target, size=32).version == pack.version


def test_a_link_leads_to_the_pack(source, pack, tmp_path):
    (tmp_path / "empty").mkdir()
    for name, leads_to in (("lnk", "empty"), ("dangling", "elsewhere/new")):
        (tmp_path / name).symlink_to(leads_to)
        for _ in range(2):
            assert write_pack(source, tmp_path / name, size=32).version == pack.version
        assert (tmp_path / name).is_symlink()
        assert PackSource(tmp_path / leads_to).version == pack.version


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (".", "here is the current folder, which a pack cannot replace: name a folder in it"),
        ("../here", "here is the current folder"),
        ("../loop", "loop is a link to itself"),
        ("../file", "file exists already and is not the same pack"),
        ("n" * 300, "File name too long"),
    ],
)
def test_a_target_that_cannot_become_a_pack_is_refused_before_the_work(tmp_path, monkeypatch, target, says):
    (tmp_path / "here").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(DataError, match=says):
        write_pack(MemorySource({"a/0": None}), Path(target), size=32)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "here", "loop"]


def test_what_was_begun_with_other_settings_is_begun_anew(source, pack, tmp_path, monkeypatch):
    monkeypatch.setattr(pack_writer, "_BLOCK", 2)
    with pytest.raises(KeyboardInterrupt):
        write_pack(Interrupting(source.images), tmp_path / "again", size=16)
    again = write_pack(source, tmp_path / "again", size=32)
    assert again.version == pack.version


def test_the_same_call_returns_the_pack_and_another_refuses_to_replace_it(source, pack):
    assert write_pack(source, pack.folder, size=32).version == pack.version
    with pytest.raises(DataError, match="is not the same pack \\(its size is 32, not 16\\)"):
        write_pack(source, pack.folder, size=16)
    assert PackSource(pack.folder).size == 32


def test_an_image_replaced_by_one_as_large_is_noticed(tmp_path):
    folder, target = tmp_path / "faces", tmp_path / "pack"
    (folder / "a").mkdir(parents=True)
    for number in range(3):
        (folder / "a" / f"{number}.bmp").write_bytes(encoded(pattern(number), "BMP"))
    pack = write_pack(FolderSource(folder), target, size=32)
    touched = folder / "a" / "0.bmp"
    os.utime(touched, (2e9, 2e9))
    assert write_pack(FolderSource(folder), target, size=32).version == pack.version
    touched.write_bytes(encoded(pattern(9), "BMP"))
    os.utime(touched, (1e9, 1e9))  # as `cp -p` and `mv` leave the time of an old file
    with pytest.raises(DataError, match=r"^a/0\.bmp has changed since .*pack was made: remove that pack, or"):
        write_pack(FolderSource(folder), target, size=32)


def test_a_folder_of_something_else_is_left_alone(source, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("")
    with pytest.raises(DataError, match="thesis exists already and is not the same pack"):
        write_pack(source, tmp_path / "thesis", size=32)
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["thesis.tex"]


def test_what_cannot_be_decoded_stops_or_is_left_out_and_listed(source, tmp_path):
    source.images |= {"p1/4.png": b"<html>", "p2/5.png": None}
    with pytest.raises(DataError, match=r"^p1/4\.png is not an image"):
        write_pack(source, tmp_path / "pack", size=32)
    pack = write_pack(source, tmp_path / "pack", size=32, skip_corrupt=True)
    assert pack.skipped == (
        "p1/4.png is not an image: it begins with b'<html>'.",
        "p2/5.png is missing.",
    )
    np.testing.assert_array_equal(pack.labels, np.delete(source.labels, [4, 5]))
    assert np.abs(pack.image(4).astype(int) - pack.image(3)).mean() > 10


def test_what_the_source_left_out_is_listed_too(tmp_path):
    folder = write(tmp_path / "faces", "ann/1.jpg", "bo/1.jpg")
    (folder / "ann/2.jpg").touch()
    (folder / "bo/2.jpg").write_bytes(b"<html>")
    source = FolderSource(folder, skip=True)
    pack = write_pack(source, tmp_path / "pack", size=16, skip_corrupt=True)
    assert len(pack) == 2
    empty, html = pack.skipped
    assert empty.endswith("ann/2.jpg is empty: expected an image.")
    assert html.startswith("bo/2.jpg is not an image")
    assert write_pack(pack, tmp_path / "copy", size=16).skipped == pack.skipped


def test_a_source_of_nothing_but_corrupt_images_makes_no_pack(tmp_path):
    with pytest.raises(DataError, match=r"no image to pack: a/0 is missing"):
        write_pack(MemorySource({"a/0": None}), tmp_path / "pack", size=32, skip_corrupt=True)
    assert not (tmp_path / "pack").exists()


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"size": 9999}, {"quality": 0}, {"quality": 101}, {"crop": 0}]
)
def test_settings_out_of_range_are_refused(source, tmp_path, wrong):
    with pytest.raises(ConfigError, match=f"^{next(iter(wrong))} must"):
        write_pack(source, tmp_path / "pack", **{"size": 32, **wrong})


def replace_array(folder: Path, name: str, array: np.ndarray, *, pickled: bool = False) -> None:
    """Another array in a pack, and its right digest, as a malicious or mistaken writer would have it."""
    np.save(folder / name, array, allow_pickle=pickled)
    meta = json.loads((folder / "pack.json").read_text())
    meta["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "pack.json").write_text(json.dumps(meta))


def offsets(folder: Path, **entries: int) -> np.ndarray:
    array = np.load(folder / "offsets.npy")
    for at, value in entries.items():
        array[int(at[1:])] = value
    return array


DAMAGE = {
    "images.bin has": lambda f: (f / "images.bin").write_bytes((f / "images.bin").read_bytes()[:-1]),
    "Cannot read .*images.bin": lambda f: (f / "images.bin").unlink(),
    "Cannot read .*labels.npy": lambda f: (f / "labels.npy").unlink(),
    "Cannot read .*pack.json": lambda f: (f / "pack.json").unlink(),
    "labels.npy is damaged": lambda f: np.save(f / "labels.npy", np.zeros(9, dtype=np.int64)),
    "offsets.npy must rise from 0, but entry 3": lambda f: replace_array(f, "offsets.npy", offsets(f, _3=5)),
    "offsets.npy must rise from 0, but entry 0": lambda f: replace_array(f, "offsets.npy", offsets(f, _0=1)),
    "images.bin has .* announces 999": lambda f: replace_array(f, "offsets.npy", offsets(f, _9=999999)),
    "offsets.npy must have one entry more": lambda f: replace_array(f, "offsets.npy", offsets(f)[:-1]),
    "labels.npy, entry 0: the label 3": lambda f: replace_array(f, "labels.npy", np.full(9, 3)),
    "labels.npy, entry 8: the label -1": lambda f: replace_array(f, "labels.npy", np.append([0] * 8, -1)),
    "labels.npy must hold": lambda f: replace_array(f, "labels.npy", np.zeros(9)),
    "labels.npy is not a NumPy array": lambda f: replace_array(f, "labels.npy", np.array([{}]), pickled=True),
    "pack.json is damaged": lambda f: (f / "pack.json").write_text("{"),
    "pack.json must be of the format": lambda f: (f / "pack.json").write_text("[]"),
    "got 'trsfnet pack 2'": lambda f: (f / "pack.json").write_text('{"format": "trsfnet pack 2"}'),
    "pack.json is damaged: size": lambda f: (f / "pack.json").write_text('{"format": "trsfnet pack 1"}'),
}


@pytest.mark.parametrize("says", DAMAGE)
def test_a_damaged_pack_is_refused_in_a_sentence(pack, says):
    DAMAGE[says](pack.folder)
    with pytest.raises(DataError, match=says) as refused:
        PackSource(pack.folder)
    assert "\n" not in str(refused.value)


def test_what_a_killed_call_left_in_a_finished_pack_is_removed(source, tmp_path):
    pack = write_pack(source, tmp_path / "another", size=32)
    names = sorted(path.name for path in pack.folder.iterdir())
    for name in ("journal.txt", "settings.json", ".lock"):
        (pack.folder / name).write_text("")
    write_pack(source, tmp_path / "another", size=32)
    assert sorted(path.name for path in pack.folder.iterdir()) == names


def test_a_file_cut_short_while_it_is_open_is_noticed(pack):
    images = pack.folder / "images.bin"
    images.write_bytes(images.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"images\.bin, image 8 at byte \d+ is cut short"):
        pack.image(8)


@given(data=st.data())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
def test_flipped_bytes_give_a_data_error_or_the_same_labels(pack, data):
    path = pack.folder / data.draw(st.sampled_from(FILES))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[at] ^ data.draw(st.integers(1, 255))
    path.write_bytes(whole[:at] + bytes([flipped]) + whole[at + 1 :])
    try:
        again = PackSource(pack.folder)
        np.testing.assert_array_equal(again.labels, pack.labels)
        for index in range(len(again)):
            again.image(index)
    except DataError:
        pass
    finally:
        path.write_bytes(whole)
