"""Face packs: the format byte by byte, both layouts, writing, and sharing between processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import struct
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.data.full_disk import full_disk
from tests.data.memory import MemorySource
from tests.data.recordio_files import IM2REC, INSIGHTFACE, MARK, chunk, content, png, record, save
from trsfnet.data.faces import FaceSet
from trsfnet.data.lazy import LazyImages
from trsfnet.data.recordio import RecordSource, write_records
from trsfnet.data.recordio.container import chunked, joined
from trsfnet.data.recordio.index import _Records, _split_at_end
from trsfnet.data.sources import open_source
from trsfnet.errors import DataError
from trsfnet.training.batches import batches, epoch_order
from trsfnet.training.config import TrainConfig

ARCHIVE = Path(os.environ.get("TRSFNET_DATA", "nowhere"), "lfw", "lfw-deepfunneled.tar")


@pytest.fixture
def faces() -> MemorySource:
    """Nine images of three people, not sorted; one holds the mark where the writer must cut, twice."""
    images = [png(i) for i in range(9)]
    mark = struct.pack("<I", MARK)
    images[4] += b"\0" * (-len(images[4]) % 4) + mark + mark + b"?" + mark + b"end"
    people = ("bo", "ann", "cy", "ann", "bo", "ann", "cy", "cy", "ann")
    return MemorySource({f"{people[i]}/{i}": image for i, image in enumerate(images)})


@pytest.fixture
def pack(faces, tmp_path) -> Path:
    write_records(faces, tmp_path)
    return tmp_path


def test_insightface_layout_byte_by_byte(tmp_path):
    assert INSIGHTFACE[2] == bytes.fromhex("0a23d7ce1e000000 00000000 00000000") + bytes(16) + b"second\0\0"
    source = RecordSource(save(tmp_path, INSIGHTFACE, "2,112,112"))
    assert content(source) == [(b"one", "0"), (b"second", "0"), (b"third", "1")]
    assert source.labels.dtype == np.int64
    assert [source.name(i) for i in range(2)] == [
        "train.rec, record 1 at byte 0",
        "train.rec, record 2 at byte 44",
    ]


def test_im2rec_layout_has_no_special_record(tmp_path):
    source = RecordSource(save(tmp_path, IM2REC) / "train.rec")
    assert content(source) == [(b"two", "0"), (b"five", "1"), (b"large", "0")]
    source = RecordSource(save(tmp_path, {0: record(0.0, b"zero"), 1: record(1.0, b"one", 7.0)}))
    assert content(source) == [(b"zero", "0"), (b"one", "1")]


def test_a_record_in_several_chunks_is_joined_with_the_mark(tmp_path):
    mark = struct.pack("<I", MARK)
    head = struct.pack("<IfQQ", 0, 0.0, 3, 0)
    chunks = chunk(head + b"four", 1) + chunk(b"", 2) + chunk(b"more", 2) + chunk(b"end", 3)
    payload = head + b"four" + mark + mark + b"more" + mark + b"end"
    source = RecordSource(save(tmp_path, {3: chunks, 4: record(1.0, b"next")}))
    assert content(source) == [(payload[24:], "0"), (b"next", "1")]
    assert chunked(payload) == chunks


def test_only_marks_at_multiples_of_four_cut():
    mark = struct.pack("<I", MARK)
    for payload, cuts in [(b"", 0), (mark, 1), (b"?" + mark + mark, 0), (mark * 3, 3), (b"?" * 6 + mark, 0)]:
        data = chunked(payload)
        assert joined(data, 0, "x") == (payload, len(data))
        assert len(data) == 8 * (1 + cuts) + -(-(len(payload) - 4 * cuts) // 4) * 4


def test_a_label_may_be_the_mark_itself(tmp_path):
    """The header is cut like anything else: here its second word is the mark."""
    payload = struct.pack("<IIQQ", 1, MARK, 1, 0) + struct.pack("<f", 0.0) + b"image"
    source = RecordSource(save(tmp_path, {1: chunk(payload[:4], 1) + chunk(payload[8:], 3)}))
    assert content(source) == [(b"image", "0")]


def test_round_trip(faces, pack):
    source = RecordSource(pack)
    order = np.argsort(faces.labels, kind="stable")
    assert source.identities == ("0", "1", "2")
    assert (source.labels == faces.labels[order]).all()
    assert [source.encoded(i) for i in range(9)] == [faces.encoded(i) for i in order]
    np.testing.assert_array_equal(source.image(2), faces.image(1))
    assert (pack / "property").read_text() == "3,6,5\n"
    assert sorted(os.listdir(pack)) == ["property", "train.idx", "train.rec"]


def test_the_writer_makes_insightfaces_records(tmp_path):
    write_records(MemorySource({"a/0": png(0), "a/1": png(1), "b/2": png(2)}), tmp_path)
    data = (tmp_path / "train.rec").read_bytes()
    records = [record(0.0, png(0), key=1), record(0.0, png(1), key=2), record(1.0, png(2), key=3)]
    records += [record(4.0, b"", 6.0), record(1.0, b"", 3.0, key=4), record(3.0, b"", 4.0, key=5)]
    assert data == b"".join(records)
    offsets = np.cumsum([0, *map(len, records)])
    lines = [f"{key}\t{offset}\n" for key, offset in zip([1, 2, 3, 0, 4, 5], offsets, strict=False)]
    assert (tmp_path / "train.idx").read_text() == "".join(lines)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (MemorySource({"a/0": png(0)}, ("b",)), "The identity b has no image"),
        (MemorySource({}), "no image"),
        (MemorySource({"a/0": png(0), "a/1": b""}), "a/1 is empty"),
        (MemorySource({"a/0": b"html"}), "a/0 is not an image"),
    ],
)
def test_what_cannot_be_written_leaves_the_old_pack(faces, tmp_path, source, says):
    write_records(faces, tmp_path)
    before = (tmp_path / "train.rec").read_bytes()
    with pytest.raises(DataError, match=says):
        write_records(source, tmp_path)
    assert (tmp_path / "train.rec").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["property", "train.idx", "train.rec"]


def test_a_folder_that_cannot_be_written_is_named(faces, tmp_path):
    (tmp_path / "afile").touch()
    for path, says in (
        ("afile", "afile is a file: name a folder"),
        ("afile/in", "Cannot write to .*afile/in"),
    ):
        with pytest.raises(DataError, match=says):
            write_records(faces, tmp_path / path)
    with full_disk(100), pytest.raises(DataError, match=rf"^Cannot write to {tmp_path}/full: File too large"):
        write_records(faces, tmp_path / "full")
    assert not list((tmp_path / "full").iterdir())


def test_more_images_than_float32_counts():
    """Where float32 rounds the end of the images up, still no identity record is taken for one."""
    last = 2**24 + 2
    keys = np.arange(last + 3)
    assert int(np.float32(last + 1)) == last + 2
    labels = np.broadcast_to(np.float32(0), len(keys)).copy()
    labels[0], labels[last], labels[last + 1], labels[last + 2] = last + 1, 1, 1, last
    same = np.broadcast_to(np.int64(64), len(keys))
    filled = (keys > 0) & (keys <= last)
    images, people = _split_at_end(_Records(Path("train.rec"), keys, same, same, labels, filled))
    assert (len(images.keys), images.keys[-1], len(people.keys)) == (last, last, 2)


def test_the_index_is_kept_and_follows_the_file(pack, monkeypatch, tmp_path):
    monkeypatch.setenv("TRSFNET_CACHE", str(tmp_path / "cache"))
    first = RecordSource(pack)
    (stored,) = (tmp_path / "cache").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr("trsfnet.data.recordio.index._scan", lambda path: pytest.fail("scanned again"))
        assert content(RecordSource(pack)) == content(first)
    stored.write_bytes(stored.read_bytes()[:-30])
    assert content(RecordSource(pack)) == content(first)
    save(pack, {7: record(0, b"other")}, "1,1,1")
    assert content(RecordSource(pack)) == [(b"other", "0")]
    assert RecordSource(pack).version != first.version


def test_a_pack_in_a_folder_whose_name_is_not_utf8_is_read(pack, tmp_path):
    elsewhere = tmp_path / os.fsdecode(b"caf\xe9")
    elsewhere.mkdir()
    for file in ("train.rec", "train.idx"):
        (pack / file).rename(elsewhere / file)
    assert len(RecordSource(elsewhere)) == 9


def test_a_cache_that_cannot_be_written_costs_only_time(pack, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRSFNET_CACHE", str(tmp_path / "file" / "cache"))
    assert len(RecordSource(pack)) == 9


KEPT: list[RecordSource] = []


def read_all(source: RecordSource | None = None) -> list[bytes]:
    """Every image many times over, from several threads; by default of the source from before the fork."""
    source = source or KEPT[0]
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(source.encoded, list(range(len(source))) * 50))


def test_threads_forks_and_pickling(pack):
    source = RecordSource(pack)
    expected = [source.encoded(i) for i in range(len(source))] * 50
    assert read_all(source) == expected
    # Not `with pool`, which ends the forks by SIGTERM: they may have inherited a handler that ignores it.
    pool = multiprocessing.get_context("fork").Pool(2, KEPT.append, (source,))
    inherited = [pool.apply_async(read_all) for _ in range(4)]
    assert read_all(source) == expected
    assert all(result.get(60) == expected for result in inherited)
    assert pool.apply(read_all, (source,)) == expected
    pool.close()
    pool.join()
    copy = pickle.loads(pickle.dumps(source))
    assert (read_all(copy), copy.identities, copy.version) == (expected, source.identities, source.version)


@pytest.mark.skipif(not ARCHIVE.is_file(), reason="TRSFNET_DATA names no folder with the real LFW")
def test_a_pack_of_real_faces_trains_on_what_its_folder_does(tmp_path):
    names = []
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".jpg"):
                names.append("/".join(member.name.split("/")[-2:]))
                path = tmp_path / "folder" / names[-1]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())
            if len(names) == 40:
                break
    folder = open_source(tmp_path / "folder")
    pack = open_source(write_records(folder, tmp_path / "pack").parent)
    assert [pack.encoded(i) for i in range(40)] == [
        (tmp_path / "folder" / name).read_bytes() for name in sorted(names)
    ]
    assert pack.image(7).shape == (250, 250, 3)
    people = sorted({name.split("/")[0] for name in names})
    assert (tmp_path / "pack" / "property").read_text() == f"{len(people)},250,250\n"
    config = TrainConfig(batch_size=8, seed=3).resolved(None)
    seen = []
    for source in (folder, pack):
        faces = FaceSet(LazyImages(source, 96), source.labels, source.identities, source.version)
        seen.append(list(batches(faces, epoch_order(40, config, 1, 5)[:, 0], torch.device("cpu"))))
    for (images, labels), (packed_images, packed_labels) in zip(*seen, strict=True):
        assert images.shape == (8, 96, 96, 3)
        assert torch.equal(images, packed_images)
        assert torch.equal(labels, packed_labels)


@pytest.mark.parametrize("records", [INSIGHTFACE, IM2REC])
def test_a_pack_without_an_index_is_read_whole(tmp_path, records):
    numbered = {key: data[:16] + struct.pack("<Q", key) + data[24:] for key, data in records.items()}
    with_index = content(RecordSource(save(tmp_path, numbered)))
    (tmp_path / "train.idx").unlink()
    assert content(RecordSource(tmp_path)) == with_index


def test_records_without_numbers_are_numbered_as_they_come(tmp_path):
    save(tmp_path, {0: record(1.0, b"one"), 1: record(0.0, b"two")})
    (tmp_path / "train.idx").unlink()
    assert content(RecordSource(tmp_path)) == [(b"one", "1"), (b"two", "0")]


@pytest.mark.parametrize("text", ["2\n3\n112\n112\n", "3\n2\n112\n112\n", "2\n112\n112\n", "2, 112, 112"])
def test_a_property_of_several_lines_is_read(tmp_path, text):
    records = {i: record(label, b"image") for i, label in enumerate((1.0, 0.0, 1.0))}
    assert len(RecordSource(save(tmp_path, records, text)).identities) == 2


@pytest.mark.parametrize("text", ["3\n4\n112\n112\n", "2\n112\n", "2;112;112", "a\nb\nc\n"])
def test_a_property_of_another_pack_is_refused(tmp_path, text):
    records = {i: record(label, b"image") for i, label in enumerate((1.0, 0.0, 1.0))}
    with pytest.raises(DataError, match="property"):
        RecordSource(save(tmp_path, records, text))
